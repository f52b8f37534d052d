"""Tells glibc to return freed memory to the system. Does nothing elsewhere."""

from __future__ import annotations

import ctypes
import sys

_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 4 << 20


def give_memory_back() -> None:
    """Let glibc return large blocks at once, and share two heaps among all threads; elsewhere nothing happens.

    Left alone it keeps what each thread's forward pass once needed: some 300 MB after a long video.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_ARENA_MAX, 2)


def trim() -> None:
    """Return what was freed by now: 50 MB once a model is loaded, and as much after a million looks were read."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
