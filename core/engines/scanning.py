"""Threads of their own for the scan behind each search: none waits for another before all is done.

Those of a library for arithmetic meet after every few thousand rows, and spin while they wait: on a machine that also
indexes films a scan then takes ten times as long. Owns the threads; must not know what they do.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Item = TypeVar("Item")
Given = TypeVar("Given")


class Scanners:
    """Implements core.engines.bounding.Share."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, "scan")

    def __call__(self, work: Callable[[Item], Given], items: Iterable[Item]) -> list[Given]:
        """Give what the work gives for each item, in order."""
        return list(self._pool.map(work, items))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
