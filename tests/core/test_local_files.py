"""Files of this machine that somebody names: what is none, or too large, gets a sentence at once."""

from __future__ import annotations

import os
import socket
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from core.errors import FileMissing, FileUnreadable, NotAFile, OverLimit
from core.indexing.local_files import check, file_id, read
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.errors import UserError

LIMIT_BYTES = 1000


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder with one thing of each kind."""
    (tmp_path / "film.mp4").write_bytes(bytes(LIMIT_BYTES))
    (tmp_path / "large.mp4").write_bytes(bytes(LIMIT_BYTES + 1))
    (tmp_path / "nothing.mp4").touch()
    (tmp_path / "folder.mp4").mkdir()
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "circle.mp4").symlink_to(tmp_path / "circle.mp4")
    (tmp_path / "to_pipe.mp4").symlink_to(tmp_path / "pipe.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    (tmp_path / "linked.mp4").symlink_to(tmp_path / "film.mp4")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.mp4"))
        yield tmp_path


@pytest.mark.parametrize("act", [check, file_id, read])
@pytest.mark.parametrize(
    ("file", "error", "said"),
    [
        ("folder.mp4", NotAFile, "my video is a folder, not a file. Name the files in it."),
        ("pipe.mp4", NotAFile, "my video is a pipe, not a file."),
        ("to_pipe.mp4", NotAFile, "my video is a pipe, not a file."),
        ("s.mp4", NotAFile, "my video is a socket, not a file."),
        ("device.mp4", NotAFile, "my video is a device, not a file."),
        ("nothing.mp4", NotAFile, "my video is empty."),
        ("large.mp4", OverLimit, "my video is too large; I take up to 0.001 MB."),
        ("missing.mp4", FileMissing, "There is no file my video."),
        ("film.mp4/film.mp4", FileUnreadable, "I may not read my video (Not a directory)."),
        ("a\0b.mp4", FileUnreadable, "I may not read my video (no such name is possible)."),
        ("circle.mp4", FileUnreadable, "I may not read my video (Too many levels of symbolic links)."),
        ("x" * 300, FileUnreadable, "I may not read my video (File name too long)."),
    ],
)
@pytest.mark.timeout(60)
def test_given_no_plain_file_when_opened_then_told_by_its_given_name(
    place: Path, act: Callable[[Path, str, int], object], file: str, error: type[UserError], said: str
) -> None:
    with pytest.raises(error) as raised:
        act(place / file, "my video", LIMIT_BYTES)
    assert sentence(raised.value).replace("my video has 0.001 MB", "my video is too large") == said


@pytest.mark.skipif(sys.platform != "linux", reason="Linux has these files")
@pytest.mark.parametrize(
    "file", ["/proc/kmsg", "/proc/self/mem", "/proc/kcore", "/dev/kmsg", "/dev/stdin", "/dev/random"]
)
@pytest.mark.timeout(60)
def test_given_a_file_of_the_system_when_opened_then_a_sentence_at_once(file: str) -> None:
    from pathlib import Path  # noqa: PLC0415

    path = Path(file)
    if file == "/dev/stdin":
        path = Path("/proc/self/fd") / str(os.pipe()[0])
    if not path.exists():
        pytest.skip("not on this machine")
    with pytest.raises((NotAFile, OverLimit, FileUnreadable)) as raised:
        file_id(path, "it", 2_000_000_000)
    assert sentence(raised.value)


def test_given_a_file_within_limits_when_linked_then_it_is_read(place: Path) -> None:
    assert file_id(place / "film.mp4", "x", LIMIT_BYTES) == file_id(place / "linked.mp4", "x", LIMIT_BYTES)
    assert read(place / "film.mp4", "x", LIMIT_BYTES) == bytes(LIMIT_BYTES)


@pytest.mark.timeout(60)
def test_given_a_growing_file_when_read_then_the_limit_holds(tmp_path: Path) -> None:
    path, limit_bytes, done = tmp_path / "growing.mp4", 30_000_000, threading.Event()
    path.write_bytes(bytes(limit_bytes - 1))

    def grow() -> None:
        with path.open("ab") as file:
            while not done.is_set():
                file.write(bytes(1_000_000))
                if file.tell() > 10 * limit_bytes:
                    return

    growing = threading.Thread(target=grow)
    growing.start()
    try:
        with pytest.raises(OverLimit):
            file_id(path, "x", limit_bytes)
    finally:
        done.set()
        growing.join()
