"""Ways to compute the same image tower, side by side: `python -m bench.backends [--rounds 3]`.

ViT-B-32 with random weights, which cost what trained ones do, on pictures of the demo video; each way in a process of
its own, with the threads of the shipped program. Vectors are compared with those of torch in float32; what int8 does to
a vector depends on the weights, so its figure for random ones is no promise. Memory is the proportional set size of the
process once it has encoded. About a minute on two cores.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from bench.alone import as_shipped
from bench.memory import field_mb, write_model
from bench.table import Row, median_s, show, write
from bot.wiring.engines import DEMO_FOLDER
from core.engines.clip import model as clip
from core.engines.clip import presets
from core.engines.video import frame as pictures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.engines.clip.backends import Backend, Precision
    from core.model.video import Floats, Pixels, Preprocess

BATCH = 16
WAYS: Mapping[str, tuple[Backend, Precision]] = {
    "torch": ("torch", "exact"),
    "OpenVINO": ("openvino", "exact"),
    "int8": ("torch", "int8"),
}


@dataclass(frozen=True, eq=False)
class Figures:
    """What one way costs and gives."""

    looks_a_second: float
    """In batches of 16."""
    one_ms: float
    """For a look by itself."""
    memory_mb: float
    vectors: Floats
    """(16, D) float32."""


def figures(model: str, way: str, converted: Path, rounds: int) -> Figures:
    """Measure one way in this process."""
    backend, precision = WAYS[way]
    options = clip.ClipOptions(presets.choose(model, DEMO_FOLDER / "model"), "cpu", None, converted_dir=converted)
    loaded = clip.load(replace(options, backend=backend, precision=precision))
    looks = keyframes(loaded.info.preprocess)
    batch_s = median_s(lambda: loaded.images(looks), rounds)
    one_s = median_s(lambda: loaded.images(looks[:1]), 3 * rounds)
    memory_mb = field_mb(os.getpid(), "smaps_rollup", "Pss:")
    return Figures(BATCH / batch_s, 1000 * one_s, memory_mb, loaded.images(looks))


def keyframes(preprocess: Preprocess) -> Pixels:
    """Give a batch of pictures as an encoder wants them."""
    with av.open(DEMO_FOLDER / "film.mp4") as video:
        frames = [frame for frame in video.decode(video=0) if frame.key_frame][:BATCH]
    developer = pictures.Developer(None)
    return np.stack([developer.look(frame, preprocess) for frame in frames])


def rows(model: str, converted: Path, rounds: int, ways: tuple[str, ...]) -> list[Row]:
    """Compare some ways with torch."""
    seen = {way: as_shipped(figures, model, way, converted, rounds) for way in ("torch", *ways)}
    found = []
    for way, one in seen.items():
        least = None if way == "int8" else 0.999
        cosine = float((one.vectors * seen["torch"].vectors).sum(axis=1).min())
        found += [
            Row(f"{way}: looks a second, batches of {BATCH}", one.looks_a_second, "/s"),
            Row(f"{way}: a look by itself", one.one_ms, "ms"),
            Row(f"{way}: memory", one.memory_mb, "MB"),
            Row(f"{way}: cosine to torch, at least", cosine, "", least, least, more_is_better=True),
        ]
    return found


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as name:
        folder = Path(name)
        write_model(folder)
        others = ("OpenVINO", "int8") if importlib.util.find_spec("openvino") else ("int8",)
        measured = rows(f"local-dir:{folder}", folder, wish.rounds, others)
    show("Back ends, ViT-B-32", measured)
    print(f"JSON: {write('backends', measured)}")


if __name__ == "__main__":
    main()
