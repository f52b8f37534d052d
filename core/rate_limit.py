"""How much one person may start within a minute, and have waiting. Counted in memory."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from core.errors import QueueFull, TooFast
from core.limits import PRESSED_A_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.model.events import Turn

_WINDOW_S = 60.0
_SWEEP_AT = 1000
Person: TypeAlias = tuple[str, str, str]
"""Platform, space and id."""


class RateLimit:
    """Counts what each person started within the last minute, and the videos of theirs that are not done yet.

    Who does too much is told once a minute where all would read it (`is_told`).
    """

    def __init__(self, most_a_minute: int, clock_s: Callable[[], float], most_videos: int = 0) -> None:
        """Take 0 for no limit."""
        self._most = most_a_minute
        self._most_videos = most_videos
        self._videos: Counter[Person] = Counter()
        self._clock_s = clock_s
        self._starts: dict[Person, deque[float]] = {}
        self._pressed: dict[Person, deque[float]] = {}
        self._told: dict[Person, float] = {}

    def start(self, turn: Turn) -> None:
        """Count one start where several people talk; raises TooFast with the seconds to wait after one too many."""
        if self._most and not turn.late and turn.door.shared:
            self._count(self._starts, turn, self._most)

    def press(self, turn: Turn) -> None:
        """Count a press that posts a message for all, as a start and among such presses; raises TooFast as `start`."""
        if self._most and not turn.late and turn.door.shared:
            self._count(self._pressed, turn, min(self._most, PRESSED_A_MINUTE))
        self.start(turn)

    def is_told(self, turn: Turn) -> bool:
        """Tell whether a person was told within the last minute that they do too much; from now on they are."""
        now_s, who = self._clock_s(), _person(turn)
        if len(self._told) > _SWEEP_AT:
            self._told = {one: told_s for one, told_s in self._told.items() if told_s > now_s - _WINDOW_S}
        if self._told.get(who, now_s - _WINDOW_S) > now_s - _WINDOW_S:
            return True
        self._told[who] = now_s
        return False

    def _count(self, counts: dict[Person, deque[float]], turn: Turn, most: int) -> None:
        now_s = self._clock_s()
        starts = _recent(counts, _person(turn), now_s)
        if len(starts) >= most:
            raise TooFast(starts[0] + _WINDOW_S - now_s)
        starts.append(now_s)

    @contextmanager
    def place(self, turn: Turn) -> Iterator[None]:
        """Hold one place in the queue of videos where several people talk; raises QueueFull for one too many."""
        who = _person(turn)
        if self._most_videos and turn.door.shared and not turn.late and self._videos[who] >= self._most_videos:
            raise QueueFull(self._most_videos)
        self._videos[who] += 1
        try:
            yield
        finally:
            self._videos[who] -= 1
            self._videos += Counter()  # drops those who have none left


def _recent(counts: dict[Person, deque[float]], who: Person, now_s: float) -> deque[float]:
    if len(counts) > _SWEEP_AT:
        for one in [one for one, starts in counts.items() if not starts or starts[-1] <= now_s - _WINDOW_S]:
            del counts[one]
    starts = counts.setdefault(who, deque())
    while starts and starts[0] <= now_s - _WINDOW_S:
        starts.popleft()
    return starts


def _person(turn: Turn) -> Person:
    return turn.scope.platform, turn.scope.space, turn.user_id
