"""What a door tells the conversation: who did what, where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from core.model.filters import Filters

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.model.reply import Theme
    from core.model.requests import JobRef
    from core.model.video import Scope, View


@dataclass(frozen=True, slots=True)
class Door:
    """What one front door can show; its limits are its own properties."""

    platform: str
    themes: tuple[Theme, ...]
    """A picture that has themes is drawn once for each of these."""
    max_moments: int
    """How many moments of an answer get a button of their own."""
    max_picture_px: int = 3840
    max_upload_bytes: int = 200_000_000
    """The largest file that can be shown there, where no place says otherwise."""
    moving: Literal["mp4", "gif"] = "mp4"
    """What a moving preview has to be, so that it moves in the middle of a message."""
    shared: bool = False
    """Several people talk there: it matters who posted what, and channels can be switched on and off."""
    draws_plots: bool = False
    """It draws plots from their figures, and needs no pictures of them."""
    grouped: frozenset[str] = frozenset()
    """Commands that are written "/keaton NAME" there, and not "/NAME"."""

    def command(self, name: str) -> str:
        """Return a command as people write it there."""
        return f"/keaton {name}" if name in self.grouped else f"/{name}"


@dataclass(frozen=True, slots=True)
class Turn:
    """Who speaks, and where."""

    door: Door
    scope: Scope
    view: View
    """What an answer shown here may draw on."""
    user_id: str
    user_name: str
    message: str
    """The platform's id of the message, or ""."""
    message_url: str = ""
    """Where people can see that message, if anywhere."""
    late: bool = False
    """Done while Keaton was away: no haste of the asker's, so no cooldown counts."""
    moderator: bool = False
    """May take back what others posted there."""
    guest: bool = False
    """May use Keaton there, but not decide how it stands."""
    upload_limit_bytes: int | None = None
    """The largest file that this very place takes, where it has a limit of its own."""

    @property
    def max_upload_bytes(self) -> int:
        """Return the size of the largest file that can be shown here."""
        return self.door.max_upload_bytes if self.upload_limit_bytes is None else self.upload_limit_bytes


@dataclass(frozen=True, slots=True)
class LinkPosted:
    """A link to a video was posted."""

    turn: Turn
    url: str
    job: JobRef | None = None
    """None where nobody wrote it down."""


@dataclass(frozen=True, slots=True)
class FilePosted:
    """A video was posted as a file; it lies on this disk until the last reply was given."""

    turn: Turn
    path: Path
    name: str
    url: str = ""
    """Where people can watch it, if anywhere."""
    job: JobRef | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where a file can be had for now."""

    url: str
    bearer: str = ""
    """A token that the host of this very url, and no other, is to be shown; or ""."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A video that lies as a file on a platform's own servers."""

    key: str
    """The same for the same file at any time ("discord:attachment:42"); never an address, for these expire."""
    name: str
    locate: Callable[[], Awaitable[Address]]
    """Gives a fresh address, asked just before it is used; may raise AppError."""
    size_bytes: int = 0
    """0 where the platform does not say."""


@dataclass(frozen=True, slots=True)
class RemoteFilePosted:
    """A video was posted as a file that is still to be fetched."""

    turn: Turn
    file: RemoteFile
    job: JobRef | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """More was posted in one message than is indexed."""

    turn: Turn
    names: tuple[str, ...]
    """Of the links and files that are left alone."""
    most: int
    """So many are indexed."""


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """A message (`turn.message`) was changed. What it brought and does not any more is taken back, in silence."""

    turn: Turn
    items: frozenset[str]
    """The names of all that may be a video in it (see `bot.doors.messages.Item`)."""


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is gone: `turn.message`. It is answered with silence."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Switch:
    """A channel is switched: whether what is posted there is indexed."""

    turn: Turn
    on: bool
    job: JobRef | None = None
    """Under which it was written down: an older one does not undo what a newer one did."""


@dataclass(frozen=True, slots=True)
class Status:
    """A question how things stand in this channel."""

    turn: Turn
    blind: bool = False
    """The platform does not show Keaton what messages say, but for those that mention it."""
    missing: tuple[str, ...] = ()
    """Permissions that Keaton lacks there, as the platform calls them."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture that is asked about."""

    name: str
    read: Callable[[int], Awaitable[bytes]]
    """Gives its content, asked once with how many bytes are taken at most; may raise AppError."""
    path: Path | None = None
    """Where it lies on this disk, if it does."""


@dataclass(frozen=True, slots=True)
class Find:
    """A search."""

    turn: Turn
    text: str
    video: str | None = None
    """Id or title of the one video to look in."""
    filters: Filters = field(default_factory=Filters)
    """What was written beside the words."""
    rooms: tuple[tuple[str, str], ...] = ()
    """Id and name of each channel that an answer shown there may draw on, for `in:`."""
    picture: PictureFile | None = None
    """To be looked for, beside the words or without any."""
    refines: str = ""
    """Id of the answer whose question these words refine."""


@dataclass(frozen=True, slots=True)
class Action:
    """A button was pressed."""

    turn: Turn
    id: str
    job: JobRef | None = None
    """Under which the press was written down: what it changes is changed once, however often it is begun."""
    under: str = ""
    """The platform's id of the message that the button stands under."""


@dataclass(frozen=True, slots=True)
class ListVideos:
    """A question for the list of videos."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Forget:
    """A video is to be forgotten."""

    turn: Turn
    video: str
    """Id or title."""
    job: JobRef | None = None


@dataclass(frozen=True, slots=True)
class Help:
    """A question what Keaton can do."""

    turn: Turn


@dataclass(frozen=True, slots=True)
class Unclear:
    """Words said to Keaton that are no command."""

    turn: Turn
    text: str


Incoming: TypeAlias = (
    LinkPosted
    | FilePosted
    | RemoteFilePosted
    | LeftOut
    | MessageEdited
    | MessageDeleted
    | Find
    | Action
    | ListVideos
    | Forget
    | Switch
    | Status
    | Help
    | Unclear
)
