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


def test_the_third_start_in_a_minute_waits_until_the_first_is_a_minute_old() -> None:
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


def test_one_persons_haste_slows_nobody_else() -> None:
    cooldown = RateLimit(1, Clock())
    cooldown.start(SHARED)
    cooldown.start(replace(SHARED, user_id="somebody else"))


def test_the_local_chat_has_no_cooldown() -> None:
    cooldown = RateLimit(1, Clock())
    for _ in range(50):
        cooldown.start(turn())


def test_of_messages_for_all_that_presses_post_there_are_five_a_minute() -> None:
    clock = Clock()
    cooldown = RateLimit(20, clock)
    for _ in range(5):
        cooldown.press(SHARED)
    with pytest.raises(TooFast):
        cooldown.press(SHARED)
    cooldown.start(SHARED)  # what else somebody asks for goes on
    clock.now_s += 61
    cooldown.press(SHARED)


def test_presses_count_among_all_that_somebody_starts() -> None:
    cooldown = RateLimit(3, Clock())
    for _ in range(3):
        cooldown.press(SHARED)
    with pytest.raises(TooFast):
        cooldown.start(SHARED)


def test_who_does_too_much_is_told_once_a_minute() -> None:
    clock = Clock()
    cooldown = RateLimit(1, clock)
    assert [cooldown.is_told(SHARED) for _ in range(3)] == [False, True, True]
    assert not cooldown.is_told(replace(SHARED, user_id="somebody else"))
    clock.now_s += 61
    assert not cooldown.is_told(SHARED)
