"""Each error as one or two plain sentences for the person who can fix it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, assert_never

from core import errors
from core import errors as disk
from core import errors as links
from core import errors as running
from core import errors as turns
from core import errors as videos
from core.formatting import clock, roughly

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import AppError

_REFUSED = {
    "scheme": "I only follow http and https links.",
    "private": "That link leads to a private address, and I do not go there. "
    "My operator can allow a host with KEATON_ALLOWED_HOSTS.",
    "port": "That link leads to a port other than 80 and 443, and I do not go there.",
    "malformed": "That link is not a proper web address.",
    "site": "I fetch only from the sites that my operator has named, and that link leads elsewhere.",
}
_REFUSED_ON = "I fetch only from the sites that my operator has named, and that link leads on to"
_UNAVAILABLE = {
    "no_video": "I found no video behind that link.",
    "not_found": "There is nothing at that link (the site answered “not found”).",
    "login": "The site shows that video only to people who have logged in, so I cannot fetch it.",
    "age": "The site shows that video only to people who have proven their age, so I cannot fetch it.",
    "robot": "The site takes me for a robot, and it is right. It does not let me fetch that video.",
    "live": "That is a live stream. Post it again when it is over.",
    "geo": "The site does not show that video in the country that I run in.",
    "hidden": "I am not let see that file. The site's owner can allow it.",
    "removed": "That video has been removed, or made private.",
    "unsupported": "I do not know how to fetch videos from that site.",
    "no_site": "There is no such site: that link's host name leads nowhere. Check how it is spelt.",
    "truncated": "That link seems to be cut off: the site knows no video by so short a name. Copy the whole of it.",
    "empty": "The file behind that link is empty.",
    "circles": "That link leads around in circles.",
}
_FAILED = {
    "dns": "I cannot find that site: its name leads nowhere.",
    "tls": "The site's certificate is not in order, so I did not fetch from it.",
    "refused": "The site refused the connection.",
    "timeout": "The site took too long to answer. Try again in a while.",
    "slow": "The site sends next to nothing, so I stopped waiting. Try again in a while.",
    "broken": "The connection broke off again and again. Try again in a while.",
    "busy": "The site is out of order or overloaded. Try again in a while.",
    "http": "The site answered with an error. Try again in a while.",
    "other": "Fetching that video failed. Try again in a while.",
}
_NO_FILE = {
    "folder": "is a folder, not a file. Name the files in it",
    "pipe": "is a pipe, not a file",
    "socket": "is a socket, not a file",
    "device": "is a device, not a file",
    "empty": "is empty",
}
_MOST_S, _MOST_PX, _MOST_BYTES = 1000 * 3600, 1e10, 1e12
"""What no video has: a header that says more is damaged, or lies."""
_IN_QUOTES = "To look for these very words, put them in quotes."
_NOT_UNDERSTOOD = {
    "date": "I know no such date as in “{part}”. I know 2026-11-22, 2026-11, yesterday, monday, week and 3d. "
    f"{_IN_QUOTES}",
    "window": "I do not understand “{part}”. Write “a car > an explosion” for one thing and then another, or "
    f"“a car >90s an explosion” for another time between them. {_IN_QUOTES}",
    "side": f"Something is missing beside “{{part}}”: there have to be words on both sides of it. {_IN_QUOTES}",
    "mixed": f"I can look for one thing after another, or for several side by side, not for both at once. {_IN_QUOTES}",
    "many": "That is more than I can look for at once: two things one after the other, or six side by side. "
    f"{_IN_QUOTES}",
}
_SENTENCES: Final[Mapping[type[AppError], str]] = {
    videos.NotAVideo: "{name} is not a video that I can open.",
    videos.NoVideoStream: "{name} has no pictures in it, only sound or data.",
    videos.NoFrames: "{name} is a video, but not one of its frames can be read.",
    videos.NotAPicture: "{name} is not a picture that I can open.",
    videos.NoPicture: "There is no picture in that message.",
    videos.FileMissing: "There is no file {path}.",
    videos.FileUnreadable: "I may not read {path} ({reason}).",
    videos.FolderUnwritable: "I cannot write to {path} ({reason}).",
    videos.VideoGone: "The file of {title} had to make room for newer ones, so there is nothing to cut from any more. "
    "To have it back, post it again.",
    videos.GivenUp: "The program that reads videos for me broke down each time on {name}, so I leave it alone for now. "
    "That is my fault, and says nothing about the file.",
    videos.DecoderDied: "The program that reads videos for me broke down on {name}. "
    "That is my fault, and says nothing about the file.",
    errors.EmptyQuery: "What shall I look for? For example: /find a woman in water",
    errors.NothingIndexed: "There is nothing to search here yet. Post a link to a video first, or drop a file.",
    errors.NoneFit: "There are videos here, but none that was posted so. Ask with other dates, or another name.",
    errors.NothingElse: "There is nothing else to search than that very moment.",
    errors.NothingToRefine: "You have not asked anything here that I could refine. Ask with /find first.",
    errors.PictureOutdated: "My model has changed since I was shown that picture. Show it to me again.",
    errors.AnswerGone: "That answer is gone, or its video is. Ask again with /find.",
    turns.NotHere: "I work in channels, where everybody can browse together. Ask me in one.",
    turns.NotAllowed: "Only people with the permission {needed} can do that here.",
    turns.NotForGuests: "Only full members can switch me on and off here, and I was not told that you are one.",
    turns.NotYours: "Only the person who posted {title} here, or a moderator of this channel, can forget it.",
    turns.NotYourJob: "Only the person who asked for that video can cancel it.",
    turns.JobCancelled: "Cancelled: I leave that video alone.",
    turns.FilmForgotten: "That video was forgotten here meanwhile, so I kept nothing of it.",
    turns.MessageGone: "That message is gone, so I kept nothing of it.",
    turns.NotShown: "I have an answer, but I cannot show it here. {advice}",
    turns.NotYetKnown: "I was not told about this place yet: there may be an outage. Ask me again in a minute.",
    running.BadSetting: "The setting {name} is wrong: {reason}.",
    running.UnknownModel: "KEATON_MODEL={model!r} cannot be used: {reason}.",
    running.WeightsUnavailable: "The weights of the model {model!r} cannot be had: {reason}. Ways out: put them in the "
    "model cache on a machine with internet and set KEATON_MODEL_CACHE; or point KEATON_MODEL at a folder with "
    "local-dir:PATH; or try the bundled KEATON_MODEL=demo. `keaton doctor` tells more.",
    running.EncoderBroken: "The model {model!r} gives the same vector for different pictures (similarity "
    "{similarity:.4f}). Its weights or this build of torch are broken; `keaton doctor` tells more.",
    running.PortTaken: "Port {port} is taken. Set {setting} to another, or stop what listens there.",
    disk.DiskFull: "The disk is full, so I could not write that down. What I kept before is safe. "
    "My operator has to make room where the data folder lies; then it works again.",
    disk.StorageLocked: "Another program holds my database and does not let go of it, so I could not do that. Try "
    "again in a while. My operator can look for what holds it: a backup, or a second Keaton.",
    disk.StorageReadOnly: "I may not write to the data folder {path}: {reason}. Check its owner, its permissions and "
    "how its disk is mounted; KEATON_DATA_DIR sets another.",
    disk.StorageDamaged: "A part of my database is damaged, and this lies in it; the rest still works. "
    "My operator can mend it: stop me, and run `keaton doctor --repair`.",
    disk.DatabaseGone: "My database was deleted or replaced while I ran, so I cannot keep or forget anything any more. "
    "Operator: stop me, put the file back (the log says where a copy lies), and start me again.",
    disk.ForgottenInCopy: "My database was deleted or replaced while I ran. That is deleted from the copy that I made "
    "of it, but I still show it until my operator stops me, puts the copy in its place (the log says where it "
    "lies), and starts me again.",
    disk.StorageUnusable: "The data folder {path} cannot be used: {reason}. KEATON_DATA_DIR sets another.",
    disk.DataFolderInUse: "Another Keaton runs on the data folder {path}. Stop that one, or set another "
    "KEATON_DATA_DIR.",
    disk.SchemaTooNew: "{path} was written by a newer Keaton (schema {found}, this one knows {known}). Use that one, "
    "or set another KEATON_DATA_DIR.",
}
"""Those that need nothing but the error's own data."""
_THAT_VIDEO = "that video"
"""In the place of a name that is not known, or is nobody's business there."""
# What a mention leaves behind (a Discord id has 17 to 20 digits, one of Slack a capital letter and more), or an id of
# Keaton's own: nobody reads these.
_ID = re.compile(r"<?[@#]?[!&]?(?:\d{15,20}|[CDGUWB][A-Z0-9]{7,})>?|[a-z0-9_]+:[\w-]{6,}")
MODEL_AWAY = "The model is not loaded yet, or could not be."
DAMAGED = "A part of the database is damaged; stop Keaton and run `keaton doctor --repair`."


def door_away(name: str) -> str:
    """Say that a platform is not connected."""
    return f"There is no connection to {name} at the moment."


def sentence(error: AppError) -> str:
    """Return one or two plain sentences."""
    template = _SENTENCES.get(type(error))
    if template is None:
        return _worked_out(error)
    values = vars(error)
    if values.get("name") == "":
        return _capital(template.format_map({**values, "name": _THAT_VIDEO}))
    return template.format_map(values)


def _worked_out(error: AppError) -> str:  # noqa: PLR0911 - a line each
    match error:
        case videos.OverLimit():
            return _over(error)
        case videos.NotAFile() | videos.ClipTooLarge():
            return _of_file(error)
        case turns.MissingPermissions(names):
            return f"I cannot do that in this channel: I lack {_and(names)}. Its manager can grant that."
        case turns.MayNotPost(names):
            return f"You lack {_and(names)} here, so I post nothing for all in your name."
        case turns.TooFast(wait_s):
            wait = f"{max(1, math.ceil(wait_s))} s"
            return f"One thing after the other, please: for {wait} I leave alone what you post and ask. Then try again."
        case turns.QueueFull(most):
            return f"You have {_count(most, 'video')} with me that I am not done with. Post this one again after them."
        case _:
            return _of_link(error)


def _of_file(error: videos.NotAFile | videos.ClipTooLarge) -> str:
    match error:
        case videos.NotAFile(name, kind):
            return f"{name or _capital(_THAT_VIDEO)} {_NO_FILE[kind]}."
        case videos.ClipTooLarge(limit):
            return f"That cut does not fit into the {_gigabytes(limit)} that I may send here. Make it shorter."


def _of_link(error: AppError) -> str:
    match error:
        case links.LinkRefused(_, why, host):
            return f"{_REFUSED_ON} {host}." if host else _REFUSED.get(why, _REFUSED["malformed"])
        case links.VideoUnavailable(_, why, detail):
            return _with(_UNAVAILABLE.get(why, _UNAVAILABLE["no_video"]), detail if why == "unsupported" else "")
        case links.FetchFailed(_, why, detail):
            return _with(_FAILED.get(why, _FAILED["other"]), detail if why in {"http", "busy", "other"} else "")
        case _:
            return _of_question(error)


def _of_question(error: AppError) -> str:  # noqa: PLR0911 - a line each
    match error:
        case errors.UnknownVideo(name):
            called = "such video" if _is_id(name) else f"video “{name}”"
            return f"I know no {called} here. Ask me for the videos that I know." if name else "Which video?"
        case errors.AmbiguousVideo(name, titles):
            called = "that" if _is_id(name) else f"“{name}”"
            return f"Several videos go by {called}: {', '.join(titles[:5])}. Name one of these."
        case errors.NotWholeName(name, titles):
            meant = " or ".join(f"“{title}”" for title in titles[:5])
            return f"I forget a video by its whole name alone, and “{name}” is a part of one. Do you mean {meant}?"
        case errors.UnknownPoster(name):
            return (
                "That person has posted no video here."
                if _is_id(name)
                else f"Nobody called “{name}” has posted a video here."
            )
        case errors.NotUnderstood(part, why):
            return _NOT_UNDERSTOOD.get(why, _NOT_UNDERSTOOD["window"]).format(part=part)
        case errors.UnknownChannel(name):
            called = "such channel" if _is_id(name) else f"channel “{name}”"
            return f"I know no {called} whose videos may be shown here."
        case errors.NoSuchSpace(name, known, several):
            why = "Several spaces go" if several else "No space goes"
            ways = "Say which with --platform." if several else "`keaton spaces` lists them."
            return f"{why} by the name {name}. {ways} Known: {', '.join(known[:20]) or 'none'}."
        case errors.NotInOrder(first, second, window_s):
            wider = f"{first} >{window_s * 4:.0f}s {second}"
            return f"I see no “{first}” with “{second}” after it within {window_s:g} s. A wider search: /find {wider}"
        case _:
            return str(error)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_id(name: str) -> bool:
    return _ID.fullmatch(name.strip()) is not None


def _over(error: videos.OverLimit) -> str:
    return _over_limit(error, error.name) if error.name else _capital(_over_limit(error, _THAT_VIDEO))


def _over_limit(error: videos.OverLimit, name: str) -> str:
    limit, found = error.limit, error.found
    match error.quantity:
        case "duration_s":
            length = f"{name} is {clock(found)} long" if found else f"{name} is too long"
            length = length if (found or 0) < _MOST_S else f"{name} claims a length that no video has"
            return f"{length}; I take videos of up to {clock(limit)}."
        case "size_bytes":
            size = f"{name} has {_gigabytes(found)}" if found and found > limit else f"{name} is too large"
            size = size if (found or 0) < _MOST_BYTES else f"{name} claims more bytes than any video has"
            return f"{size}; I take up to {_gigabytes(limit)}."
        case "frame_px":
            size = f" ({found / 1e6:,.0f} million pixels)" if found else ""
            size = f"The frames of {name} are too large for me{size}"
            size = size if (found or 0) < _MOST_PX else f"{name} claims a size that no picture has"
            return f"{size}; I read up to {limit / 1e6:,.0f} million pixels."
        case "frames":
            return f"{name} has more than {limit:,.0f} frames, and that is as far as I count."
        case "decode_s":
            return f"Reading {name} took more than {roughly(limit)} of computing, so I stopped."
        case "memory_bytes":
            return f"{name} needs more memory than I give to one video ({_gigabytes(limit)})."
        case _:
            assert_never(error.quantity)


def _gigabytes(size: float) -> str:
    if size >= 1e10:
        return f"{size / 1e9:,.0f} GB"
    return f"{size / 1e9:.2g} GB" if size >= 1e8 else f"{size / 1e6:.2g} MB"


def _count(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"


def _and(names: tuple[str, ...]) -> str:
    quoted = [f"“{name}”" for name in names]
    several = f"{', '.join(quoted[:-1])} and {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)
    return f"the permissions {several}" if len(quoted) > 1 else f"the permission {several}"


def _with(text: str, detail: str) -> str:
    return f"{text} ({detail})" if detail else text
