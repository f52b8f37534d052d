"""Who waits for an answer goes first, before videos and extra frames, but not for ever."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from core.concurrency import ForegroundPriority

LONG_S, SHORT_S = 3600.0, 0.01
AT_ONCE_S = 30.0
"""Far from the longest wait, and more than a busy machine takes."""


@dataclass
class Clock:
    """A clock that goes when told to."""

    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def priority() -> ForegroundPriority:
    return ForegroundPriority(0.0, time.monotonic)


async def test_given_no_question_when_a_video_begins_then_it_begins_at_once() -> None:
    await asyncio.wait_for(priority().after_you(LONG_S), AT_ONCE_S)


async def test_given_questions_when_a_video_begins_then_it_waits_for_all() -> None:
    ours = priority()
    with ours.asking():
        video = asyncio.create_task(ours.after_you(LONG_S))
        await asyncio.sleep(0)
        with ours.asking():
            pass
    with ours.asking():  # before the video has noticed
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not video.done()
    await asyncio.wait_for(video, AT_ONCE_S)


async def test_given_endless_questions_when_a_video_waits_then_not_for_ever() -> None:
    ours = priority()
    with ours.asking():
        await asyncio.wait_for(ours.after_you(SHORT_S), AT_ONCE_S)


async def test_given_a_computing_thread_when_all_are_answered_then_it_goes_on() -> None:
    ours = priority()
    with ours.asking(), ours.asking():
        thread = asyncio.create_task(asyncio.to_thread(ours.leave(LONG_S)))
        await asyncio.to_thread(ours.leave(SHORT_S))  # one whose patience ends goes on by itself
        assert not thread.done()
    await asyncio.wait_for(thread, AT_ONCE_S)


def test_given_questions_when_work_is_timed_then_its_clock_stands_still() -> None:
    clock = Clock()
    ours = ForegroundPriority(0.0, clock)
    began_s = ours.quiet_s()
    clock.now_s += 1
    with ours.asking():
        clock.now_s += 10
        with ours.asking():
            clock.now_s += 100
        assert ours.quiet_s() - began_s == 1
    clock.now_s += 2
    assert ours.quiet_s() - began_s == 3
