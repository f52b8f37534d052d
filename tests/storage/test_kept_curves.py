"""The curves that an answer was made of are kept with it, so that "Next" does not search again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.model.answer import Answer
from core.model.query import Query, Stretch
from core.model.results import Baseline, Curve, KeptCurves, Moment, TextCurve
from core.model.video import Scope, View
from storage.answers import MOST_CURVE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.model.video import IndexedVideo, Posting, Recipe
    from storage.library import SqliteLibrary

FRAMES = 1200  # more than two chunks of an indexing
BASELINE = Baseline(0.21, 0.2351, 0.2472)


@pytest.fixture
async def kept(
    library: SqliteLibrary, make_video: Callable[..., IndexedVideo], make_posting: Callable[..., Posting]
) -> IndexedVideo:
    video = make_video(frames=FRAMES, dim=8)
    await library.save(video, make_posting(), [])
    return video


def curve_of(video: IndexedVideo, *texts: str, seed: int = 1) -> Curve:
    draw = np.random.default_rng(seed)
    scores = [draw.normal(0.24, 0.02, len(video.index)).astype(np.float32) for _ in texts or ("",)]
    lines = tuple(TextCurve(text, one, BASELINE) for text, one in zip(texts, scores, strict=True)) if texts else ()
    return Curve(video.video, video.index.times_s, scores[0], BASELINE, lines=lines)


def answer_about(channel: Scope, *video_ids: str) -> Answer:
    moments = tuple(Moment(video_id, 1.0, 2.0, 1.5, 0.25) for video_id in video_ids)
    return Answer("a1", Query("a dog", View.of(channel)), channel, moments)


async def test_a_kept_curve_is_what_the_answer_was_made_of(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe
) -> None:
    curve = replace(curve_of(kept), source=Stretch(kept.video.id, 3.0, 5.5))
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve,)))
    found = await library.kept_curve("a1", kept.video.id, recipe.key)
    assert found is not None
    np.testing.assert_array_equal(found.times_s, curve.times_s)
    np.testing.assert_allclose(found.scores, curve.scores, atol=3e-4)
    assert (found.baseline, found.source, found.lines, found.vectors) == (BASELINE, curve.source, (), None)
    assert (found.video.duration_s, found.video.title) == (kept.video.duration_s, "")


async def test_of_texts_side_by_side_each_has_its_own_scores(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe
) -> None:
    curve = curve_of(kept, "a dog", "a cat")
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve,)))
    found = await library.kept_curve("a1", kept.video.id, recipe.key)
    assert found is not None
    assert [(line.text, line.baseline) for line in found.lines] == [("a dog", BASELINE), ("a cat", BASELINE)]
    for line, known in zip(found.lines, curve.lines, strict=True):
        np.testing.assert_allclose(line.scores, known.scores, atol=3e-4)
    assert found.scores is found.lines[0].scores


async def test_rounding_moves_no_frame_over_a_threshold(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe
) -> None:
    scores = np.linspace(0.2351 - 2e-4, 0.2472 + 2e-4, FRAMES, dtype=np.float32)
    curve = replace(curve_of(kept), scores=scores)
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve,)))
    found = await library.kept_curve("a1", kept.video.id, recipe.key)
    assert found is not None
    verdicts = [[BASELINE.verdict(float(score)) for score in one.scores] for one in (found, curve)]
    assert verdicts[0] == verdicts[1]


async def test_an_hour_takes_seven_kilobytes(
    library: SqliteLibrary,
    make_video: Callable[..., IndexedVideo],
    make_posting: Callable[..., Posting],
    channel: Scope,
    recipe: Recipe,
) -> None:
    hour = make_video(frames=3600, dim=8)
    await library.save(hour, make_posting(), [])
    await library.save_answer(answer_about(channel, hour.video.id), KeptCurves(recipe.key, (curve_of(hour),)))
    (row,) = await library.connections.rows("SELECT length(scores), length(about) FROM curves", {})
    assert row[0] == 7200
    assert row[1] < 200


async def test_a_vote_replaces_the_curves(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe
) -> None:
    before, after = curve_of(kept), curve_of(kept, seed=2)
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (before,)))
    await library.amend_answer("a1", lambda known: known)
    untouched = await library.kept_curve("a1", kept.video.id, recipe.key)
    await library.amend_answer("a1", lambda known: known, KeptCurves(recipe.key, (after,)))
    replaced = await library.kept_curve("a1", kept.video.id, recipe.key)
    assert untouched is not None
    assert replaced is not None
    np.testing.assert_allclose(untouched.scores, before.scores, atol=3e-4)
    np.testing.assert_allclose(replaced.scores, after.scores, atol=3e-4)


async def test_other_embeddings_need_another_curve(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe, other_recipe: Recipe
) -> None:
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve_of(kept),)))
    assert await library.kept_curve("a1", kept.video.id, other_recipe.key) is None
    await library.refresh(kept)
    assert await library.kept_curve("a1", kept.video.id, recipe.key) is None


async def test_where_no_curve_was_kept_it_is_computed_again(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe, make_video: Callable[..., IndexedVideo]
) -> None:
    under_way = make_video("sha256:under-way", frames=30, dim=8)
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve_of(under_way),)))
    assert await library.kept_curve("a1", "sha256:under-way", recipe.key) is None
    assert await library.kept_curve("a1", kept.video.id, recipe.key) is None
    assert await library.kept_curve("gone", kept.video.id, recipe.key) is None


async def test_an_answer_keeps_the_first_curves_that_it_has_room_for(
    library: SqliteLibrary,
    make_video: Callable[..., IndexedVideo],
    make_posting: Callable[..., Posting],
    channel: Scope,
    recipe: Recipe,
) -> None:
    frames = MOST_CURVE_BYTES // 2 // 2
    videos = [make_video(f"sha256:{n}", frames=frames, dim=8) for n in range(3)]
    for video in videos:
        await library.save(video, make_posting(video.video.id), [])
    ids = [video.video.id for video in videos]
    await library.save_answer(answer_about(channel, *ids), KeptCurves(recipe.key, tuple(map(curve_of, videos))))
    found = [await library.kept_curve("a1", one, recipe.key) for one in ids]
    assert [one is not None for one in found] == [True, True, False]


async def test_what_is_forgotten_leaves_no_curve(
    library: SqliteLibrary, kept: IndexedVideo, channel: Scope, recipe: Recipe, tmp_path: Path
) -> None:
    curve = replace(curve_of(kept), scores=np.full(FRAMES, 0.2345, np.float32))
    await library.save_answer(answer_about(channel, kept.video.id), KeptCurves(recipe.key, (curve,)))
    await library.forget(kept.video.id, View.of(channel))
    await library.connections.emptied()
    (row,) = await library.connections.rows("SELECT count(*) FROM curves", {})
    assert row[0] == 0
    assert np.full(50, 0.2345, "<f2").tobytes() not in (tmp_path / "keaton.db").read_bytes()
