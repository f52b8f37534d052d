"""Videos whose headers claim what no video has: they are read all the same, or refused with a plain sentence."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.errors import UserError
from core.limits import VideoLimits
from core.model.video import Sampling
from core.ports.metrics import Unwatched
from core.ports.video import VideoEnded, VideoOpened
from core.wording.errors import sentence
from tests.core.engines.conftest import PREPROCESS
from tests.traps import videos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.ports.video import Reading

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

MOST, HALF = 0xFFFFFFFF, 0x7FFFFFFF
LIES = [
    *(("mp4", b"mvhd", offset, ">I", value) for offset in (12, 16) for value in (0, 1, HALF, MOST)),
    *(("mp4", b"mdhd", offset, ">I", value) for offset in (12, 16) for value in (0, 1, HALF, MOST)),
    *(("mp4", b"stts", offset, ">I", value) for offset in (4, 8, 12) for value in (0, 1, HALF, MOST)),
    *(("mp4", b"stsz", offset, ">I", value) for offset in (4, 8) for value in (0, HALF, MOST)),
    *(("mp4", b"avc1", offset, ">H", value) for offset in (24, 26) for value in (0, 1, 65535)),
    *(("mp4", b"elst", 12, ">i", value) for value in (-2, HALF, -HALF)),
    *(("avi", b"avih", offset, "<I", value) for offset in (4, 20, 36, 40) for value in (0, HALF, MOST)),
    *(("avi", b"strh", offset, "<I", value) for offset in (24, 28, 32, 36) for value in (0, 1, HALF, MOST)),
    *(("avi", b"strf", offset, "<I", value) for offset in (8, 12) for value in (0, 1, 65536, HALF, 1 << 31, MOST)),
    *(("mkv", b"\x44\x89\x88", 0, ">d", value) for value in (float("nan"), float("inf"), -1e300, 0.0, 1e18, 1e300)),
    *(("mkv", b"\x2a\xd7\xb1\x83", 0, ">I", value) for value in (0, 1 << 8, MOST - 255)),
]
"""Kind, box, offset within it, format and value: time bases, durations, rates, counts, sizes."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader() -> AsyncIterator[ChildFrameReader]:
    children = ChildPool("core.engines.video.worker", forks=True)
    yield ChildFrameReader(children, VideoLimits(), watch=Unwatched())
    await children.close()


@pytest.fixture(scope="module")
def sound_videos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    return {kind: videos.sound(folder / f"video.{kind}").read_bytes() for kind in ("mp4", "avi", "mkv")}


@pytest.mark.parametrize(("kind", "box", "offset", "layout", "value"), LIES)
async def test_given_a_lying_header_when_read_then_its_figures_are_not_told(
    reader: ChildFrameReader,
    sound_videos: dict[str, bytes],
    tmp_path: Path,
    kind: str,
    box: bytes,
    offset: int,
    layout: str,
    value: float,
) -> None:
    data = bytearray(sound_videos[kind])
    struct.pack_into(layout, data, data.index(box) + len(box) + offset, value)
    path = tmp_path / f"video.{kind}"
    path.write_bytes(data)
    events: list[Reading] = []
    said = ""
    try:
        events = [event async for event in reader.frames(path, Sampling(1.0), PREPROCESS)]
    except UserError as error:
        said = sentence(error)
    assert bool(events) is not bool(said)
    assert not re.search(r"\d{5,}", said.replace(",", "").replace("2000000", ""))  # that one is our own limit
    if events:
        opened, *_, ended = events
        assert isinstance(opened, VideoOpened)
        assert isinstance(ended, VideoEnded)
        assert 0 <= ended.reached_s <= opened.duration_s + 40
        assert (opened.width_px, opened.height_px) in {(96, 64), (64, 64)}
