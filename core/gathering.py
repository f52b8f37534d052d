"""What has been read of a film so far, and the Film that it becomes. Owns that state; must not know any port's work."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.errors import FileMissing, NoFrames
from core.model import Film, FrameIndex, Thumbnail, Video
from core.ports import FilmEnded, FilmOpened, Look, Seen
from core.talk import Progress
from core.words import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from core.model import Floats, Recipe
    from core.works import SoFar


@dataclass(frozen=True, slots=True)
class Source:
    """A film that lies on the disk and is yet to be looked at."""

    path: Path
    video_id: str
    title: str
    url: str
    link: str
    uploader: str = ""
    kept: bool = False
    """It lies in the store already."""
    several: bool = False
    """Its link leads to several films, and this is the first."""


@dataclass(slots=True)
class Gathered:
    """What has been read of a film so far."""

    opened: FilmOpened | None = None
    ended: FilmEnded | None = None
    times_s: list[float] = field(default_factory=list)
    vectors: list[Floats] = field(default_factory=list)
    thumbnails: list[Thumbnail] = field(default_factory=list)
    batch: list[Look] = field(default_factory=list)
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
    def seen(self) -> Seen | None:
        """Give how far the earlier reading went, where there was one."""
        return Seen(self.times_s[self.before - 1], self.before) if self.before else None


def take(gathered: Gathered, event: FilmOpened | Look | FilmEnded, batch: int) -> bool:
    """Take an event in; tell whether a batch is full."""
    match event:
        case FilmOpened():
            gathered.opened = event
        case FilmEnded():
            gathered.ended = event
        case Look():
            gathered.times_s.append(event.time_s)
            gathered.batch.append(event)
            if event.thumbnail is not None:
                gathered.thumbnails.append(Thumbnail(event.time_s, event.thumbnail))
    return len(gathered.batch) >= batch


def looked(gathered: Gathered, elapsed_s: float) -> Progress:
    """Tell how far the looking is."""
    expected = gathered.opened.expected_looks if gathered.opened else 0
    share = min(1.0, len(gathered.times_s) / expected) if expected else None
    now = share - gathered.before / expected if share else 0.0
    return Progress("looking", share, elapsed_s * (1 - share) / now if share and now > 0 else None)


def film_of(source: Source, gathered: Gathered, recipe: Recipe) -> Film:
    """Give the film that was read; raises NoFrames when nothing was."""
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
    return Film(video, recipe, index, tuple(gathered.thumbnails))


def content_id(path: Path) -> str:
    """Give the id of a file by its content; blocks. Raises FileMissing, also for folders, pipes and devices."""
    if not path.is_file():
        raise FileMissing(str(path))
    with path.open("rb") as stream:
        return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()[:32]


def stem(name: str) -> str:
    """Give a file's name as a title: one line of plain text, whatever bytes the name is made of."""
    line = one_line(name)
    return line.rsplit(".", 1)[0] or line
