"""More like a moment is looked for elsewhere: its own shot is no answer, and does not make the verdict."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.conversation.commands import find
from core.errors import NothingElse
from core.model.events import Action
from core.model.query import Example, Query, Stretch
from core.model.results import Curve
from core.model.video import Floats, Scope, Video, View
from core.search.moments import chosen, find_moments
from core.search.shots import elsewhere
from core.search.verdict import likened
from core.wording.answers import head
from tests.core.conftest import ColourHouse, turn
from tests.core.test_votes import ask, press
from tests.support.videos import put_video

SHOTS = np.eye(4, 8, dtype=np.float32).repeat(6, axis=0)
"""Four shots of six looks, a second apart."""


def like(look: int, looks: Floats = SHOTS, start_s: float = 1.0, end_s: float = 2.0) -> tuple[Query, Curve]:
    """Ask for more like a look, which was found in some moment."""
    picture = Example.of(looks[look], "recipe", Stretch("v", start_s, end_s))
    query = Query("", View.of(Scope("local", "s", "c")), picture=picture)
    video, times_s = Video("v", "", "A video", float(len(looks)), 64, 48), np.arange(len(looks), dtype=np.float64)
    return query, elsewhere(Curve(video, times_s, looks @ looks[look], vectors=looks), picture)


@pytest.mark.parametrize(("look", "at_s", "reach"), [(1, 1.0, (0, 6)), (9, 9.0, (6, 12)), (23, 23.0, (18, 26))])
def test_given_a_moments_shot_when_more_is_asked_then_it_is_left_out(
    look: int, at_s: float, reach: tuple[float, float]
) -> None:
    _, curve = like(look, start_s=at_s, end_s=at_s + 1)
    assert curve.source is not None
    assert (curve.source.start_s, curve.source.end_s) == reach
    assert [bool(one) for one in curve.counts] == [not reach[0] <= time_s < reach[1] for time_s in range(24)]


def test_given_a_left_out_shot_when_judged_then_it_does_not_count() -> None:
    query, alone = like(1)
    assert alone.scores.max() == pytest.approx(1.0)
    assert likened(alone).verdict == "absent"
    assert head(query, likened(alone)) == "More like this: probably nothing else in this video looks like it"
    again = np.concatenate([SHOTS, SHOTS[:6]])
    query, twice = like(1, again)
    assert likened(twice).verdict == "strong"
    assert head(query, likened(twice)) == "More like this"


def test_given_a_like_shot_when_a_short_one_lies_between_then_it_is_found() -> None:
    looks = np.eye(4, 8, dtype=np.float32)[[0, 0, 0, 1, 1, 2, 1, 1, 1, 3, 3, 3]]
    query, curve = like(3, looks, 3.0, 5.0)
    assert curve.source is not None
    assert (curve.source.start_s, curve.source.end_s) == (1.0, 7.0)
    assert likened(curve).verdict == "strong"
    (moment, *_) = chosen([curve], query, 3)
    assert moment.peak_s == pytest.approx(7.0)


def test_given_another_video_when_more_is_asked_then_all_of_it_counts() -> None:
    query, curve = like(1)
    assert query.picture is not None
    other = replace(curve, video=replace(curve.video, id="w"), source=None)
    assert elsewhere(other, query.picture).source is None


def test_given_a_left_out_shot_when_moments_are_told_then_none_reaches_in() -> None:
    steps = np.linspace(0, 1, 24, dtype=np.float32)
    looks = np.column_stack([np.cos(steps), np.sin(steps)]).astype(np.float32)
    _, curve = like(12, looks, 12.0, 13.0)
    assert curve.source is not None
    for moment in find_moments(curve, 5):
        assert moment.end_s <= curve.source.start_s or moment.start_s >= curve.source.end_s


def test_given_one_shot_alone_when_more_is_asked_then_nothing_else() -> None:
    query, curve = like(1)
    with pytest.raises(NothingElse):
        chosen([replace(curve, source=Stretch("v", 0.0, 99.0))], query, 3)


async def test_given_nothing_alike_when_more_is_asked_then_the_answer_says_so(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("navy", 4), ("red", 4), ("green", 4)])
    alike = await house.last(Action(turn(), press(await ask(house, "red"), "More like this")))
    assert alike.title == "More like this: probably nothing else in this video looks like it"
    await put_video(house, turn(), "another", [("black", 4), ("red", 4), ("green", 4)])
    alike = await house.last(Action(turn(), press(await ask(house, "navy"), "More like this")))
    assert alike.level == "absent"


async def test_given_a_source_that_is_no_moment_when_shown_then_it_is_noted_too(house: ColourHouse) -> None:
    source = await put_video(house, turn(), "one", [("red", 6)])
    other = await put_video(house, turn(), "two", [("navy", 4), ("red", 4), ("green", 4)])
    asked = await house.last(replace(find(turn(), "red"), video=source.id))
    alike = await house.last(Action(turn(), press(asked, "More like this")))
    assert "of one." in alike.text
    assert alike.videos == tuple(sorted((source.id, other.id)))
