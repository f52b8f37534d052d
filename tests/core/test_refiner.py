"""Between two looks of the index the best frame is found, to 0.2 s, and no answer waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import pytest_asyncio

from core.conversation.commands import find
from core.model.events import Action, FilePosted, Find
from core.model.results import Curve, Moment, ends, paired
from core.model.video import Video
from core.refinement.best_frame import Gap, gap, sharpened
from tests.core.conftest import remembered, turn
from tests.support.clips import Shape, plain, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.reply import Reply
    from core.model.video import Pixels
    from tests.core.conftest import ColourHouse

FPS, LENGTH_S, BRIGHTEST_S, REDDEST_S = 10, 18, 7.4, 13.6
VIDEO = Video("v", "", "A video", 20.0, 64, 48)


def flash() -> Iterator[Pixels]:
    """A blue light that swells and fades within three seconds, later on a red one."""
    for number in range(FPS * LENGTH_S):
        blue, red = (max(0.0, 1 - abs(number / FPS - at_s) / 1.5) for at_s in (BRIGHTEST_S, REDDEST_S))
        yield plain((64, 48), (round(20 + 220 * red**2), 20, round(20 + 220 * blue**2)))


def curve(*scores: float) -> Curve:
    return Curve(VIDEO, np.arange(len(scores), dtype=np.float64), np.array(scores, np.float32))


def moment(peak_s: float, score: float) -> Moment:
    return Moment("v", peak_s, peak_s + 1, peak_s, score)


@pytest_asyncio.fixture
async def seen(house: ColourHouse, tmp_path: Path) -> ColourHouse:
    path = write_video(tmp_path / "flash.mp4", flash(), Shape((64, 48), fps=FPS, gop=250))
    await house.last(FilePosted(turn(), path, path.name))
    return house


@pytest.mark.slow
async def test_given_a_flash_between_samples_when_refined_then_found_to_200_ms(seen: ColourHouse) -> None:
    first, better = [reply for reply in await seen.say(Find(turn(), "blue")) if reply.buttons]
    coarse, fine = (spec.numbered[0][1] for spec in seen.plotter.specs[::2])
    assert coarse.peak_s == pytest.approx(7.0, abs=0.05)
    assert fine.peak_s == pytest.approx(BRIGHTEST_S, abs=0.2)
    assert fine.score > coarse.score
    assert first.buttons[0].id == better.buttons[0].id
    assert (await remembered(seen, better)).moments[0] == fine


def two_flashes() -> Iterator[Pixels]:
    """A dim blue light just when there is a look, and a brighter one between two looks."""
    for number in range(FPS * LENGTH_S):
        dim = 0.6 * max(0.0, 1 - abs(number / FPS - 4) / 2)
        bright = max(0.0, 1 - abs(number / FPS - 10.4) / 0.9)
        yield plain((64, 48), (20, 20, round(20 + 220 * max(dim, bright) ** 2)))


@pytest.mark.slow
async def test_given_a_best_frame_far_from_the_peak_when_refined_then_found(house: ColourHouse, tmp_path: Path) -> None:
    path = write_video(tmp_path / "flashes.mp4", two_flashes(), Shape((64, 48), fps=FPS, gop=250))
    await house.last(FilePosted(turn(), path, path.name))
    _, last = [reply for reply in await house.say(Find(turn(), "blue")) if reply.buttons]
    coarse, fine = (spec.numbered for spec in house.plotter.specs[::2])
    assert coarse[0][1].peak_s == pytest.approx(4.0, abs=0.05)
    assert fine[0][1].peak_s == pytest.approx(10.4, abs=0.06)
    assert fine[1][1].start_s <= 4.0 < fine[1][1].end_s
    assert (await remembered(house, last)).moments[0] == fine[0][1]


@pytest.mark.slow
async def test_given_an_undrawn_better_frame_when_pressed_then_the_seen_counts(
    house: ColourHouse, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "flashes.mp4", two_flashes(), Shape((64, 48), fps=FPS, gop=250))
    await house.last(FilePosted(turn(), path, path.name))
    replies = house.conversation.handle(Find(turn(), "blue"))
    drawn = await anext(replies)
    better = await anext(replies)  # found and remembered; nobody sees it yet
    assert [one.label for one in drawn.buttons[:2]] == ["1 · 0:04", "2 · 0:10"]
    assert [one.label for one in better.buttons[:2]] == ["1 · 0:10", "2 · 0:04"]
    for label, seen, moved in (("1 ·", "0:04 in ", "0:10 in "), ("2 ·", "0:10 in ", "0:04 in ")):
        shown = await house.last(Action(turn(), pressed(drawn, label)))
        assert seen in shown.text
        assert [one.label for one in shown.buttons[:2]] == ["1 · 0:04", "2 · 0:10"]
        assert moved in (await house.last(Action(turn(), pressed(better, label)))).text
    assert "0:10 in " in (await house.last(Action(turn(), pressed(drawn, "Next")))).text


def pressed(reply: Reply, label: str) -> str:
    return next(button.id for button in reply.buttons if button.label.startswith(label))


@pytest.mark.slow
async def test_given_a_press_when_refining_ends_then_the_card_is_not_redrawn(seen: ColourHouse) -> None:
    replies = seen.conversation.handle(Find(turn(), "blue"))
    first = await anext(replies)
    await seen.last(Action(turn(), first.buttons[0].id))
    assert [reply async for reply in replies] == []
    assert (await remembered(seen, first)).moments[0].peak_s == pytest.approx(BRIGHTEST_S, abs=0.2)


@pytest.mark.slow
async def test_given_a_pair_when_refined_then_it_stays_in_order(seen: ColourHouse) -> None:
    first, better = [reply for reply in await seen.say(find(turn(), "blue > red")) if reply.buttons]
    fine = (await remembered(seen, better)).moments[0]
    assert fine.then is not None
    assert (fine.peak_s, fine.then.peak_s) == pytest.approx((BRIGHTEST_S, REDDEST_S), abs=0.2)
    assert first.text != better.text


@pytest.mark.slow
async def test_given_a_vote_when_ranked_then_the_peak_is_refined_anew(seen: ColourHouse) -> None:
    answered = await seen.last(Find(turn(), "blue"))
    up = next(button.id for button in answered.buttons if button.label.startswith("👍"))
    seen.plotter.specs.clear()
    voted, better = await seen.say(Action(turn(), up))
    coarse, fine = (spec.numbered[0][1] for spec in seen.plotter.specs[::2])
    assert voted.updates
    assert better.updates
    assert (coarse.peak_s, fine.peak_s) == pytest.approx((7.0, BRIGHTEST_S), abs=0.2)
    assert (await remembered(seen, better)).moments[0] == fine


@pytest.mark.slow
async def test_given_extra_frames_when_encoded_then_few_at_a_time(seen: ColourHouse) -> None:
    seen.encoder.batches.clear()
    await seen.last(Find(turn(), "blue"))
    assert sum(seen.encoder.batches) > 16
    assert max(seen.encoder.batches) <= 16


def test_given_a_pair_when_taken_apart_then_it_joins_as_it_was() -> None:
    pair = replace(moment(3.0, 0.25), then=moment(9.0, 0.3))
    first, then = ends(pair, moment(9.0, 0.3))
    assert (first.score, then.score) == pytest.approx((0.2, 0.3))
    assert paired(first, then).score == pytest.approx(0.25)


def test_given_a_peak_when_refined_then_frames_200_ms_apart() -> None:
    around = gap(curve(0.1, 0.3, 0.1), moment(1.0, 0.3), 100.0)
    assert around == Gap(0.0, 1.0, 2.0)
    assert around.times_s() == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6, 1.8])


def test_given_sparse_samples_when_refined_then_no_more_frames() -> None:
    times_s = Gap(0.0, 30.0, 60.0).times_s()
    assert len(times_s) <= 12
    assert times_s == sorted(set(times_s))


def test_given_a_still_scene_when_refined_then_nothing_is_decoded() -> None:
    assert gap(curve(0.3, 0.3, 0.3005, 0.3), moment(2.0, 0.3005), 100.0) is None


def test_given_a_sharpened_peak_when_refined_again_then_it_stays() -> None:
    assert gap(curve(0.1, 0.3, 0.1), moment(1.4, 0.35), 100.0) is None


def test_given_the_first_or_last_frame_when_refined_then_one_side_counts() -> None:
    assert gap(curve(0.3, 0.1, 0.1), moment(0.0, 0.3), 100.0) == Gap(0.0, 0.0, 1.0)
    assert gap(curve(0.1, 0.1, 0.3), moment(2.0, 0.3), 100.0) == Gap(1.0, 2.0, 20.0)


def test_given_another_file_when_refined_then_nothing_changes() -> None:
    other = Curve(VIDEO, np.array([0.8, 1.0, 1.2]), np.array([0.5, 0.1, 0.5], np.float32))
    assert sharpened(moment(1.0, 0.3), other, None) == moment(1.0, 0.3)


def test_given_a_peak_outside_when_refined_then_the_moment_grows() -> None:
    times_s = np.array([0.8, 1.0, 1.2])
    found = sharpened(moment(1.0, 0.3), Curve(VIDEO, times_s, np.array([0.5, 0.3, 0.4], np.float32)), None)
    assert (found.start_s, found.peak_s, found.end_s) == (0.8, 0.8, 2.0)


@pytest.mark.slow
async def test_given_a_waiting_question_when_refining_then_no_frame_is_begun(seen: ColourHouse) -> None:
    replies = seen.conversation.handle(Find(turn(), "blue"))
    await anext(replies)
    with seen.priority.asking():
        later = asyncio.ensure_future(anext(replies))
        done, _ = await asyncio.wait({later}, timeout=0.3)
        assert not done
    assert (await later).title == "“blue”"
