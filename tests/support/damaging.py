"""Damages a database file as disks do: whole pages of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.video import IndexedVideo

PAGE_BYTES = 4096


def damage(path: Path, page: int, seed: int = 7) -> None:
    """Write noise over a page; they are counted from 1."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES)
        file.write(np.random.default_rng(seed).bytes(PAGE_BYTES))


def page_with(path: Path, content: bytes) -> int:
    at = path.read_bytes().index(content)
    return at // PAGE_BYTES + 1


def pages(path: Path) -> Iterator[int]:
    """All of them."""
    return iter(range(1, len(path.read_bytes()) // PAGE_BYTES + 1))


def vectors_of(video: IndexedVideo) -> bytes:
    return video.index.vectors[:300].astype("<f2").tobytes()


def pages_of_the_list(path: Path) -> list[int]:
    """Give the pages that tell which tables there are."""
    content = path.read_bytes()
    return [
        number
        for number in range(1, len(content) // PAGE_BYTES + 1)
        if number == 1 or b"CREATE T" in content[(number - 1) * PAGE_BYTES : number * PAGE_BYTES]
    ]
