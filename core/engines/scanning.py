"""Threads that compare looks with vectors, each on its own: none waits for another more often than once a block.

torch's own threads meet after every few thousand rows, and spin while they wait: on a machine that also indexes films a
scan then takes ten times as long. Owns how rows are shared out; core/engines/quick.py owns the arithmetic.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import torch

from core.engines.quick import products

if TYPE_CHECKING:
    from core.looks import Halves
    from core.model import Floats

_WORTH_SHARING_ROWS = 1 << 14
"""Two milliseconds of one thread."""


class Scanners:
    """Implements core.engines.held.Kernel."""

    def __init__(self, threads: int) -> None:
        """Start the threads; nothing else may begin to use torch meanwhile, for its default passes to new threads."""
        self._pool = ThreadPoolExecutor(threads, "scan", _work_alone)
        self._threads = threads
        usual = torch.get_num_threads()
        all_there = threading.Barrier(threads)
        list(self._pool.map(lambda _number: all_there.wait(), range(threads)))
        restoring = threading.Thread(target=torch.set_num_threads, args=(usual,))
        restoring.start()
        restoring.join()

    def __call__(self, rows: Halves, vectors: Floats) -> Floats:
        """Give (Q, n) float32 dot products of (n, D) rows with (Q, D) vectors, for lengths of 1 within ERROR."""
        parts = np.array_split(rows, self._threads) if len(rows) > _WORTH_SHARING_ROWS else [rows]
        return np.concatenate(list(self._pool.map(lambda part: products(part, vectors), parts)), axis=1)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _work_alone() -> None:
    """Let torch start no threads for this one. It takes the usual number where it is asked for the first time."""
    torch.get_num_threads()
    torch.set_num_threads(1)
