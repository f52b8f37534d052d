"""Where a verdict is in doubt, parts of the best frames are looked at, and the answer says what came of that."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.concurrency import ForegroundPriority
from core.model.events import Action, FilePosted, Find
from core.model.results import Curve, Moment, TextCurve
from core.model.video import EncoderInfo, Preprocess, Video
from core.refinement.close_up import FRAMINGS, KINDS, PARTS_WEIGH, is_doubtful, together
from core.search.verdict import CLOSER_STRONG_FROM, CLOSER_WEAK_FROM, STRONG_FROM, WEAK_FROM, judged_by, seen_closer
from tests.core.conftest import opened, turn
from tests.support.clips import Shape, plain, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.reply import Reply
    from core.model.video import Pixels
    from tests.core.conftest import ColourHouse

INFO = EncoderInfo("m", "w", 3, Preprocess(8, "squash", "bilinear", (0, 0, 0), (1, 1, 1)), "fp32", 20.0, 0.0, "cpu")
BEST = Moment("v", 1.0, 2.0, 1.0, 0.3)


def curve(surely: float) -> Curve:
    """Give a video whose best look is as sure as these odds say."""
    video = Video("v", "", "A video", 3.0, 64, 48)
    scores = np.array([0.1, 0.3, 0.2], np.float32)
    return Curve(video, np.arange(3.0), scores, judged_by(float(scores.max()), surely, 0.0, INFO))


def test_given_odds_when_neither_sure_nor_hopeless_then_in_doubt() -> None:
    sure, weak, absent, hopeless = (curve(odds) for odds in (STRONG_FROM + 0.1, WEAK_FROM + 0.1, WEAK_FROM - 0.1, -2.0))
    assert [is_doubtful(one, INFO) for one in (sure, weak, absent, hopeless)] == [False, True, True, False]
    assert not is_doubtful(replace(weak, baseline=None), INFO)
    assert not is_doubtful(replace(weak, lines=(TextCurve("a", weak.scores),)), INFO)


@pytest.mark.parametrize(
    ("odds", "verdict"),
    [(CLOSER_WEAK_FROM - 0.1, "absent"), (CLOSER_WEAK_FROM + 0.1, "weak"), (CLOSER_STRONG_FROM + 0.1, "strong")],
)
def test_given_a_close_up_when_judged_then_its_own_bars_decide(odds: float, verdict: str) -> None:
    for before in (WEAK_FROM - 1, WEAK_FROM + 1):
        seen = seen_closer(curve(before), [BEST, replace(BEST, closer=odds)], INFO)
        assert (seen.verdict, seen.verdict_of(BEST)) == (verdict, verdict)


def test_given_no_close_up_when_judged_then_the_curve_stays() -> None:
    known = curve(WEAK_FROM + 1)
    assert seen_closer(known, [BEST, replace(BEST, video_id="w", closer=-9.0)], INFO) is known


def test_given_crops_when_weighed_then_the_best_of_each_kind_counts() -> None:
    surely = np.zeros((3, len(FRAMINGS)), np.float32)
    assert together(surely) == 0
    surely[1, 0] = 1.0
    surely[1, 2] = 2.0
    assert together(surely) == pytest.approx((1.0 + PARTS_WEIGH * 2.0 / len(KINDS)) / (1 + PARTS_WEIGH))
    surely[1, 3] = 1.9
    surely[0, 1] = 1.0
    assert together(surely) == pytest.approx((1.0 + PARTS_WEIGH * 2.0 / len(KINDS)) / (1 + PARTS_WEIGH))


def speck() -> Iterator[Pixels]:
    """Three seconds of grey with something red on the left, then black."""
    for second in range(8):
        picture = plain((64, 48), (90, 90, 90) if second < 3 else (10, 10, 10))
        if second < 3:
            picture[20:40, 4:20] = (230, 20, 20)
        yield picture


@pytest.mark.slow
async def test_given_a_small_thing_when_seen_in_a_crop_then_it_is_found(house: ColourHouse, tmp_path: Path) -> None:
    path = write_video(tmp_path / "speck.mp4", speck(), Shape((64, 48), fps=1, gop=1))
    await house.last(FilePosted(turn(), path, path.name))
    first, better = [reply for reply in await house.say(Find(turn(), "red")) if reply.buttons]
    assert (first.title, first.provisional) == ("“red”: checking…", True)
    assert first.level == "checking"
    assert not better.provisional
    assert (better.title, better.level) == ("“red”", "strong")
    again = await house.last(Action(turn(), press(better, "Whole video")))
    assert again.title == "“red”"


@pytest.mark.slow
async def test_given_a_press_during_a_check_when_it_ends_then_the_press_says_it(
    house: ColourHouse, tmp_path: Path
) -> None:
    path = write_video(tmp_path / "speck.mp4", speck(), Shape((64, 48), fps=1, gop=1))
    await house.last(FilePosted(turn(), path, path.name))
    replies = house.conversation.handle(Find(turn(), "red"))
    first = await anext(replies)
    pressed = asyncio.ensure_future(house.say(Action(turn(), press(first, "Whole video"))))
    await asyncio.sleep(0)  # the press has come; the check has not begun
    assert [one async for one in replies] == []  # somebody browses: their card is not drawn over
    shown = [(one.title, one.provisional) for one in await pressed]
    assert shown == [("“red”: checking…", True), ("“red”", False)]


@pytest.mark.slow
async def test_given_no_pauses_when_in_doubt_then_it_is_checked_all_the_same(
    tmp_path: Path,
) -> None:
    path = write_video(tmp_path / "speck.mp4", speck(), Shape((64, 48), fps=1, gop=1))
    restless = ForegroundPriority(3600.0, time.monotonic, 0.01)
    async with opened(tmp_path, restless) as house:
        await house.last(FilePosted(turn(), path, path.name))
        first, better = [reply for reply in await house.say(Find(turn(), "red")) if reply.buttons]
    assert (first.title, better.title) == ("“red”: checking…", "“red”")


@pytest.mark.slow
async def test_given_no_file_when_in_doubt_then_no_close_up_is_taken(house: ColourHouse, tmp_path: Path) -> None:
    path = write_video(tmp_path / "speck.mp4", speck(), Shape((64, 48), fps=1, gop=1))
    await house.last(FilePosted(turn(), path, path.name))
    (posted,) = await house.library.videos(turn().view)
    await house.media.forget(posted.video.id)
    (reply,) = [reply for reply in await house.say(Find(turn(), "red")) if reply.buttons]
    assert reply.title == "“red”: probably not in this video"


def press(reply: Reply, label: str) -> str:
    return next(button.id for button in reply.buttons if button.label == label)
