"""How much one person may start, and have waiting. Owns these counts, in memory; must not know what is started."""

from __future__ import annotations

from collections import Counter, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

from core.errors.turns import QueueFull, TooFast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.talk import Turn

_WINDOW_S = 60.0
_SWEEP_AT = 1000

Person: TypeAlias = tuple[str, str, str]
"""Platform, space and id."""


class Cooldown:
    """Counts what each person started within the last minute, and the films of theirs that are not done yet."""

    def __init__(self, most_a_minute: int, clock_s: Callable[[], float], most_films: int = 0) -> None:
        """Take 0 for no limit."""
        self._most = most_a_minute
        self._most_films = most_films
        self._films: Counter[Person] = Counter()
        self._clock_s = clock_s
        self._starts: dict[Person, deque[float]] = {}

    def start(self, turn: Turn) -> None:
        """Count one start where several people talk; raises TooFast with the seconds to wait after one too many."""
        if not self._most or turn.late or not turn.door.shared:
            return
        now_s = self._clock_s()
        starts = self._recent(_person(turn), now_s)
        if len(starts) >= self._most:
            raise TooFast(starts[0] + _WINDOW_S - now_s)
        starts.append(now_s)

    @contextmanager
    def place(self, turn: Turn) -> Iterator[None]:
        """Hold one place in the queue of films where several people talk; raises QueueFull for one too many."""
        who = _person(turn)
        if self._most_films and turn.door.shared and not turn.late and self._films[who] >= self._most_films:
            raise QueueFull(self._most_films)
        self._films[who] += 1
        try:
            yield
        finally:
            self._films[who] -= 1
            self._films += Counter()  # drops those who have none left

    def _recent(self, who: Person, now_s: float) -> deque[float]:
        if len(self._starts) > _SWEEP_AT:
            self._starts = {one: starts for one, starts in self._starts.items() if starts[-1] > now_s - _WINDOW_S}
        starts = self._starts.setdefault(who, deque())
        while starts and starts[0] <= now_s - _WINDOW_S:
            starts.popleft()
        return starts


def _person(turn: Turn) -> Person:
    return turn.scope.platform, turn.scope.space, turn.user_id
