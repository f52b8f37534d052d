"""How much memory a long video takes: `python -m bench.memory [--minutes 120]`.

Indexes a video with the real ViT-B-32 architecture and random weights, which cost what trained ones do, through the
shipped command line. Memory is the sum of the proportional set sizes (PSS) of the program and its children, and the
resident set (RSS) of the program alone, sampled five times a second.
"""

from __future__ import annotations

import argparse
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
from safetensors.torch import save_file

from bench.table import Row, report
from core.engines.clip.open_clip_models import import_open_clip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.container import OutputContainer
    from av.video.stream import VideoStream

    from core.model.video import Pixels

ROOT = Path(__file__).parent.parent
ARCHITECTURE = "ViT-B-32"
BAR_MB = 1200
FPS = 24
ENCODED_MINUTES = 2


@dataclass(frozen=True)
class Figures:
    """What was seen."""

    minutes: float
    seconds: float
    """For the whole command, loading included."""
    frames: int
    peak_all_mb: float
    """Program and children, shared pages counted once."""
    peak_program_mb: float
    """The program alone, resident."""


def write_model(folder: Path) -> None:
    """Write the architecture with random weights, as open_clip's local-dir format wants it."""
    open_clip = import_open_clip()
    model = open_clip.create_model(ARCHITECTURE, pretrained=None)
    weights = {name: tensor.detach().contiguous() for name, tensor in model.state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    config = {"model_cfg": open_clip.get_model_config(ARCHITECTURE), "preprocess_cfg": {}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))


def write_video(path: Path, minutes: float) -> None:
    """Write a 640 x 360 video of moving bands with a cut every five seconds; what is long repeats its first minutes."""
    once = io.BytesIO()
    once_s = int(min(minutes, ENCODED_MINUTES) * 60)
    encode(once, once_s)
    once.seek(0)
    with av.open(once, "r") as source, av.open(str(path), "w") as video:
        stream = video.add_stream_from_template(source.streams.video[0])
        for turn in range(math.ceil(minutes * 60 / once_s)):
            repeat(once, video, stream, turn * once_s)


def encode(file: io.BytesIO, length_s: int) -> None:
    """Encode the first minutes."""
    with av.open(file, "w", format="mp4") as video:
        stream = video.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "g": str(2 * FPS)})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for picture in pictures(length_s * FPS):
            video.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        video.mux(stream.encode(None))


def repeat(once: io.BytesIO, video: OutputContainer, stream: VideoStream, from_s: int) -> None:
    """Write the encoded packets once more, that much later."""
    once.seek(0)
    with av.open(once, "r") as source:
        for packet in source.demux(video=0):
            if packet.dts is None or packet.pts is None or packet.time_base is None:
                continue
            later = round(from_s / packet.time_base)
            packet.pts, packet.dts, packet.stream = packet.pts + later, packet.dts + later, stream
            video.mux(packet)


def pictures(count: int) -> Iterator[Pixels]:
    """Return that many frames, (360, 640, 3) uint8."""
    chance = np.random.default_rng(7)
    scene = np.zeros((360, 1280, 3), np.uint8)
    for number in range(count):
        if number % (5 * FPS) == 0:
            bands = chance.integers(0, 256, (6, 20, 3), dtype=np.uint8)
            scene = np.kron(bands, np.ones((60, 64, 1), np.uint8))
        left = (number * 4) % 640
        yield np.ascontiguousarray(scene[:, left : left + 640])


def watch(home: Path, minutes: float) -> Figures:
    """Index the video and look at the memory until that is done."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "KEATON_DATA_DIR": str(home / "data"),
        "KEATON_MODEL": f"local-dir:{home}",
    }
    command = [sys.executable, "-m", "bot", "index", "--json", "film.mp4"]
    started_s = time.monotonic()
    peak_all = peak_program = 0.0
    with subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True) as program:  # noqa: S603
        while program.poll() is None:
            peak_all = max(peak_all, sum(field_mb(pid, "smaps_rollup", "Pss:") for pid in family(program.pid)))
            peak_program = max(peak_program, field_mb(program.pid, "status", "VmRSS:"))
            time.sleep(0.2)
        out, _ = program.communicate()
    frames = json.loads(out)["videos"][0]["looks"]
    return Figures(minutes, time.monotonic() - started_s, frames, peak_all, peak_program)


def family(pid: int) -> list[int]:
    """Return a process and its children, as far as they still live."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(one for child in children for one in family(int(child)))]


def field_mb(pid: int, file: str, field: str) -> float:
    """Read a field of /proc in MB; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith(field)) * 1024 / 1e6


def rows(figures: Figures) -> list[Row]:
    """Return the table."""
    note = f"{figures.frames} frames in {figures.seconds:.0f} s"
    return [
        Row(f"program and children, a video of {figures.minutes:g} min", figures.peak_all_mb, "MB", BAR_MB, note=note),
        Row("the program alone, resident", figures.peak_program_mb, "MB"),
    ]


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as home:
        write_model(Path(home))
        write_video(Path(home) / "film.mp4", wish.minutes)
        figures = watch(Path(home), wish.minutes)
    report("Memory at its highest, ViT-B-32", "memory", rows(figures))


if __name__ == "__main__":
    main()
