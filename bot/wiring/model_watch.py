"""How far the model is: told by the thread that loads it, followed by the page, the log and the command line."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ModelStage: TypeAlias = Literal["unloaded", "fetching", "loading", "ready", "trial"]
"""`trial`: the demo model stands in, for the weights could not be had."""
_LOOKED_AT_EACH_S = 0.3


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """How far the model is."""

    stage: ModelStage
    done_bytes: int = 0
    total_bytes: int = 0
    reason: str = ""
    """Why the weights could not be had."""

    @property
    def share(self) -> float | None:
        """Return how much of a download is here, from 0 to 1; None where none goes on."""
        return self.done_bytes / self.total_bytes if self.stage == "fetching" and self.total_bytes else None


class ModelWatch:
    """Holds the newest status. Any thread may tell one."""

    def __init__(self) -> None:
        self.status = ModelStatus("unloaded")

    def tell(self, status: ModelStatus) -> None:
        """Take a new status."""
        self.status = status

    def fetching(self, done_bytes: int, total_bytes: int) -> None:
        """Take how many bytes of the weights are here, and of how many."""
        self.status = ModelStatus("fetching", done_bytes, total_bytes)

    async def changes(self) -> AsyncIterator[ModelStatus]:
        """Yield the status, and each other one until the model is loaded."""
        shown: ModelStatus | None = None
        while shown is None or shown.stage not in {"ready", "trial"}:
            if self.status != shown:
                shown = self.status
                yield shown
            else:
                await asyncio.sleep(_LOOKED_AT_EACH_S)
