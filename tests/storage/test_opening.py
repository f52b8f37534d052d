"""A library that is opened and closed at once leaves nothing behind, and has nothing to complain of."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def test_opening_a_new_library_and_closing_it_at_once_logs_nothing_and_leaves_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        library = await SqliteLibrary.open(tmp_path / "keaton.sqlite3")
        await library.close()
    assert caplog.messages == []
    assert not (tmp_path / "keaton.sqlite3-wal").exists()
