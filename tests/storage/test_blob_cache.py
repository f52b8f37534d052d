"""Cached blobs are small files that come back whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import StorageUnusable
from storage.data_folder import FolderBlobCache

if TYPE_CHECKING:
    from pathlib import Path


async def test_what_was_kept_comes_back_also_in_another_process(tmp_path: Path) -> None:
    await FolderBlobCache(tmp_path / "kept").put("bank", b"one")
    await FolderBlobCache(tmp_path / "kept").put("bank", b"two")
    assert await FolderBlobCache(tmp_path / "kept").get("bank") == b"two"
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["bank"]


async def test_what_was_never_kept_is_none(tmp_path: Path) -> None:
    assert await FolderBlobCache(tmp_path / "kept").get("bank") is None


async def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file stands here")
    with pytest.raises(StorageUnusable, match="kept"):
        await FolderBlobCache(tmp_path / "kept").put("bank", b"one")
