"""How fast a video is read, and how much memory its child takes: `python -m bench.reading [MINUTES ...]`."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np

from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.model.video import Preprocess, Sampling
from core.ports.metrics import Unwatched
from core.ports.video import SampledFrame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.model.video import Pixels

SIZE = (640, 360)
PREPROCESS = Preprocess(224, "shortest", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def pictures(seconds: int, fps: int) -> Iterator[Pixels]:
    """Give a soft, moving texture with a cut every four seconds, (360, 640, 3) uint8."""
    chance = np.random.default_rng(1)
    for scene in range(seconds // 4):
        coarse = chance.integers(0, 256, (24, 48, 3), dtype=np.uint8)
        wide = cv2.resize(coarse, (SIZE[0] * 2, SIZE[1]), interpolation=cv2.INTER_CUBIC)
        for frame in range(4 * fps):
            left = (frame * 3 + scene) % SIZE[0]
            yield np.ascontiguousarray(wide[:, left : left + SIZE[0]])


def write_minute(path: Path, fps: int = 25) -> None:
    """Write a minute of H.264 with a keyframe every ten seconds."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "veryfast", "g": str(10 * fps)})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for picture in pictures(60, fps):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))


def repeat(minute: Path, path: Path, minutes: int) -> None:
    """Write the minute over and over, without encoding it anew."""
    with av.open(path, "w") as container:
        stream = None
        for turn in range(minutes):
            with av.open(minute) as source:
                stream = stream or container.add_stream_from_template(source.streams.video[0])
                for packet in source.demux(video=0):
                    if packet.dts is None or packet.pts is None:
                        continue
                    shift = round(turn * 60 / packet.time_base)
                    packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, stream
                    container.mux(packet)


def peak_mb(pid: int) -> float:
    """Give the most memory that a process has had resident, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


async def measure(path: Path, minutes: int) -> None:
    """Print the speed of reading a video at one look a second, its child's memory, and the time of a still."""
    children = ChildPool("core.engines.video.worker", keep_spare=False)
    reader = ChildFrameReader(children, watch=Unwatched())
    started = time.perf_counter()
    looks, mb = 0, 0.0
    async for event in reader.frames(path, Sampling(), PREPROCESS):
        if isinstance(event, SampledFrame):
            looks += 1
        if looks % 100 == 1:
            mb = max(mb, *(peak_mb(pid) for pid in children.pids))
    took_s = time.perf_counter() - started
    started = time.perf_counter()
    await reader.still(path, 60.0 * minutes - 5, 1280)
    still_s = time.perf_counter() - started
    await children.close()
    print(
        f"{minutes:4d} min: {looks / took_s:6.1f} looks/s, {took_s:6.1f} s, child {mb:5.0f} MB, still {still_s:.2f} s"
    )


def main(minutes: list[int]) -> None:
    """Measure videos of these lengths."""
    with tempfile.TemporaryDirectory() as folder:
        minute = Path(folder) / "minute.mp4"
        write_minute(minute)
        for length in minutes:
            video = Path(folder) / f"{length}.mp4"
            repeat(minute, video, length)
            asyncio.run(measure(video, length))


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10, 60])
