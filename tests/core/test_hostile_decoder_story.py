"""A video takes its decoder over, told in the chat: an error for that video, and the bot lives on within its means."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.model.events import FilePosted, Find
from core.ports.metrics import Unwatched
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import QUOTA_BYTES, build, looking, turn
from tests.support import clips
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse

pytestmark = pytest.mark.slow

TURNCOAT = """
import time
from pathlib import Path
from core.engines.video import worker as decoder; from core.engines.sandbox import protocol as wire
prepare, shut_in = decoder.prepare, decoder.shut_in
def serve(request, out):
    does = Path(request["path"]).read_bytes()[:20].strip()
    if does not in (b"looks", b"pictures", b"garbage", b"silence"):
        return decoder.serve(request, out)
    size_px = request["preprocess"]["size_px"]
    pixels, time_s = bytes(size_px * size_px * 3), 0.0
    picture = b"\\xff\\xd8 no JPEG".ljust(60000) if does == b"pictures" else b""
    while does == b"silence":
        time.sleep(1)
    while does == b"garbage":
        out.write(bytes(1 << 20))
    length = {"duration_s": 10.0, "width_px": 64, "height_px": 48, "expected_looks": 10**9}
    wire.send(out, {"kind": "opened", **length})
    while True:
        wire.send(out, {"kind": "frame", "time_s": time_s}, pixels, picture)
        time_s += 0.0001
"""
MEGABYTE = 1 << 20


@pytest_asyncio.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ColourHouse]:
    """A product whose decoder does what some files say."""
    (tmp_path / "turncoat.py").write_text(TURNCOAT)
    monkeypatch.syspath_prepend(str(tmp_path))
    library = await SqliteLibrary.open(tmp_path / "data" / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "data" / "media", QUOTA_BYTES)
    children = ChildPool("turncoat", forks=True)
    async with looking(library) as looks:
        yield build(library, media, ChildFrameReader(children, watch=Unwatched()), ColourEncoder(), looks)
    await children.close()
    await media.close()
    await library.close()


@pytest.mark.parametrize("does", ["looks", "pictures", "garbage", "silence"])
async def test_given_a_decoder_taken_over_when_posted_then_an_error_alone(
    house: ColourHouse, tmp_path: Path, does: str
) -> None:
    video = tmp_path / "evil.mp4"
    video.write_bytes(does.encode().ljust(1000))
    honest = clips.make_clip(tmp_path / "honest.mp4", [("red", 2)])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    house.relays.reader.target = ChildFrameReader(house.reader.children, patience_s=2.0, watch=Unwatched())
    told = await house.last(FilePosted(turn(), video, "evil.mp4"))
    house.relays.reader.target = house.reader  # an honest child on a busy machine may take longer
    grown_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert told.tone == "error"
    assert "evil" in told.text
    assert grown_mb < 100
    kept = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*") if path.is_file())
    assert kept < 10 * MEGABYTE
    assert "Ready" in (await house.last(FilePosted(turn(), honest, "honest.mp4"))).text
    assert "honest" in (await house.last(Find(turn(), "something red"))).text
