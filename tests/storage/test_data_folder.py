"""Nobody but the user that Keaton runs as reads the data folder, also one that an earlier version made."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from storage.data_folder import tighten

if TYPE_CHECKING:
    from pathlib import Path

FILES = (
    "keaton.sqlite3",
    "keaton.sqlite3-wal",
    "media/a.mp4",
    "media/.work/x/part",
    "backups/0001-a.sqlite3",
    "kept/b",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder as earlier versions made it."""
    folder = tmp_path / "keaton"
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"video")
        path.chmod(0o644)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
    return folder


def modes(folder: Path) -> set[int]:
    return {path.lstat().st_mode & 0o777 for path in folder.rglob("*")}


def test_an_existing_folder_is_closed_with_all_that_is_in_it(folder: Path) -> None:
    assert tighten(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert modes(folder) == {0o700, 0o600}


def test_a_folder_that_holds_other_things_keeps_its_mode_and_they_theirs(folder: Path) -> None:
    (folder / "letters").mkdir(mode=0o755)
    (folder / "letters" / "letter.txt").write_text("dear")
    (folder / "letters" / "letter.txt").chmod(0o644)
    assert tighten(folder)
    assert folder.stat().st_mode & 0o777 == 0o755
    assert (folder / "letters" / "letter.txt").stat().st_mode & 0o777 == 0o644
    assert (folder / "media").stat().st_mode & 0o777 == 0o700
    assert (folder / "keaton.sqlite3").stat().st_mode & 0o777 == 0o600


def test_what_lies_elsewhere_too_is_left_alone(folder: Path, tmp_path: Path) -> None:
    video = tmp_path / "own.mp4"
    video.write_bytes(b"video")
    video.chmod(0o644)
    (folder / "media" / "linked.mp4").hardlink_to(video)
    (folder / "media" / "pointed.mp4").symlink_to(video)
    (folder / "page-elsewhere").symlink_to(tmp_path)
    before = tmp_path.stat().st_mode
    tighten(folder)
    assert video.stat().st_mode & 0o777 == 0o644
    assert tmp_path.stat().st_mode == before


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder to another user")
def test_a_folder_of_another_user_is_told_to_be_open(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345)
    assert not tighten(folder)
