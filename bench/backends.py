"""Two ways to compute the same image tower, side by side: `python -m bench.backends [--rounds 5]`.

ViT-B-32 with random weights, which cost what trained ones do, on pictures of the demo video; each way in a process of
its own, with the threads of the shipped program, and then both in turns. Vectors are compared with
those of torch. Memory is the proportional set size of the process once it has encoded. Half a minute on two cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from bench.alone import as_shipped
from bench.memory import field_mb, write_model
from bench.table import Row, median_s, paired_ratio, show, write
from bot.wiring.engines import DEMO_FOLDER
from core.engines.clip import model as clip
from core.engines.clip import presets
from core.engines.video import frame as pictures

if TYPE_CHECKING:
    from core.engines.clip.towers import Backend
    from core.model.video import Floats, Pixels, Preprocess

BATCH = 16


@dataclass(frozen=True, eq=False)
class Figures:
    """What one way costs and gives."""

    frames_a_second: float
    """In batches of 16."""
    one_ms: float
    """For a frame by itself."""
    memory_mb: float
    vectors: Floats
    """(16, D) float32."""


def loaded(model: str, way: Backend, converted: Path) -> clip.ClipModel:
    """Load a model in one way."""
    options = clip.ClipOptions(presets.choose(model, DEMO_FOLDER / "model"), "cpu", None, converted_dir=converted)
    return clip.load(replace(options, backend=way))


def figures(model: str, way: Backend, converted: Path, rounds: int) -> Figures:
    """Measure one way in this process."""
    made = loaded(model, way, converted)
    frames = keyframes(made.info.preprocess)
    batch_s = median_s(lambda: made.images(frames), rounds)
    one_s = median_s(lambda: made.images(frames[:1]), 3 * rounds)
    memory_mb = field_mb(os.getpid(), "smaps_rollup", "Pss:")
    return Figures(BATCH / batch_s, 1000 * one_s, memory_mb, made.images(frames))


def in_turns(model: str, converted: Path, rounds: int) -> float:
    """Return how many times torch's processor time OpenVINO's is, batch by batch in turns."""
    both = [loaded(model, way, converted) for way in ("openvino", "torch")]
    frames = keyframes(both[0].info.preprocess)
    took_s: list[list[float]] = [[], []]
    for _ in range(1 + rounds):
        for one, took in zip(both, took_s, strict=True):
            began_s = time.process_time()
            one.images(frames)
            took.append(time.process_time() - began_s)
    return paired_ratio(took_s[0][1:], took_s[1][1:])


def keyframes(preprocess: Preprocess) -> Pixels:
    """Return a batch of pictures as an encoder wants them."""
    with av.open(DEMO_FOLDER / "film.mp4") as video:
        frames = [frame for frame in video.decode(video=0) if frame.key_frame][:BATCH]
    converter = pictures.FrameConverter(None)
    return np.stack([converter.for_encoder(frame, preprocess) for frame in frames])


def rows(model: str, converted: Path, rounds: int) -> list[Row]:
    """Compare OpenVINO, where it is installed, with torch."""
    ways: tuple[Backend, ...] = ("torch", "openvino") if importlib.util.find_spec("openvino") else ("torch",)
    seen = {way: as_shipped(figures, model, way, converted, rounds) for way in ways}
    found = []
    for way, one in seen.items():
        cosine = float((one.vectors * seen["torch"].vectors).sum(axis=1).min())
        found += [
            Row(f"{way}: frames a second, batches of {BATCH}", one.frames_a_second, "/s"),
            Row(f"{way}: a frame by itself", one.one_ms, "ms"),
            Row(f"{way}: memory", one.memory_mb, "MB"),
            Row(f"{way}: cosine to torch, at least", cosine, "", 0.999, 0.999, more_is_better=True),
        ]
    if len(ways) > 1:
        ratio = as_shipped(in_turns, model, converted, rounds)
        found.append(Row("openvino: processor time to torch's, in turns", ratio, "x", note="stays while below 0.8"))
    return found


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as name:
        folder = Path(name)
        write_model(folder)
        measured = rows(f"local-dir:{folder}", folder, wish.rounds)
    show("Back ends, ViT-B-32", measured)
    print(f"JSON: {write('backends', measured)}")


if __name__ == "__main__":
    main()
