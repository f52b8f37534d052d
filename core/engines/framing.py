"""Parts of frames, cut in the caged child: one request, the encoder's inputs back.

Owns both ends of that; must not know which parts are of interest, nor why.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.closer import Framing
from core.engines import pictures, seeking, wire
from core.engines.frames import error_of, nonsense
from core.engines.wire import GarbledError
from core.errors.films import DecoderDied
from core.limits import FilmLimits
from core.model import Preprocess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from core.engines.frames import ChildFrameReader
    from core.model import Pixels


@dataclass(frozen=True, slots=True)
class ChildFramer:
    """Cuts the frames of each film in a child of its own: `core.film_ports.Framer`."""

    films: ChildFrameReader
    """Whose children these are, with the limits that films have."""

    async def framed(
        self, path: Path, times_s: Sequence[float], framings: Sequence[Framing], preprocess: Preprocess
    ) -> tuple[Pixels, ...]:
        """Give the parts of the frame at each time, (F, S, S, 3) uint8 RGB; frames that cannot be sought are left out.

        Raises FileMissing, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        request = {"kind": "framed", "times_s": list(times_s), "framings": list(framings), "path": str(path)}
        shape = (len(framings), preprocess.size_px, preprocess.size_px, 3)
        found: list[Pixels] = []
        async with self.films.children.giving_way() as child:
            await child.ask({**request, "preprocess": asdict(preprocess), "limits": asdict(self.films.limits)})
            for _ in range(len(times_s) + 1):
                message = await self.films.hear(child, path, int(np.prod(shape)))
                parts = _parts(message, path, shape, self.films.limits)
                if parts is None:
                    return tuple(found)
                found.append(parts)
        raise DecoderDied(path.name, f"more than {len(times_s)} frames")


def _parts(message: wire.Message, path: Path, shape: tuple[int, int, int, int], limits: FilmLimits) -> Pixels | None:
    """Give the parts of one frame, or None where there are no more. Raises what the child reports, DecoderDied."""
    try:
        if message.kind == "ended":
            return None
        if message.kind != "framed":
            raise error_of(message, path, limits, message.kind)
        data = message.part(0)
    except GarbledError as error:
        raise nonsense(path, error) from error
    if len(data) != np.prod(shape):
        raise DecoderDied(path.name, f"{len(data)} bytes are not {shape}")
    return np.frombuffer(data, dtype=np.uint8).reshape(shape)


def send_framed(path: Path, request: Mapping[str, object], out: BinaryIO) -> None:
    """Send a "framed" for each of some times, then "ended", in the child. Raises UnreadableError, OverLimitError."""
    preprocess = Preprocess(**request["preprocess"])  # type: ignore[arg-type] # our own parent wrote it
    limits = FilmLimits(**request["limits"])  # type: ignore[arg-type]
    framings = [Framing(*framing) for framing in request["framings"]]  # type: ignore[attr-defined]
    for time_s in request["times_s"]:  # type: ignore[attr-defined]
        for _, frame, aspect in seeking.frames_at(path, [float(time_s)], limits):
            rgb = pictures.Developer(aspect).rgb(frame)
            parts = [pictures.encoder_input(part(rgb, framing), preprocess) for framing in framings]
            wire.send(out, {"kind": "framed", "time_s": time_s}, np.stack(parts).tobytes())
    wire.send(out, {"kind": "ended"})


def part(rgb: Pixels, framing: Framing) -> Pixels:
    """Give a part of a picture (H, W, 3), one pixel wide and high at least."""
    height, width = rgb.shape[:2]
    left, top, right, bottom, mirrored = framing
    if height > width:
        left, top, right, bottom = top, left, bottom, right
    x, y = min(round(left * width), width - 1), min(round(top * height), height - 1)
    piece = rgb[y : max(y + 1, round(bottom * height)), x : max(x + 1, round(right * width))]
    return np.ascontiguousarray(piece[:, ::-1] if mirrored else piece)
