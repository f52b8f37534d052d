"""The embeddings of a library, as a search needs them: where they are read from, and the index over them.

A scan bounds how similar each video is to a query; only the best are compared exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from core.model.video import Floats, FrameIndex, Recipe, Seconds, Video, View

Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class HeldIndexing:
    """A video with the frames that one recipe gave, as the library keeps it."""

    video: Video
    recipe_key: str
    indexing: int
    """The library's number for these frames."""
    stamp: int
    """Never the same for other frames."""
    chunks: int
    """How many pieces there are; more may come."""


@dataclass(frozen=True, slots=True)
class RowPlace:
    """A channel."""

    platform: str
    space: str
    channel: str


@dataclass(frozen=True, slots=True)
class IndexCatalogue:
    """All that the library holds at one time, but for the frames themselves."""

    generation: int
    videos: tuple[HeldIndexing, ...]
    posted: Mapping[RowPlace, Mapping[str, str]]
    """For each channel the ids of its videos, with the time of their first posting there (ISO 8601, UTC)."""

    def posted_in(self, view: View) -> dict[str, str]:
        """Return the ids of the videos in view, each with the time of its first posting there."""
        first: dict[str, str] = {}
        for channel in view.channels:
            for video_id, time in self.posted.get(RowPlace(view.platform, view.space, channel), {}).items():
                first[video_id] = min(time, first.get(video_id, time))
        return first


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Some embeddings of a video in the order of time."""

    times_s: Seconds
    """(n,) float64."""
    vectors: Halves
    """(n, D) float16, as stored."""


class EmbeddingStore(Protocol):
    """Where embeddings are read from. Methods raise StorageUnusable."""

    async def generation(self) -> int:
        """Return a number that grows with each change of videos, embeddings or postings, in whatever process."""
        ...

    async def catalogue(self) -> IndexCatalogue:
        """Return all that there is."""
        ...

    async def pieces(self, video: HeldIndexing, first: int) -> Sequence[Piece]:
        """Return the pieces of a video from that number on; none where its frames are gone or others by now."""
        ...

    async def changed(self) -> None:
        """Wait until this process has changed something since the last call."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """How similar videos get to some vectors, at most."""

    videos: tuple[HeldIndexing, ...]
    """Oldest posting first."""
    highest: Floats
    """(Q, F) float32: no frame of video f has a higher dot product with vector q than [q, f]."""
    from_storage: int = 0
    """How many of the videos memory has no room for, so that they had to be read from storage."""

    def of(self, video_ids: Collection[str]) -> Peaks:
        """Return what is told of these videos alone."""
        places = [place for place, video in enumerate(self.videos) if video.video.id in video_ids]
        return Peaks(tuple(self.videos[place] for place in places), self.highest[:, places], self.from_storage)


class EmbeddingIndex(Protocol):
    """The embeddings of all videos, ready to be searched. Methods raise StorageUnusable."""

    async def peaks(
        self, view: View, recipe: Recipe, vectors: Floats, video_id: str | None = None, *, most: int = 8
    ) -> Peaks:
        """Compare all embeddings in view with (Q, D) float32 vectors; only one video's where it is named.

        For each vector the peaks of the best videos are near enough to exact to pick so many of them.
        """
        ...

    async def indexes(self, videos: Sequence[HeldIndexing]) -> Sequence[FrameIndex | None]:
        """Return the frames of each of some videos as they are stored, as float32; None where they are gone by now."""
        ...
