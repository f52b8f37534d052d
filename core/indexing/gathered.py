"""What has been read of a video so far, as a batch for the encoder and as the record to be saved."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from core.errors import NoFrames
from core.formatting import one_line
from core.indexing.local_files import file_id
from core.model.reply import Progress
from core.model.video import FrameIndex, IndexedVideo, Thumbnail, Video
from core.ports.video import ResumePoint, SampledFrame, VideoEnded, VideoOpened

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import Floats, Pixels, Recipe
    from core.ports.jobs import SoFar

_FIRST_BATCH = 2


@dataclass(frozen=True, slots=True)
class Source:
    """A video that lies on the disk and is yet to be looked at."""

    path: Path
    video_id: str
    title: str
    url: str
    link: str
    uploader: str = ""
    kept: bool = False
    """It lies in the store already."""
    several: bool = False
    """Its link leads to several videos, and this is the first."""
    site_id: str = ""
    """What the extractor that fetched it said that it is; see `core.leads`."""


@dataclass(slots=True)
class Gathered:
    """What has been read of a video so far."""

    opened: VideoOpened | None = None
    ended: VideoEnded | None = None
    times_s: list[float] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    batch: list[SampledFrame] = field(default_factory=list)
    before: int = 0
    """How many of the looks an earlier reading gave."""

    @classmethod
    def after(cls, so_far: SoFar | None) -> Gathered:
        """Give what an earlier reading saw, to go on from, or nothing."""
        if so_far is None:
            return cls()
        index = so_far.index
        pictures = list(so_far.thumbnails)
        return cls(times_s=index.times_s.tolist(), vectors=[index.vectors], thumbnails=pictures, before=len(index))

    @property
    def seen(self) -> ResumePoint | None:
        """Give how far the earlier reading went, where there was one."""
        return ResumePoint(self.times_s[self.before - 1], self.before) if self.before else None


def take(gathered: Gathered, event: VideoOpened | SampledFrame | VideoEnded, batch: int) -> bool:
    """Take an event in; tell whether a batch is full.

    The first batches are small and grow, so that a video can be searched from its first seconds on.
    """
    match event:
        case VideoOpened():
            gathered.opened = event
        case VideoEnded():
            gathered.ended = event
        case SampledFrame():
            gathered.times_s.append(event.time_s)
            gathered.batch.append(event)
            if event.thumbnail is not None:
                gathered.thumbnails.append(Thumbnail(event.time_s, event.thumbnail))
    wanted = min(batch, max(_FIRST_BATCH, len(gathered.times_s) - len(gathered.batch)))
    return len(gathered.batch) >= wanted


def to_encode(gathered: Gathered) -> Pixels:
    """Give the pictures of the batch that differ, (N, S, S, 3) uint8, N at least 0."""
    return np.array([look.pixels for look in gathered.batch if not look.repeats], np.uint8)


def put(gathered: Gathered, encoded: Floats) -> None:
    """Give each look of the batch its vector, or that of the look which it repeats, and start the next batch."""
    before = [gathered.vectors[-1][-1:]] if gathered.vectors else []
    rows = np.cumsum([not look.repeats for look in gathered.batch]) + (len(before) - 1)
    gathered.vectors.append(np.concatenate([*before, encoded])[rows])
    gathered.batch.clear()


def looked(gathered: Gathered, elapsed_s: float) -> Progress:
    """Tell how far the looking is."""
    length_s = gathered.opened.duration_s if gathered.opened else 0.0
    if not length_s or not gathered.times_s:
        return Progress("looking", None)
    share = 1.0 if gathered.ended else min(1.0, gathered.times_s[-1] / length_s)
    now = share - (gathered.seen.until_s / length_s if gathered.seen else 0.0)
    return Progress("looking", share, elapsed_s * (1 - share) / now if now > 0 else None)


def video_of(source: Source, gathered: Gathered, recipe: Recipe) -> IndexedVideo:
    """Give the video that was read; raises NoFrames when nothing was."""
    opened, ended = gathered.opened, gathered.ended
    if opened is None or ended is None or not gathered.vectors:
        raise NoFrames(source.title)
    duration_s = ended.reached_s if ended.truncated else max(opened.duration_s, ended.reached_s)
    video = Video(
        source.video_id,
        source.url,
        source.title,
        duration_s,
        opened.width_px,
        opened.height_px,
        ended.truncated,
        source.uploader,
    )
    index = FrameIndex(np.array(gathered.times_s, np.float64), np.concatenate(gathered.vectors))
    return IndexedVideo(video, recipe, index, tuple(gathered.thumbnails))


def content_id(path: Path) -> str:
    """Give the id of one of Keaton's own files by its content; blocks. Raises FileMissing, FileUnreadable, NotAFile."""
    return file_id(path, path.name, inf)


def stem(name: str) -> str:
    """Give a file's name as a title: one line of plain text, whatever bytes the name is made of."""
    line = one_line(name)
    return line.rsplit(".", 1)[0] or line
