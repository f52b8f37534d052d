"""Everything that is expected to go wrong. The class says who can fix it; sentences stand in `core.wording.errors`.

Each is a UserError (the asker can fix it), a TryLater (it may work later) or an OperatorError.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, TypeAlias, dataclass_transform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.limits import Quantity


@dataclass_transform(eq_default=False)
class AppError(Exception):
    """Anything that Keaton expects to go wrong. Never raised itself. Each error is a dataclass."""

    def __init_subclass__(cls) -> None:
        """Make a class of errors a dataclass, equal to itself alone, as exceptions are."""
        dataclass(eq=False)(cls)


class UserError(AppError):
    """The asker can fix it."""


class TryLater(AppError):
    """It may work later."""


class OperatorError(AppError):
    """The operator of Keaton can fix it."""


class UnknownVideo(UserError):
    """No video by that name is visible to the asker."""

    name: str


class AmbiguousVideo(UserError):
    """Several visible videos go by that name."""

    name: str
    titles: tuple[str, ...]


class NotWholeName(UserError):
    """What is to be forgotten was named by a part of its name, which may have been meant for another video."""

    name: str
    titles: tuple[str, ...]
    """Of the visible videos whose names hold it."""


class UnknownPoster(UserError):
    """Nobody by that name posted a video that is visible to the asker."""

    name: str


class NotUnderstood(UserError):
    """A part of the question is written as no mark and no filter is."""

    part: str
    why: str
    """"date", or one of `core.model.query.Doubt`."""


class UnknownChannel(UserError):
    """There is no channel by that name from which an answer may be shown where it was asked for."""

    name: str


class NoSuchSpace(UserError):
    """No space goes by that name, or spaces of several platforms do."""

    name: str
    known: tuple[str, ...]
    """Platform and name of each."""
    several: bool


class EmptyQuery(UserError):
    """Nothing was asked for."""


class NothingIndexed(UserError):
    """There is no video to search yet."""


class NoneFit(UserError):
    """There are videos, but none that was posted by that person, then or there."""


class NotInOrder(UserError):
    """Nowhere does the one thing follow the other in time."""

    first: str
    second: str
    window_s: float


class NothingElse(UserError):
    """There is nothing to search but the very moment that more is wanted like."""


class NothingToRefine(UserError):
    """The asker has no earlier question there."""


class PictureOutdated(UserError):
    """The model has changed since the picture was shown: its vector says nothing any more."""


class AnswerGone(UserError):
    """The answer under a button is not there any more."""


class StorageUnusable(OperatorError):
    """The data folder cannot be used."""

    path: str
    reason: str


class DiskFull(StorageUnusable):
    """There is no room left; nothing that was kept before is touched by that."""


class StorageLocked(StorageUnusable):
    """Another process has held the database for longer than Keaton waits."""


class StorageReadOnly(StorageUnusable):
    """The folder or its disk may be read, but not written."""


class StorageDamaged(StorageUnusable):
    """What was to be read or changed lies in a damaged part of the database."""


class DatabaseGone(StorageUnusable):
    """The database was deleted or replaced while Keaton ran: what is written now would be lost."""


class ForgottenInCopy(DatabaseGone):
    """The database was deleted or replaced; what was to be forgotten is deleted from the copy of it."""

    videos: tuple[str, ...] = ()
    """Ids of the videos that went with it: nobody has them any more."""


class DataFolderInUse(OperatorError):
    """Another Keaton works on the same data folder, and must not."""

    path: str


class SchemaTooNew(OperatorError):
    """The database was written by a newer Keaton."""

    path: str
    found: int
    known: int


FileKind: TypeAlias = Literal["folder", "pipe", "socket", "device", "empty"]


class NotAVideo(UserError):
    """The file is no video that the decoder can open."""

    name: str


class NoVideoStream(UserError):
    """The file holds sound or data, but no pictures."""

    name: str


class NoFrames(UserError):
    """The file has a video stream, but not one frame of it decodes."""

    name: str


class NotAPicture(UserError):
    """The file is no picture that can be asked about."""

    name: str


class NoPicture(UserError):
    """There is no picture in the message that was pointed at."""


class NotAFile(UserError):
    """There is something by that name, but no file with bytes in it."""

    name: str
    kind: FileKind


class FileMissing(UserError):
    """There is no such file."""

    path: str


class FileUnreadable(UserError):
    """The file is there, but may not or cannot be read."""

    path: str
    reason: str


class FolderUnwritable(UserError):
    """Pictures cannot be written where they were wanted."""

    path: str
    reason: str


class OverLimit(UserError):
    """The video takes more than one video may."""

    name: str
    """Of a file, or a link."""
    quantity: Quantity
    limit: float
    found: float | None = None
    """None where nobody measured it: it was stopped on the way."""


class VideoGone(UserError):
    """The video's file is not kept any more, so that nothing can be cut from it."""

    title: str


class ClipTooLarge(UserError):
    """A cut does not fit into what its place takes, however coarse."""

    limit_bytes: int


class GivenUp(TryLater):
    """The video broke its decoder before, again and again, so that it is not tried any more for now."""

    name: str


class DecoderDied(TryLater):
    """The decoding child ended without a word."""

    name: str
    detail: str = ""


@contextmanager
def called(title: str) -> Iterator[None]:
    """Let errors about a video's file name the video: a kept file bears a name of Keaton's own, which tells nobody.

    A file that is called as the video is keeps its name.
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


class LinkRefused(UserError):
    """The link leads where Keaton does not go."""

    url: str
    why: str
    """"scheme", "private", "port", "malformed" or "site"."""
    host: str = ""
    """Where the link leads on to, in place of its own host."""


class VideoUnavailable(UserError):
    """The site does not give the video out."""

    url: str
    why: str
    """"no_video", "not_found", "hidden", "login", "age", "robot", "live", "geo", "removed", "circles",
    "no_site", "truncated", "empty" or "unsupported"."""
    detail: str = ""


class FetchFailed(TryLater):
    """The network, or the other side, did not play along."""

    url: str
    why: str
    """"dns", "tls", "refused", "timeout", "slow", "broken", "http" or "other"."""
    detail: str = ""


class BadSetting(OperatorError):
    """A setting has a value that makes no sense."""

    name: str
    reason: str


class UnknownModel(OperatorError):
    """The setting names no model that open_clip knows."""

    model: str
    reason: str


class WeightsUnavailable(OperatorError):
    """The model's weights can be neither found nor downloaded."""

    model: str
    reason: str


class EncoderBroken(OperatorError):
    """The self-test failed: different pictures give the same vector."""

    model: str
    similarity: float


class PortTaken(OperatorError):
    """Something else listens where the local chat, or what watches over Keaton, should."""

    port: int
    setting: str = "KEATON_WEB_PORT"


class NotHere(UserError):
    """Keaton works in shared channels alone, not in private talks."""


class NotAllowed(UserError):
    """The asker may not do that there."""

    needed: str
    """The permission, as the platform calls it."""


class NotForGuests(UserError):
    """Full members alone decide that there, and the platform has not said that the asker is one."""


class MayNotPost(UserError):
    """The asker may not post there what they want posted for all."""

    names: tuple[str, ...]
    """The permissions that they lack, as the platform calls them."""


class MissingPermissions(UserError):
    """The platform does not let Keaton do its work in that channel."""

    names: tuple[str, ...]
    """As the platform calls them."""


class NotYours(UserError):
    """The asker has not posted the video there, and moderates nothing."""

    title: str


class NotYourJob(UserError):
    """Only the asker may cancel a video."""


class JobCancelled(UserError):
    """The video is not wanted any more."""


class FilmForgotten(UserError):
    """The video was taken back there while it was under way."""


class MessageGone(UserError):
    """The message was deleted before its video was kept."""


class TooFast(TryLater):
    """One person started too much within a minute."""

    wait_s: float


class QueueFull(TryLater):
    """One person has too many videos waiting."""

    most: int


class NotShown(UserError):
    """The platform takes an answer in no form."""

    advice: str
    """What an admin can do, as a sentence."""


class NotYetKnown(TryLater):
    """The platform has not told Keaton about that place yet, as after an outage."""
