"""A folder that a stranger's code filled in odd ways goes whole, and nothing beside it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.engines.sandbox import namespaces
from storage.workshops import remove

if TYPE_CHECKING:
    from pathlib import Path

LONG = "d" * 200


@pytest.mark.parametrize("depth", [3, 40, 3000])
def test_given_folders_in_folders_when_removed_then_none_is_left(tmp_path: Path, depth: int) -> None:
    folder = tmp_path / "job"
    folder.mkdir()
    place = os.open(folder, os.O_RDONLY)
    for _ in range(depth):
        os.close(os.open("file", os.O_CREAT | os.O_WRONLY, dir_fd=place))
        os.mkdir(LONG, dir_fd=place)
        inner = os.open(LONG, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_given_folders_without_access_when_removed_then_none_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "job"
    (folder / "shut" / "below").mkdir(parents=True)
    (folder / "shut" / "below" / "file").touch()
    (folder / "shut" / "below").chmod(0)
    (folder / "shut").chmod(0)
    folder.chmod(0)
    with namespaces.without_capabilities():
        remove(folder)
    assert list(tmp_path.iterdir()) == []


def test_given_links_to_elsewhere_when_removed_then_their_targets_stay(tmp_path: Path) -> None:
    folder, other = tmp_path / "job", tmp_path / "other"
    folder.mkdir()
    other.mkdir(mode=0o500)
    (folder / "link").symlink_to(other)
    (folder / "within").mkdir()
    (folder / "within" / "link").symlink_to(other)
    remove(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    assert other.stat().st_mode & 0o777 == 0o500
