"""Where videos stand in the queue is said in one message of a channel, and the others need no change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doors.desk import WaitingLines
from core.model.reply import Progress, Reply
from core.wording.replies import working

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def stages(*progress: Progress | None) -> AsyncIterator[Reply]:
    """Say how far a video is; None for its answer."""
    for one in progress:
        yield working(one) if one else Reply("Ready")


def waits(ahead: int) -> Progress:
    """Give the stage of a video that so many are before."""
    return Progress("waiting", None, ahead=ahead)


async def test_given_many_waiting_videos_when_the_queue_moves_then_one_changes() -> None:
    lines = WaitingLines()
    first = lines.told(stages(waits(3), waits(2), Progress("fetching", 0.5), None), "general")
    second = lines.told(stages(waits(4), waits(3), waits(2), None), "general")
    assert "3 videos before yours" in (await anext(first)).text
    alike = [await anext(second), await anext(second)]
    assert [one.text for one in alike] == ["Waiting for my turn…"] * 2
    assert alike[0].progress == alike[1].progress
    told = await anext(first)
    assert "2 videos before yours" in told.text
    assert "1 more of this channel waits after it" in told.text
    assert "50%" in (await anext(first)).text
    assert "2 videos before yours" in (await anext(second)).text, "it has waited longest by now"
    assert (await anext(second)).text == "Ready"


async def test_given_videos_waiting_in_two_places_then_each_has_its_own_number() -> None:
    lines = WaitingLines()
    here, there = lines.told(stages(waits(1)), "here"), lines.told(stages(waits(2)), "there")
    assert "1 video before yours" in (await anext(here)).text
    assert "2 videos before yours" in (await anext(there)).text


async def test_given_a_cancelled_video_when_the_queue_moves_then_the_next_tells() -> None:
    lines = WaitingLines()
    first, second = lines.told(stages(waits(1), waits(1)), "general"), lines.told(stages(waits(2), waits(1)), "general")
    await anext(first)
    await anext(second)
    await first.aclose()  # type: ignore[attr-defined]
    assert "1 video before yours" in (await anext(second)).text
