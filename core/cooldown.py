"""How often one person may start something. Owns that count, in memory; must not know what is started."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from core.errors import TooFast

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.talk import Turn

_WINDOW_S = 60.0
_SWEEP_AT = 1000


class Cooldown:
    """Counts what each person started within the last minute."""

    def __init__(self, most_a_minute: int, clock_s: Callable[[], float]) -> None:
        """Take 0 for no limit."""
        self._most = most_a_minute
        self._clock_s = clock_s
        self._starts: dict[tuple[str, str, str], deque[float]] = {}

    def start(self, turn: Turn) -> None:
        """Count one start where several people talk; raises TooFast with the seconds to wait after one too many."""
        if not self._most or turn.late or not turn.door.shared:
            return
        now_s = self._clock_s()
        starts = self._recent((turn.scope.platform, turn.scope.space, turn.user_id), now_s)
        if len(starts) >= self._most:
            raise TooFast(starts[0] + _WINDOW_S - now_s)
        starts.append(now_s)

    def _recent(self, who: tuple[str, str, str], now_s: float) -> deque[float]:
        if len(self._starts) > _SWEEP_AT:
            self._starts = {one: starts for one, starts in self._starts.items() if starts[-1] > now_s - _WINDOW_S}
        starts = self._starts.setdefault(who, deque())
        while starts and starts[0] <= now_s - _WINDOW_S:
            starts.popleft()
        return starts
