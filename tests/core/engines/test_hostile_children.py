"""A child that a video has taken over, or that hangs, is not believed and not waited for."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from core.engines.download.fetcher import ChildFetcher, taken_bytes
from core.engines.plot.sheets import contact_sheet
from core.engines.sandbox import protocol
from core.engines.sandbox.pool import ChildPool
from core.engines.video.allowance import Allowance
from core.engines.video.reader import ChildClipper, ChildFramer, ChildFrameReader
from core.errors import DecoderDied, FetchFailed, OverLimit
from core.limits import FetchLimits, VideoLimits
from core.model.video import Sampling, Thumbnail
from core.ports.metrics import Unwatched
from core.ports.video import ClipWish, Framing, SampledFrame, VideoEnded
from tests.core.engines.conftest import PREPROCESS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

pytestmark = pytest.mark.slow
WHOLE = Framing(0.0, 0.0, 1.0, 1.0, mirrored=False)


@pytest.fixture
def pretender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChildPool:
    """Children that run a module of the test's own, which repeats what the file beside it holds."""
    (tmp_path / "pretender.py").write_text(
        "import sys, time, pathlib\n"
        "sys.stdin.buffer.readline()\n"
        "sys.stdout.buffer.write(pathlib.Path(__file__).with_name('says').read_bytes())\n"
        "sys.stdout.buffer.flush()\n"
        "time.sleep(600 if pathlib.Path(__file__).with_name('stays').exists() else 0)\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return ChildPool("pretender")


@pytest.fixture
def liar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ChildPool:
    """Children that claim a video of ten seconds and then send frames without end, each with the largest picture."""
    (tmp_path / "liar.py").write_text(
        "import sys, pathlib\n"
        "from core.engines.sandbox import protocol as wire\n"
        "sys.stdin.buffer.readline()\n"
        "here, out, time_s = pathlib.Path(__file__), sys.stdout.buffer, 0.0\n"
        "step_s = float(here.with_name('step').read_text())\n"
        "pixels, picture = here.with_name('pixels').read_bytes(), here.with_name('picture').read_bytes()\n"
        "size = {'width_px': 64, 'height_px': 48}\n"
        "wire.send(out, {'kind': 'opened', 'duration_s': 10.0, 'expected_looks': 10**9, **size})\n"
        "while True:\n"
        "    wire.send(out, {'kind': 'frame', 'time_s': time_s}, pixels, picture)\n"
        "    time_s += step_s\n"
    )
    (tmp_path / "pixels").write_bytes(bytes(PREPROCESS.size_px**2 * 3))
    (tmp_path / "picture").write_bytes(jpeg(16, 16).ljust(65_000, b"\0"))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return ChildPool("liar")


@pytest.mark.parametrize(
    "said",
    [
        b"garbage" * 1000,
        struct.pack(">I", 1 << 30),
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 37) + b'{"kind": "frame", "parts": [99999999]}',
        struct.pack(">I", 60) + b'{"kind": "frame", "time_s": NaN, "parts": []}'.ljust(60),
        struct.pack(">I", 60) + b'{"kind": "frame", "time_s": 1, "parts": []}'.ljust(60),
        struct.pack(">I", 60) + b'{"kind": "surprise", "parts": []}'.ljust(60),
        b"",
    ],
    ids=["noise", "endless", "list", "cut", "nan", "empty", "unknown", "silent"],
)
async def test_given_a_hostile_child_when_it_lies_then_it_is_not_believed(
    pretender: ChildPool, tmp_path: Path, said: bytes
) -> None:
    (tmp_path / "says").write_bytes(said)
    with pytest.raises(DecoderDied):
        await anext(ChildFrameReader(pretender, watch=Unwatched()).frames(tmp_path, Sampling(), PREPROCESS))
    await pretender.close()


async def test_given_a_child_that_hangs_when_waited_for_then_given_up(pretender: ChildPool, tmp_path: Path) -> None:
    (tmp_path / "says").write_bytes(b"")
    (tmp_path / "stays").touch()
    with pytest.raises(DecoderDied) as raised:
        await ChildFrameReader(pretender, patience_s=0.3, watch=Unwatched()).still(tmp_path, 0.0, 100)
    assert "0.3 s" in raised.value.detail
    await pretender.close()
    assert not pretender.pids


def jpeg(width_px: int, height_px: int) -> bytes:
    """Make a JPEG, or one that says so of itself: its data ends after the header."""
    out = io.BytesIO()
    Image.new("RGB", (16, 16)).save(out, "JPEG")
    data = out.getvalue()
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height_px, width_px) + data[at + 4 :]


def message(header: Mapping[str, object], *parts: bytes) -> bytes:
    out = io.BytesIO()
    protocol.send(out, header, *parts)
    return out.getvalue()


def opened(duration_s: object = 10.0, width_px: object = 64, height_px: object = 48) -> bytes:
    size = {"width_px": width_px, "height_px": height_px}
    return message({"kind": "opened", "duration_s": duration_s, **size, "expected_looks": 10**9})


def frame(time_s: object, thumbnail: bytes = b"", pixels: bytes | None = None) -> bytes:
    size_px = PREPROCESS.size_px
    return message({"kind": "frame", "time_s": time_s}, bytes(size_px**2 * 3) if pixels is None else pixels, thumbnail)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n%%EndComments\nshowpage\n"


def png(width_px: int, height_px: int) -> bytes:
    head = struct.pack(">4sIIBBBBB", b"IHDR", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


LIES = {
    "an EPS for a small picture": opened() + frame(0, EPS),
    "a PNG of 164 million pixels": opened() + frame(0, png(12800, 12800)),
    "a JPEG of 164 million pixels": opened() + frame(0, jpeg(12800, 12800)),
    "a small picture that is large": opened() + frame(0, jpeg(241, 10)),
    "a small picture of a megabyte": opened() + frame(0, jpeg(16, 16) + bytes(1_000_000)),
    "a frame of 200 megabytes": opened()
    + struct.pack(">I", 60)
    + b'{"kind": "frame", "time_s": 0, "parts": [200000000, 0]}'.ljust(60),
    "a frame before the video was opened": frame(0),
    "a video opened twice": opened() + opened(),
    "a video of a million hours": opened(3.6e9),
    "a video of a negative length": opened(-1.0),
    "a video of no size": opened(10.0, 0, 48),
    "a video of a size that cannot be": opened(10.0, 1_000_000, 1_000_000),
    "a length that is no number": opened("long"),
    "a length beyond all numbers": opened(1e308),
    "a frame at the end of time": opened() + frame(1e14),
    "a frame long before the video": opened() + frame(-1e6),
    "frames that stand still": opened() + frame(1.0) + frame(1.0),
    "an end beyond the longest video": opened() + frame(0) + message({"kind": "ended", "reached_s": 1e9}),
    "a header nested to the bottom": struct.pack(">I", 60_000) + (b"[" * 60_000),
    "an error of a code that is long": message({"kind": "error", "code": "x" * 60_000}),
    "too large in sum": struct.pack(">I", 80)
    + b'{"kind": "frame", "time_s": 0, "parts": [70000, 70000, 70000]}'.ljust(80),
}


@pytest.mark.parametrize("lie", LIES)
async def test_given_a_hostile_decoder_when_it_claims_then_it_is_measured(
    pretender: ChildPool, tmp_path: Path, lie: str
) -> None:
    (tmp_path / "says").write_bytes(LIES[lie])
    with pytest.raises(DecoderDied) as raised:
        async for _ in ChildFrameReader(pretender, watch=Unwatched()).frames(tmp_path, Sampling(), PREPROCESS):
            pass
    assert len(raised.value.detail) <= 300
    assert "exit code" not in raised.value.detail
    await pretender.close()


async def read_all(reader: ChildFrameReader, path: Path, kept: list[int]) -> None:
    """Read a video, and note of each frame how many bytes its small picture has."""
    async for event in reader.frames(path, Sampling(), PREPROCESS):
        kept += [len(event.thumbnail or b"")] if isinstance(event, SampledFrame) else []


@pytest.mark.parametrize(
    ("step_s", "most_looks"), [(1e-6, 40), (0.25, 2 * 10 + 8 * 20), (1.0, 3700 * 2)], ids=["dense", "fine", "far"]
)
async def test_given_endless_frames_when_read_then_an_error_and_flat_memory(
    liar: ChildPool, tmp_path: Path, step_s: float, most_looks: int
) -> None:
    (tmp_path / "step").write_text(str(step_s))
    kept: list[int] = []
    with pytest.raises(DecoderDied) as raised:
        await read_all(ChildFrameReader(liar, VideoLimits(duration_s=3600), watch=Unwatched()), tmp_path, kept)
    assert 0 < len(kept) <= most_looks
    assert sum(kept) <= 2400 * 65_536
    assert "too many" in raised.value.detail or "not within" in raised.value.detail
    await liar.close()


def test_given_endless_small_messages_when_read_then_given_up() -> None:
    limits = VideoLimits(decode_s=100)
    patient = Allowance(limits, PREPROCESS.size_px, Sampling(), waited_s=400.0)
    ended = protocol.ChildMessage({"kind": "ended", "reached_s": 1.0})
    assert patient.reading(ended) == VideoEnded(truncated=False, reached_s=1.0)
    patient.waited_s = 500.0
    with pytest.raises(protocol.GarbledError):
        patient.reading(ended)


async def test_given_a_lying_decoder_when_gone_then_the_next_video_is_read(
    liar: ChildPool, tmp_path: Path, colour_video: Path
) -> None:
    (tmp_path / "step").write_text("0.001")
    with pytest.raises(DecoderDied):
        async for _ in ChildFrameReader(liar, watch=Unwatched()).frames(tmp_path, Sampling(), PREPROCESS):
            pass
    await liar.close()
    honest = ChildPool("core.engines.video.worker")
    assert (await ChildFrameReader(honest, watch=Unwatched()).still(colour_video, 0.0, 64)).width_px == 64
    await honest.close()


@pytest.mark.parametrize(
    "said",
    [
        message({"kind": "making", "share": "all"}),
        message({"kind": 7}),
        b"".join(message({"kind": "making", "share": 0.5}) for _ in range(10_001)),
        message({"kind": "clip", "width_px": 10**9, "height_px": 1}, b"\0\0\0\x10ftypisom"),
        message({"kind": "clip", "width_px": 64, "height_px": 48}, EPS),
    ],
    ids=["no share", "no kind", "endless", "wide", "no clip"],
)
async def test_given_a_hostile_decoder_when_it_cuts_then_an_error(
    pretender: ChildPool, tmp_path: Path, said: bytes
) -> None:
    (tmp_path / "says").write_bytes(said)
    clipper = ChildClipper(ChildFrameReader(pretender, watch=Unwatched()))
    with pytest.raises(DecoderDied):
        await clipper.clip(tmp_path, ClipWish(0.0, 1.0, "mp4", 640, 30.0, 10**6, sound=False), lambda _: None)
    await pretender.close()


@pytest.mark.parametrize(
    "picture", [EPS, png(100, 100), jpeg(12800, 12800), jpeg(101, 100)], ids=["eps", "png", "huge", "larger"]
)
async def test_given_a_hostile_decoder_when_a_still_then_a_jpeg_or_an_error(
    pretender: ChildPool, tmp_path: Path, picture: bytes
) -> None:
    (tmp_path / "says").write_bytes(message({"kind": "still", "time_s": 0, "width_px": 9, "height_px": 9}, picture))
    with pytest.raises(DecoderDied):
        await ChildFrameReader(pretender, watch=Unwatched()).still(tmp_path, 0.0, 100)
    await pretender.close()


async def test_given_endless_parts_when_framed_then_an_error(pretender: ChildPool, tmp_path: Path) -> None:
    said = message({"kind": "framed", "time_s": 0}, bytes(PREPROCESS.size_px**2 * 3))
    (tmp_path / "says").write_bytes(said * 10)
    with pytest.raises(DecoderDied):
        await ChildFramer(ChildFrameReader(pretender, watch=Unwatched())).framed(tmp_path, [1.0], [WHOLE], PREPROCESS)
    await pretender.close()


@pytest.mark.parametrize("kept", [EPS, png(12800, 12800), jpeg(12800, 12800)], ids=["eps", "png", "huge"])
def test_given_a_bad_kept_thumbnail_when_drawn_then_it_is_black(kept: bytes) -> None:
    sheet = Image.open(io.BytesIO(contact_sheet([Thumbnail(1.0, kept)])), formats=("JPEG",)).convert("L")
    assert max(sheet.crop((20, 20, 200, 80)).tobytes()) < 20


FILLING = """
import json, pathlib, sys
folder = pathlib.Path(json.loads(sys.stdin.buffer.readline())["folder"])
for number in range(10_000):
    (folder / str(number)).write_bytes(bytes(1 << 20))
sys.stdin.buffer.read()
"""
FLOODING = """
import sys
from core.engines.sandbox import protocol as wire
sys.stdin.buffer.readline()
for done in range(250_000):
    wire.send(sys.stdout.buffer, {"kind": "fetching", "done_bytes": done << 17})
"""


@pytest.mark.parametrize(
    ("program", "error"), [(FILLING, OverLimit), (FLOODING, FetchFailed)], ids=["many files", "many messages"]
)
async def test_given_a_hostile_fetcher_when_it_fills_then_it_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, error: type[Exception]
) -> None:
    (tmp_path / "robber.py").write_text(program)
    (tmp_path / "job").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    fetcher = ChildFetcher(frozenset(), FetchLimits(1_000_000, 60, attempts=1), "robber", watch=Unwatched())
    with pytest.raises(error):
        async for _ in fetcher.fetch("https://example.com/film.mp4", tmp_path / "job"):
            pass
    assert taken_bytes(tmp_path / "job") < 5_000_000_000
