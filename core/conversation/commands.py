"""The commands that can be typed in a message, parsed to events. Shared by all text doors; pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from core.links import is_link, meant_links
from core.model import filters
from core.model.events import Find, Forget, Help, LinkPosted, ListVideos, Unclear

if TYPE_CHECKING:
    from core.model.events import Incoming, PictureFile, Turn

_COMMAND = re.compile(r"\s*/(?P<name>[a-z]+)\b\s*(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_NAMES = frozenset({"find", "videos", "forget", "index", "help"})


def parse(turn: Turn, text: str) -> tuple[Incoming, ...]:
    """Return what a message asks for: one command, or a LinkPosted for each link, else Unclear."""
    command = _COMMAND.match(text)
    if command is not None:
        return _command(turn, command["name"].lower(), command["rest"].strip(), text)
    links = meant_links(text) or ((text.strip(),) if is_link(text) else ())
    return tuple(LinkPosted(turn, link) for link in links) or (Unclear(turn, text),)


def parse_words(turn: Turn, text: str) -> tuple[Incoming, ...]:
    """Give what is written where everything is said to Keaton: a command with its slash, links, else a search."""
    event, *others = parse(turn, text)
    if isinstance(event, Unclear) and text.strip() and not text.strip().startswith("/"):
        return (find(turn, text.strip()),)
    return (event, *others)


def parse_mention(turn: Turn, text: str) -> tuple[Incoming, ...]:
    """Return what words said to Keaton ask for: a command with or without its slash, links, else a search."""
    words = text.strip()
    name, _, rest = words.removeprefix("/").partition(" ")
    if name.lower() in _NAMES:
        return _command(turn, name.lower(), rest.strip(), words)
    links = meant_links(words)
    if links:
        return tuple(LinkPosted(turn, link) for link in links)
    if words.startswith("/"):
        return (Unclear(turn, words),)  # a command that was written otherwise than it is called
    return (find(turn, words),) if words else (Help(turn),)


def parse_about(turn: Turn, text: str, picture: PictureFile | None, answer_id: str) -> tuple[Incoming, ...]:
    """Return what words said to Keaton ask for, beside a picture or under an answer, where there is one.

    Bare words under an answer refine its question; `find` begins another one.
    """
    event, *others = parse_mention(turn, text)
    name = text.strip().removeprefix("/").partition(" ")[0].lower()
    if picture is not None and isinstance(event, Help) and name not in _NAMES:
        event = Find(turn, "")
    if not isinstance(event, Find):
        return (event, *others)
    return (replace(event, picture=picture, refines="" if name in _NAMES else answer_id),)


def _command(turn: Turn, name: str, rest: str, text: str) -> tuple[Incoming, ...]:
    match name:
        case "find":
            return (find(turn, rest),)
        case "videos":
            return (ListVideos(turn),)
        case "forget":
            return (Forget(turn, rest),)
        case "index":
            return tuple(LinkPosted(turn, link) for link in meant_links(rest)) or (Unclear(turn, text),)
        case "help":
            return (Help(turn),)
        case _:
            return (Unclear(turn, text),)


def find(turn: Turn, text: str) -> Find:
    """Return the search that words ask for; filters such as `video:NAME` in them say where to look."""
    words, written = filters.split(text)
    return Find(turn, words, written.video or None, replace(written, video=""))
