"""What can go wrong with the file of a film or picture. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias

from core.errors import TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.limits import Quantity

FileKind: TypeAlias = Literal["folder", "pipe", "socket", "device", "empty"]


@dataclass(eq=False)
class NotAVideo(UserError):
    """The file is no film that the decoder can open."""

    name: str


@dataclass(eq=False)
class NoVideoStream(UserError):
    """The file holds sound or data, but no pictures."""

    name: str


@dataclass(eq=False)
class NoFrames(UserError):
    """The file has a video stream, but not one frame of it decodes."""

    name: str


@dataclass(eq=False)
class NotAPicture(UserError):
    """The file is no picture that can be asked about."""

    name: str


@dataclass(eq=False)
class NoPicture(UserError):
    """There is no picture in the message that was pointed at."""


@dataclass(eq=False)
class NotAFile(UserError):
    """There is something by that name, but no file with bytes in it."""

    name: str
    kind: FileKind


@dataclass(eq=False)
class FileMissing(UserError):
    """There is no such file."""

    path: str


@dataclass(eq=False)
class FileUnreadable(UserError):
    """The file is there, but may not or cannot be read."""

    path: str
    reason: str


@dataclass(eq=False)
class FolderUnwritable(UserError):
    """Pictures cannot be written where they were wanted."""

    path: str
    reason: str


@dataclass(eq=False)
class OverLimit(UserError):
    """The film takes more than one film may."""

    name: str
    """Of a file, or a link."""
    quantity: Quantity
    limit: float
    found: float | None = None
    """None where nobody measured it: it was stopped on the way."""


@dataclass(eq=False)
class FilmGone(UserError):
    """The film's file is not kept any more, so that nothing can be cut from it."""

    title: str


@dataclass(eq=False)
class ClipTooLarge(UserError):
    """A cut does not fit into what its place takes, however coarse."""

    limit_bytes: int


@dataclass(eq=False)
class GivenUp(TryLater):
    """The film broke its decoder before, again and again, so that it is not tried any more for now."""

    name: str


@dataclass(eq=False)
class DecoderDied(TryLater):
    """The decoding child ended without a word."""

    name: str
    detail: str = ""


@contextmanager
def called(title: str) -> Iterator[None]:
    """Let errors about a film's file name the film: a kept file bears a name of Keaton's own, which tells nobody.

    A file that is called as the film is keeps its name.
    """
    try:
        yield
    except (NotAVideo, NoVideoStream, NoFrames, OverLimit, DecoderDied, GivenUp, NotAFile) as error:
        if not title or PurePath(error.name).stem != title:
            error.name = title
        raise
    except (FileMissing, FileUnreadable) as error:
        error.path = title or error.path
        raise
