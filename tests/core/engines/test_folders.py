"""A folder that a taken-over fetch fills in odd ways is measured, or the fetch is stopped."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from core.engines.download import fetcher
from core.engines.sandbox import namespaces

if TYPE_CHECKING:
    from pathlib import Path

LONG = "d" * 200
BYTES = 1 << 20


def nest(folder: Path, depth: int) -> None:
    """Make folders in folders, and one file at the bottom."""
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(LONG, dir_fd=place)
        inner = os.open(LONG, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    file = os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=place)
    os.write(file, b"x" * BYTES)
    os.close(file)
    os.close(place)


def test_given_paths_longer_than_may_be_when_measured_then_files_count(tmp_path: Path) -> None:
    nest(tmp_path, 40)
    assert BYTES <= fetcher.taken_bytes(tmp_path) < 2 * BYTES


def test_given_folders_that_come_and_go_when_measured_then_none_raises(tmp_path: Path) -> None:
    (tmp_path / "video").write_bytes(b"x" * BYTES)
    over = threading.Event()

    def churn() -> None:
        while not over.is_set():
            for number in range(20):
                (tmp_path / f"a{number}" / "b" / "c").mkdir(parents=True, exist_ok=True)
            for number in range(20):
                shutil.rmtree(tmp_path / f"a{number}", ignore_errors=True)

    churning = threading.Thread(target=churn)
    churning.start()
    try:
        assert min(fetcher.taken_bytes(tmp_path) for _ in range(300)) >= BYTES
    finally:
        over.set()
        churning.join()


def test_given_a_folder_that_may_not_be_read_when_measured_then_it_raises(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir(mode=0)
    with namespaces.without_capabilities(), pytest.raises(PermissionError):
        fetcher.taken_bytes(tmp_path)


@pytest.mark.parametrize("depth", [1, 100])
async def test_given_too_much_or_too_deep_when_watched_then_it_is_stopped(tmp_path: Path, depth: int) -> None:
    stopped = asyncio.Event()
    async with fetcher.watched(tmp_path, BYTES // 2, stopped.set) as filling, asyncio.timeout(60):
        nest(tmp_path, depth)
        await stopped.wait()
    assert (filling.found_bytes >= BYTES) == (depth == 1)
    assert bool(filling.unmeasured) == (depth == 100)
