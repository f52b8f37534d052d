"""A library that is opened and closed at once leaves nothing behind, and has nothing to complain of."""

from __future__ import annotations

import fcntl
import logging
import threading
from typing import TYPE_CHECKING

from storage.data_folder import alone
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_a_new_library_that_is_closed_at_once_leaves_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        library = await SqliteLibrary.open(tmp_path / "keaton.sqlite3")
        await library.close()
    assert caplog.messages == []
    assert not (tmp_path / "keaton.sqlite3-wal").exists()


def test_a_folder_is_taken_over_once_a_killed_bots_child_lets_go(
    tmp_path: Path,
) -> None:
    with (tmp_path / "running.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        let_go = threading.Event()

        def let_it_go() -> None:
            let_go.set()
            fcntl.flock(held, fcntl.LOCK_UN)

        ends = threading.Timer(0.2, let_it_go)
        ends.start()
        with alone(tmp_path):
            assert let_go.is_set()
        ends.join()
