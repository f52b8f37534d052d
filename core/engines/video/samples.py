"""Sends the sampled frames to the parent; a frame nearly identical to the one before is marked as its repeat.

Similarity is told by mean colours over a 16 x 16 grid. Runs in the child.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import cv2
import numpy as np

from core.engines.sandbox import protocol
from core.engines.video import frame as pictures
from core.engines.video.flaws import UnreadableError
from core.engines.video.jpegs import THUMBNAIL_PX
from core.engines.video.sampling import expected_frames

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    import numpy.typing as npt
    from av import VideoFrame

    from core.model.video import Pixels, Preprocess, Sampling

    TimedFrame = tuple[float, VideoFrame]

_CELLS = 16
"""Across and down: a face in the distance fills one."""


@dataclass(frozen=True, slots=True, eq=False)
class Gist:
    """Mean colours over a grid."""

    cells: npt.NDArray[np.float32]
    """(16, 16, 3) float32, levels of 0 to 255."""

    @classmethod
    def of(cls, pixels: Pixels) -> Gist:
        """Take the gist of (H, W, 3) uint8 RGB."""
        cells = cv2.resize(pixels.astype(np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        return cls(np.asarray(cells, np.float32))

    def difference(self, other: Gist) -> float:
        """Give by how many levels of 255 the cell differs that differs most."""
        return float(np.abs(self.cells - other.cells).max())


_THUMBNAIL_QUALITY = 75


_MOST_THUMBNAILS = 600


class LookSender:
    """Sends the looks at one video."""

    def __init__(
        self, out: BinaryIO, pixel_aspect: Fraction | None, preprocess: Preprocess, sampling: Sampling, length_s: float
    ) -> None:
        self._out = out
        self._developer = pictures.Developer(pixel_aspect)
        self._preprocess = preprocess
        self._sameness = sampling.sameness
        self._length_s = length_s
        self._expected = expected_frames(length_s, sampling)
        self._stride = -(-self._expected // _MOST_THUMBNAILS)
        self._gist: Gist | None = None
        self._is_opened = False
        self.sent = 0
        """How many looks this reading and an earlier one, which it goes on from, have sent."""
        self.last_s: float | None = None
        """The time of the last of them."""

    def started(self, looks: Iterator[TimedFrame]) -> Iterator[TimedFrame]:
        """Send "opened" once, which needs a frame for its size; give all looks. Raises UnreadableError."""
        first = next(looks, None)
        if first is None and not self._is_opened:
            raise UnreadableError("no_frames")
        if first is None:
            return
        if not self._is_opened:
            self._open(first[1])
        yield first
        yield from looks

    def _open(self, frame: VideoFrame) -> None:
        self._is_opened = True
        width_px, height_px = self._developer.size_px(frame)
        header = {"kind": "opened", "duration_s": self._length_s, "width_px": width_px, "height_px": height_px}
        protocol.send(self._out, {**header, "expected_looks": self._expected})

    def send_all(self, looks: Iterator[TimedFrame]) -> None:
        """Send looks."""
        for time_s, frame in looks:
            self.send(time_s, frame)

    def send(self, time_s: float, frame: VideoFrame) -> None:
        """Send a look; without its pixels where they are still those that were sent last."""
        pixels = self._developer.look(frame, self._preprocess)
        seen = b"" if self._repeats(pixels) else pixels.tobytes()
        protocol.send(self._out, {"kind": "look", "time_s": time_s}, seen, self._thumbnail(frame))
        self.sent += 1
        self.last_s = time_s

    def _repeats(self, pixels: Pixels) -> bool:
        gist = Gist.of(pixels)
        if self._gist is not None and gist.difference(self._gist) <= self._sameness:
            return True
        self._gist = gist
        return False

    def _thumbnail(self, frame: VideoFrame) -> bytes:
        """Give a small JPEG for every n-th look and nothing for the others; n grows should a video not end."""
        if self.sent >= 2 * _MOST_THUMBNAILS * self._stride:
            self._stride *= 2
        if self.sent % self._stride:
            return b""
        return pictures.jpeg(self._developer.small(frame, THUMBNAIL_PX), _THUMBNAIL_QUALITY)
