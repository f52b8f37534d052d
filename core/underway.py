"""The tasks that carry out requests in this process, and how one is broken off. Owns that alone; knows no ledger."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.errors import AppError


class Underway:
    """Knows the task of each request that is being carried out here."""

    def __init__(self) -> None:
        self._tasks: dict[int, asyncio.Task[object]] = {}
        self._reasons: dict[int, AppError] = {}

    @property
    def ids(self) -> tuple[int, ...]:
        """Give the ids of these requests."""
        return tuple(self._tasks)

    @contextmanager
    def carrying(self, job_id: int) -> Iterator[None]:
        """Say that the current task carries out a request; raises the reason where that is broken off."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("jobs are carried out by tasks")
        self._tasks[job_id] = task
        try:
            yield
        except asyncio.CancelledError:
            if job_id not in self._reasons:
                raise
        finally:
            if self._tasks.get(job_id) is task:
                del self._tasks[job_id]
        # Also where the work ended well, or swallowed that it was cancelled.
        if job_id in self._reasons:
            task.uncancel()
            raise self._reasons.pop(job_id)

    async def break_off(self, job_id: int, reason: AppError) -> bool:
        """Let the task of a request end with this reason, and wait until it has; tell whether there is one."""
        task = self._tasks.get(job_id)
        if task is None:
            return False
        if job_id not in self._reasons:
            self._reasons[job_id] = reason
            task.cancel()
        await asyncio.wait({task})
        self._reasons.pop(job_id, None)
        return True
