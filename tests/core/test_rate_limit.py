"""Nobody can flood a channel, and nobody is slowed down in their own chat."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from core.errors import TooFast
from core.rate_limit import RateLimit
from tests.core.conftest import turn


@dataclass
class Clock:
    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


SHARED = replace(turn(), door=replace(turn().door, shared=True))


def test_given_two_starts_when_a_third_comes_then_it_waits_out_the_minute() -> None:
    clock = Clock()
    cooldown = RateLimit(2, clock)
    cooldown.start(SHARED)
    clock.now_s += 20
    cooldown.start(SHARED)
    with pytest.raises(TooFast) as caught:
        cooldown.start(SHARED)
    assert caught.value.wait_s == pytest.approx(40)
    clock.now_s += 41
    cooldown.start(SHARED)


def test_given_one_persons_haste_when_others_start_then_they_may() -> None:
    cooldown = RateLimit(1, Clock())
    cooldown.start(SHARED)
    cooldown.start(replace(SHARED, user_id="somebody else"))


def test_given_the_local_chat_when_starting_often_then_no_limit_holds() -> None:
    cooldown = RateLimit(1, Clock())
    for _ in range(50):
        cooldown.start(turn())


def test_given_presses_that_post_when_six_in_a_minute_then_the_sixth_waits() -> None:
    clock = Clock()
    cooldown = RateLimit(20, clock)
    for _ in range(5):
        cooldown.press(SHARED)
    with pytest.raises(TooFast):
        cooldown.press(SHARED)
    cooldown.start(SHARED)  # what else somebody asks for goes on
    clock.now_s += 61
    cooldown.press(SHARED)


def test_given_presses_that_post_when_counted_then_they_are_starts_too() -> None:
    cooldown = RateLimit(3, Clock())
    for _ in range(3):
        cooldown.press(SHARED)
    with pytest.raises(TooFast):
        cooldown.start(SHARED)


def test_given_too_many_starts_when_told_then_once_a_minute() -> None:
    clock = Clock()
    cooldown = RateLimit(1, clock)
    assert [cooldown.is_told(SHARED) for _ in range(3)] == [False, True, True]
    assert not cooldown.is_told(replace(SHARED, user_id="somebody else"))
    clock.now_s += 61
    assert not cooldown.is_told(SHARED)
