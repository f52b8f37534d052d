"""How often, and after how long, what failed is tried again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors.disk import StorageUnusable
from core.errors.films import DecoderDied
from core.errors.links import FetchFailed

if TYPE_CHECKING:
    from core.errors import AppError

LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Decides how often, and after how long, something is tried again."""

    retries: int = 4
    first_wait_s: float = 15.0
    factor: float = 4.0

    def wait_s(self, error: AppError, failures: int) -> float | None:
        """Give the seconds to wait after that many failures, of which this is the last; None to give up."""
        match error:
            case DecoderDied():
                most = min(1, self.retries)  # a film that kills its decoder twice would do it a third time
            case FetchFailed() | StorageUnusable():
                most = self.retries
            case _:
                most = 0
        return min(LONGEST_S, self.first_wait_s * self.factor ** (failures - 1)) if failures <= most else None
