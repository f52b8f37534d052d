"""Videos, postings, who may see them (`Scope`, `View`), thumbnails, and the recipe of an embedding."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from core.errors import AmbiguousVideo, NotWholeName, UnknownVideo

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Indexed:
    """A video that can be searched now."""

    video: Video
    frames: int
    """0 when it was known in this channel before, and nothing had to be done."""
    several: bool = False
    """The link leads to several videos, and this is the first."""


Floats: TypeAlias = npt.NDArray[np.float32]
Seconds: TypeAlias = npt.NDArray[np.float64]
Pixels: TypeAlias = npt.NDArray[np.uint8]
ResizeMode: TypeAlias = Literal["shortest", "longest", "squash"]
Interpolation: TypeAlias = Literal["bicubic", "bilinear"]


@dataclass(frozen=True, slots=True)
class Scope:
    """One channel: where a video was posted, or where a question is asked."""

    platform: str
    """"discord", "slack" or "local"."""
    space: str
    """Guild or workspace."""
    channel: str


@dataclass(frozen=True, slots=True)
class View:
    """What an answer may draw on: some channels of one space. Every user-facing query takes one."""

    platform: str
    space: str
    channels: frozenset[str]

    @classmethod
    def of(cls, scope: Scope) -> View:
        """Return the narrowest view: that channel alone."""
        return cls(scope.platform, scope.space, frozenset({scope.channel}))


@dataclass(frozen=True, slots=True)
class Video:
    """An indexed video."""

    id: str
    """By its bytes: "sha256:...". Videos that earlier versions kept may have a site's id ("youtube:...")."""
    url: str
    """The page where people watch it, or "" for a file without one."""
    title: str
    duration_s: float
    width_px: int
    height_px: int
    truncated: bool = False
    """The file breaks off early; only what could be read was indexed."""
    uploader: str = ""
    """Who put it on its site, or "" where nobody says."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One act of posting a video in a channel; a video is visible where it has one."""

    video_id: str
    scope: Scope
    user_id: str
    user_name: str
    message: str
    """The platform's id of the message, or "" where there is none."""
    posted_at: datetime
    """With time zone."""
    message_url: str = ""
    """Where people can see the message, if anywhere."""
    title: str = ""
    """What the video was called there: another channel may know it by another name, and that stays there."""
    url: str = ""
    uploader: str = ""

    def named(self, video: Video) -> Video:
        """Return its video under the names that it was posted with."""
        return replace(video, title=self.title, url=self.url, uploader=self.uploader)


@dataclass(frozen=True, slots=True)
class PostedVideo:
    """A video together with its newest posting within some view."""

    video: Video
    posting: Posting


@dataclass(frozen=True, slots=True)
class Preprocess:
    """How a decoded frame becomes the encoder's input."""

    size_px: int
    """Width and height of the square input."""
    resize_mode: ResizeMode
    interpolation: Interpolation
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    fill: int = 0
    """Grey level of the padding, for "longest" only."""
    edition: int = 2
    """Counts how often the way from file to vector changed, so that the same frame has another vector."""


TIME_SLACK_S = 1e-6
"""Times are fractions turned into floats: a frame this little before a grid time is on it."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which moments of a video are indexed."""

    interval_s: float = 1.0
    min_looks: int = 16
    keyframe_gap: float = 2.1
    """Keyframes alone will do where they stand no further apart than this many intervals; 0 for all frames."""
    sameness: float = 8.0
    """A frame no part of which differs by more levels of 255 than this takes the vector before it; 0 for none."""

    def step_s(self, duration_s: float) -> float:
        """Return the seconds between two frames: fewer than usual where the video would get too few of them."""
        if duration_s <= 0 or self.min_looks <= 0:
            return self.interval_s
        # No grid is denser than a millisecond, whatever length a file claims.
        return min(self.interval_s, max(1e-3, duration_s / self.min_looks))

    def expected_frames(self, duration_s: float) -> int:
        """Count the grid times in [0, duration_s): how many frames a video without gaps gets, at least one."""
        return max(1, math.ceil((duration_s - TIME_SLACK_S) / self.step_s(duration_s)))

    def keyframe_gap_s(self, duration_s: float) -> float:
        """Return how far apart keyframes may stand for a video to be sampled in them alone; 0 for never.

        A video so short that this would leave it with fewer than its least number of frames is decoded whole.
        """
        gap_s = self.keyframe_gap * self.interval_s
        return gap_s if gap_s > 0 and duration_s >= gap_s * self.min_looks else 0.0


@dataclass(frozen=True, slots=True)
class EncoderInfo:
    """A loaded encoder's own description."""

    model: str
    weights: str
    """The pretrained tag, or a digest of the weights file for a local folder."""
    dim: int
    preprocess: Preprocess
    precision: str
    """"fp32" or "fp16"; whichever back end computes it."""
    logit_scale: float
    logit_bias: float
    """0 where the model has none (CLIP)."""
    device: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that changes a vector. Vectors of two recipes are never compared."""

    model: str
    weights: str
    preprocess: Preprocess
    sampling: Sampling
    precision: str

    @property
    def key(self) -> str:
        """Return 16 hex digits that differ when any part differs."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @classmethod
    def of(cls, info: EncoderInfo, sampling: Sampling) -> Recipe:
        """Return the recipe of an encoder that indexes videos with this sampling."""
        return cls(info.model, info.weights, info.preprocess, sampling, info.precision)


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """One vector per frame of a video."""

    times_s: Seconds
    """(N,) float64, strictly rising, from decoded PTS."""
    vectors: Floats
    """(N, D) float32, rows of length 1 (within 1e-2: they are stored as float16)."""

    def __post_init__(self) -> None:
        """Check the invariants; raises ValueError with the offending value."""
        if self.times_s.ndim != 1 or self.vectors.ndim != 2 or len(self.times_s) != len(self.vectors):
            raise ValueError(f"times {self.times_s.shape} and vectors {self.vectors.shape} do not belong together")
        if (np.diff(self.times_s) <= 0).any():
            raise ValueError("times_s must rise strictly")
        norms = np.sqrt(np.einsum("nd,nd->n", self.vectors, self.vectors))
        if len(norms) and not np.allclose(norms, 1.0, atol=1e-2):
            raise ValueError(f"vectors must have length 1, got {norms.min():.4f} to {norms.max():.4f}")

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.times_s)

    def nearest(self, time_s: float) -> int:
        """Return the number of the frame nearest to a time."""
        return int(np.abs(self.times_s - time_s).argmin())

    def merged(self, other: FrameIndex) -> FrameIndex:
        """Return the frames of both; a frame that is in both comes from this one."""
        times_s = np.concatenate([self.times_s, other.times_s])
        _, first = np.unique(times_s, return_index=True)
        return FrameIndex(times_s[first], np.concatenate([self.vectors, other.vectors])[first])

    def __repr__(self) -> str:
        """Show the shape, never the numbers."""
        return f"FrameIndex(looks={len(self)}, dim={self.vectors.shape[1]})"


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A small picture of one frame; it outlives the media file."""

    time_s: float
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Still:
    """A frame cut from the media file."""

    jpeg: bytes
    time_s: float
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True, eq=False)
class IndexedVideo:
    """Everything that one indexing run saves, in one transaction."""

    video: Video
    recipe: Recipe
    index: FrameIndex
    thumbnails: tuple[Thumbnail, ...]


_LEAST_PREFIX = 4


def names(posted: Sequence[PostedVideo]) -> Mapping[str, str]:
    """Return by its id the name that each video is shown under and can be asked for by.

    That is its title; of several with one title each has a number behind it, the one that was posted first "(1)".
    """
    same = Counter(one.video.title.casefold() for one in posted)
    counted: Counter[str] = Counter()
    called = {}
    for one in reversed(posted):
        title = one.video.title
        counted[title.casefold()] += 1
        called[one.video.id] = f"{title} ({counted[title.casefold()]})" if same[title.casefold()] > 1 else title
    return called


def pick(posted: Sequence[PostedVideo], name: str, *, whole: bool = False) -> PostedVideo:
    """Return the video that goes by that id, title or name (see `names`), or by a part of one that fits no other.

    `posted` is newest first. With `whole` a part is not enough, as for what cannot be undone. Raises UnknownVideo,
    AmbiguousVideo, NotWholeName.
    """
    wanted = name.strip().casefold()
    called = names(posted)
    for fits in _ways(wanted, called):
        hits = [one for one in posted if fits(one)]
        if hits and whole and not any(_is_whole(one, wanted, called) for one in hits):
            raise NotWholeName(name, tuple(called[hit.video.id] for hit in hits))
        if len(hits) == 1:
            return hits[0]
        if hits:
            raise AmbiguousVideo(name, tuple(called[hit.video.id] for hit in hits))
    raise UnknownVideo(name)


def _ways(wanted: str, called: Mapping[str, str]) -> tuple[Callable[[PostedVideo], bool], ...]:
    """From the strictest to the most lenient."""
    return (
        lambda one: one.video.id.casefold() == wanted,
        lambda one: one.video.title.casefold() == wanted,
        lambda one: called[one.video.id].casefold() == wanted,
        lambda one: len(wanted) >= _LEAST_PREFIX and _short_id(one).startswith(wanted),
        lambda one: bool(wanted) and wanted in one.video.title.casefold(),
    )


def _is_whole(one: PostedVideo, wanted: str, called: Mapping[str, str]) -> bool:
    """Tell whether a video was named by all of its name, or by its id."""
    whole = (one.video.id.casefold(), one.video.title.casefold(), called[one.video.id].casefold())
    return wanted in whole or (len(wanted) >= _LEAST_PREFIX and _short_id(one).startswith(wanted))


def _short_id(one: PostedVideo) -> str:
    return one.video.id.casefold().removeprefix("sha256:")
