"""Fixtures for all tests: videos made on the fly."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support import clips, disks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave stories over videos of their own out of `make check`, but for those that everything else builds on."""
    for item in items:
        videos = {"colour_video", "make_clip"} & set(getattr(item, "fixturenames", ()))
        if videos and "house" in getattr(item, "fixturenames", ()) and item.path.name != "test_story.py":
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def own_levels() -> None:
    """Let no command that ran in this process before decide what is logged in a test."""
    for name in ("bot", "core", "storage", "demo", "bench", "__main__"):
        logging.getLogger(name).setLevel(logging.NOTSET)


class MakeClip(Protocol):
    """Writes a video into the test's folder."""

    def __call__(self, name: str, colours: Sequence[tuple[str, float]], shape: clips.Shape | None = None) -> Path:
        """Give the path of a video that shows each colour for its seconds."""
        ...


@pytest.fixture(scope="session")
def drawn() -> dict[str, bytes]:
    """Videos that were made in this run, by what they show and how: many tests want the same one."""
    return {}


@pytest.fixture
def make_clip(tmp_path: Path, drawn: dict[str, bytes]) -> MakeClip:
    def make(name: str, colours: Sequence[tuple[str, float]], shape: clips.Shape | None = None) -> Path:
        path = tmp_path / name
        kind = repr((path.suffix, list(colours), shape))
        if kind not in drawn:
            drawn[kind] = clips.make_clip(path, colours, shape).read_bytes()
        path.write_bytes(drawn[kind])
        return path

    return make


@pytest.fixture
def colour_video(make_clip: MakeClip) -> Path:
    """Three seconds each of red, green and blue."""
    return make_clip("colours.mp4", [("red", 3), ("green", 3), ("blue", 3)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[disks.SmallDisk]:
    """A disk that is soon full; only where the system lets this user mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if why_not := disks.mount(place):
        pytest.skip(f"no small disk can be mounted here: {why_not}")
    yield disks.SmallDisk(place)
    disks.unmount(place)
