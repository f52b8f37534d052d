"""What people ask for on the page, as events. Must not know where they are answered."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.requests import event_of
from core.commands import find
from core.links import path_of
from core.talk import FilePosted, Find, PictureFile, Turn

if TYPE_CHECKING:
    from bot.web.standing import Standing
    from core.jobs import Job
    from core.talk import Incoming


class Parse(Protocol):
    """Makes events of what somebody wrote."""

    def __call__(self, turn: Turn, text: str) -> tuple[Incoming, ...]:
        """Give at least one event."""
        ...


def again(turn: Turn, job: Job, asked: Standing, parse: Parse) -> Incoming:
    """Give what somebody asked for before a restart."""
    request = job.request
    if plain := event_of(request, turn):
        return plain
    match request.kind:
        case "find" if asked.file:
            return about_picture(turn, asked.text, asked.file, Path(request.picture))
        case "find" if asked.refines:
            return replace(find(turn, asked.text), refines=asked.refines)
        case "find":
            return parse(turn, asked.text)[asked.part]
        case _:
            return FilePosted(turn, path_of(request.source), request.name)


def about_picture(turn: Turn, text: str, name: str, path: Path) -> Find:
    """Give the question that a posted picture is, with words or without."""

    async def read(limit_bytes: int) -> bytes:
        return await asyncio.to_thread(_read, path, limit_bytes)

    words = text.strip().removeprefix("/find").strip()
    return replace(find(turn, words), picture=PictureFile(name, read, path))


def _read(path: Path, limit_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit_bytes + 1)
