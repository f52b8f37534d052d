"""Downloading, decoding and cutting videos: the ports, and what they return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from core.model.video import Pixels, Preprocess, Sampling


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

    Which video it is, its content decides: a stranger's server may say anything here; see `core.leads`.
    """
    title: str
    url: str
    """The page where people watch it."""
    uploader: str | None = None
    """As the site names whoever put it there."""
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
    expected_looks: int


@dataclass(frozen=True, slots=True, eq=False)
class SampledFrame:
    """One sampled frame."""

    time_s: float
    """From the frame's PTS, relative to the first frame of the video."""
    pixels: Pixels
    """(S, S, 3) uint8 RGB, resized as the encoder's own preprocessing would: its vector is within cosine 0.999."""
    thumbnail: bytes | None
    """A small JPEG, for some of the looks."""
    repeats: bool = False
    """Nothing has changed since the last look that does not repeat: that one's vector, and its `pixels`, will do."""


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
    """The time of its last look."""
    looks: int


Reading: TypeAlias = "VideoOpened | SampledFrame | VideoEnded"


@dataclass(frozen=True, slots=True)
class Still:
    """A frame cut from the media file."""

    jpeg: bytes
    time_s: float
    width_px: int
    height_px: int


class FrameReader(Protocol):
    """Decodes videos, outside of this process."""

    def looks(
        self, path: Path, sampling: Sampling, preprocess: Preprocess, seen: ResumePoint | None = None
    ) -> AsyncIterator[Reading]:
        """Stream one VideoOpened, then Looks in the order of time, then one VideoEnded; memory stays flat.

        With `seen`, the looks are those after what an earlier reading gave: together they are what one reading gives.

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:
        """Cut the frame with this very PTS time (the nearest at or before it), at most max_px wide or high.

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class Glancer(Protocol):
    """Looks at a kept video again, at a few times alone; outside of this process."""

    async def glances(
        self, path: Path, times_s: Sequence[float], preprocess: Preprocess, *, at_once: bool = False
    ) -> tuple[SampledFrame, ...]:
        """Look at these rising times: the frame with each, or else the nearest before it; each frame once.

        Who waits for an answer goes first, unless it is they who wait for this (`at_once`).

        Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class Framer(Protocol):
    """Looks at a kept video again, at parts of its frames; outside of this process."""

    async def framed(
        self, path: Path, times_s: Sequence[float], framings: Sequence[Framing], preprocess: Preprocess
    ) -> tuple[Pixels, ...]:
        """Give the parts of the frame at each time, (F, S, S, 3) uint8 RGB as the encoder wants it.

        A frame that cannot be sought is left out. Raises NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied.
        """
        ...


class PictureReader(Protocol):
    """Decodes pictures that people ask about, outside of this process."""

    async def picture(self, path: Path, preprocess: Preprocess) -> Pixels:
        """Give (S, S, 3) uint8 RGB as the encoder wants it; raises NotAPicture, OverLimit, DecoderDied."""
        ...
