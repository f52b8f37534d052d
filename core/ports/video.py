"""Downloading, decoding and cutting videos, and drawing plots: the ports, and what they take and return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from core.model.reply import PlotStyle, Theme
    from core.model.results import Curve, Moment
    from core.model.video import Floats, Pixels, Preprocess, Sampling, Still, Thumbnail


@dataclass(frozen=True, slots=True)
class ClipWish:
    """What is wanted of a stretch [start_s, end_s) of a video."""

    start_s: float
    end_s: float
    form: Literal["mp4", "gif"]
    max_px: int
    """How wide or high it may be; it is never larger than the video."""
    max_fps: float
    max_bytes: int
    sound: bool = False
    """With the video's sound, where it has one; MP4 alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A moving picture, encoded exactly from the frame that stands at its start to the last before its end."""

    data: bytes
    form: Literal["mp4", "gif"]
    width_px: int
    height_px: int
    sound: bool = False


class Clipper(Protocol):
    """Makes moving pictures, and several stills at once, outside of this process."""

    async def clip(self, path: Path, wish: ClipWish, report: Callable[[float], None]) -> Clip:
        """Encode a stretch anew, made coarser and smaller until it fits; `report` is told shares of 0 to 1.

        Raises ClipTooLarge, NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...

    async def stills(self, path: Path, times_s: Sequence[float], max_px: int) -> tuple[Still, ...]:
        """Cut the frame that stands at each time. Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied."""
        ...


class Framing(NamedTuple):
    """A part of a frame that lies wide, in shares of width and height; of an upright frame the same part turned."""

    left: float
    top: float
    right: float
    bottom: float
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Fetching:
    """A fetch under way."""

    done_bytes: int
    total_bytes: int | None
    """None where the other side does not say."""
    eta_s: float | None
    bytes_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A fetch that ended well."""

    path: Path
    video_id: str | None
    """What the extractor says that it is ("youtube:..."), or None for a plain file.

    Which video it is, its content decides: a stranger's server may say anything here; see `core.site_ids`.
    """
    title: str
    url: str
    """The page where people watch it."""
    uploader: str | None = None
    """The uploader, as the site names them."""
    several: bool = False
    """The link leads to several videos, and this is the first."""


class Fetcher(Protocol):
    """Brings linked videos onto the disk."""

    def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        """Download into the folder; the last item is the Fetched. The bearer token is shown to that url's host alone.

        Raises LinkRefused, VideoUnavailable, OverLimit, FetchFailed, DiskFull.
        """
        ...


@dataclass(frozen=True, slots=True)
class VideoOpened:
    """First event of a reading: what the file says of itself."""

    duration_s: float
    width_px: int
    """As displayed, after rotation."""
    height_px: int
    expected_frames: int


@dataclass(frozen=True, slots=True, eq=False)
class SampledFrame:
    """One sampled frame."""

    time_s: float
    """From the frame's PTS, relative to the first frame of the video."""
    pixels: Pixels
    """(S, S, 3) uint8 RGB, resized as the encoder's own preprocessing would: its vector is within cosine 0.999."""
    thumbnail: bytes | None
    """A small JPEG, for some of the frames."""
    repeats: bool = False
    """Nothing has changed since the last frame that does not repeat: that one's vector, and its `pixels`, will do."""


@dataclass(frozen=True, slots=True)
class VideoEnded:
    """Last event of a reading."""

    truncated: bool
    """The file broke off, or could not be decoded further."""
    reached_s: float


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """How far an earlier reading of a video went."""

    until_s: float
    """The time of its last frame."""
    frames: int


Reading: TypeAlias = "VideoOpened | SampledFrame | VideoEnded"


class FrameReader(Protocol):
    """Decodes videos, outside of this process."""

    def frames(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncIterator[Reading]:
        """Stream one VideoOpened, then SampledFrames in the order of time, then one VideoEnded; memory stays flat.

        With `seen`, the frames are those after what an earlier reading gave: together they are what one reading gives.

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut the frame with this very PTS time (the nearest at or before it), at most max_px wide or high.

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class ExtraFrameReader(Protocol):
    """Decodes a kept video again, at a few times alone; outside of this process."""

    async def frames_at(
        self, path: Path, times_s: Sequence[float], preprocess: Preprocess, *, at_once: bool = False
    ) -> tuple[SampledFrame, ...]:
        """Return the frame with each of these rising times, or else the nearest before it; each frame once.

        Who waits for an answer goes first, unless it is they who wait for this (`at_once`).

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class Framer(Protocol):
    """Decodes a kept video again, at parts of its frames; outside of this process."""

    async def framed(
        self, path: Path, times_s: Sequence[float], framings: Sequence[Framing], preprocess: Preprocess
    ) -> tuple[Pixels, ...]:
        """Return the parts of the frame at each time, (F, S, S, 3) uint8 RGB as the encoder wants it.

        A frame that cannot be sought is left out. Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class PictureReader(Protocol):
    """Decodes pictures that people ask about, outside of this process."""

    async def picture(self, path: Path, preprocess: Preprocess) -> Pixels:
        """Return (S, S, 3) uint8 RGB as the encoder wants it; raises NotAPicture, OverLimit, DecoderDied."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PlotSpec:
    """All that a plot shows."""

    curve: Curve
    """With lines, each of these is drawn, in a colour of its own."""
    query: str
    numbered: tuple[tuple[int, Moment], ...]
    """The moments of this video with the numbers that their buttons have."""
    current: int | None
    """Number of the moment that is being shown."""
    style: PlotStyle
    logit_scale: float
    """For the softmax style: the notebook's softmax(logit_scale * similarity)."""
    marks_s: tuple[float, ...] = ()
    """Times of the video to be pointed at: of a frame beside a peak, or the two ends of a cut."""


def heights(spec: PlotSpec) -> Floats:
    """Return the (T, N) float32 values that a plot shows of its T curves.

    These are cosine similarities, or softmax(logit_scale * similarity): of one curve and of a sequence over time, as
    the notebook did; of texts side by side among them.
    """
    curves = spec.curve.lines or (spec.curve,)
    scores = np.array([one.scores for one in curves], np.float64)
    if spec.style == "similarity":
        return scores.astype(np.float32)
    is_sequence = any(moment.then for _, moment in spec.numbered)
    axis = 0 if len(curves) > 1 and not is_sequence else 1
    powers = np.exp(spec.logit_scale * (scores - scores.max(axis=axis, keepdims=True)))
    shares: Floats = (powers / powers.sum(axis=axis, keepdims=True)).astype(np.float32)
    return shares


class Plotter(Protocol):
    """Draws the curve of an answer, off the event loop."""

    async def plot(self, spec: PlotSpec, theme: Theme) -> bytes:
        """Return a PNG."""
        ...

    async def sheet(
        self, thumbnails: Sequence[Thumbnail], numbered: Sequence[tuple[int, Moment]] = (), most: int = 12
    ) -> bytes:
        """Return a JPEG contact sheet of at most that many tiles, each with its time; at least one thumbnail.

        The best frame of each numbered moment is among the tiles and bears its number.
        """
        ...

    async def strip(self, plot: bytes, tiles: Sequence[tuple[int, Thumbnail]]) -> bytes:
        """Return a PNG plot with a row of at most five moments above it, each with its number and time."""
        ...

    async def ends(self, first: Still, last: Still, labels: tuple[str, str]) -> bytes:
        """Return a JPEG of two frames side by side, each with its label."""
        ...

    async def slideshow(self, thumbnails: Sequence[Thumbnail]) -> bytes:
        """Return a GIF that shows small pictures one after the other, for ever; at least one."""
        ...
