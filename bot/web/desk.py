"""Turns what people do on the page into events, and shows the replies in the channel.

Owns the tasks that do so; must not know HTTP.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.delivery import deliver
from bot.web.channel import Channel
from bot.web.config import DOOR, WebConfig
from bot.web.pictures import PictureShelf
from bot.web.spot import Spot
from core.actions import answer_among
from core.commands import find
from core.model import Scope, View
from core.talk import Action, FilePosted, PictureFile, Turn

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from pathlib import Path

    from bot.delivery import Conversation
    from core.talk import Incoming


class Parse(Protocol):
    """Makes events of what somebody wrote."""

    def __call__(self, turn: Turn, text: str) -> tuple[Incoming, ...]:
        """Give at least one event."""
        ...


class Desk:
    """Takes what the tabs send; answers appear in the channel."""

    def __init__(self, conversation: Conversation, parse: Parse, config: WebConfig) -> None:
        self._conversation = conversation
        self._parse = parse
        self._config = config
        self.channel = Channel(config.log_limit)
        self.shelf = PictureShelf(config.picture_limit_bytes)
        self._tasks: set[asyncio.Task[None]] = set()
        self._presses: dict[int, int] = {}

    def turn(self, message: int | str = "", name: str = "you") -> Turn:
        """Give the turn of whoever sits before the page."""
        scope = Scope(DOOR.platform, self._config.space, self._config.channel)
        return Turn(DOOR, scope, View.of(scope), user_id=name, user_name=name, message=str(message), moderator=True)

    def say(self, text: str, tab: str) -> None:
        """Take a message somebody wrote."""
        message = self.channel.reserve()
        self.channel.add(message, "you", {"text": text})
        events = self._parse(self.turn(message), text)
        for event in events:
            question = message if len(events) == 1 else None
            self._start(self._answer(event, Spot(self.channel, self.shelf, tab, question=question)))

    def take_file(self, path: Path, name: str, size_bytes: int, tab: str) -> None:
        """Take a posted file; it is deleted after the last reply."""
        message = self.channel.reserve()
        self.channel.add(message, "you", {"text": "", "file": {"name": name, "size_bytes": size_bytes}})
        spot = Spot(self.channel, self.shelf, tab, question=message)
        self._start(self._answer_file(FilePosted(self.turn(message), path, name), path, spot))

    def take_picture(self, path: Path, name: str, text: str, tab: str) -> None:
        """Take a picture that is asked about, with words or without; it is deleted after the last reply."""
        message = self.channel.reserve()
        self.channel.add(message, "you", {"text": text, "file": {"name": name, "size_bytes": path.stat().st_size}})

        async def read(limit_bytes: int) -> bytes:
            return await asyncio.to_thread(_read, path, limit_bytes)

        words = text.strip().removeprefix("/find").strip()
        event = replace(find(self.turn(message), words), picture=PictureFile(name, read))
        self._start(self._answer_file(event, path, Spot(self.channel, self.shelf, tab, question=message)))

    def refine(self, text: str, answered: int, tab: str) -> None:
        """Take a message that refines the question whose answer stands in another message."""
        message = self.channel.reserve()
        self.channel.add(message, "you", {"text": text})
        event = replace(find(self.turn(message), text), refines=answer_among(self.channel.buttons(answered)))
        self._start(self._answer(event, Spot(self.channel, self.shelf, tab, question=message)))

    def press(self, message: int, action: str, tab: str) -> None:
        """Take the press of a button under a message; of several presses the newest decides what stands there."""
        self._presses = {known: count for known, count in self._presses.items() if known in self.channel}
        press = self._presses[message] = self._presses.get(message, 0) + 1

        def is_newest() -> bool:
            return self._presses.get(message) == press

        spot = Spot(self.channel, self.shelf, tab, pressed=message, is_newest=is_newest)
        self._start(self._answer(Action(self.turn(message), action), spot))

    def announce(self, text: str, event: Incoming | None = None, suggestions: Sequence[str] = ()) -> None:
        """Say something unasked; answer the event below, where there is one, and offer the suggestions after that."""
        body: dict[str, object] = {"text": text} if event else {"text": text, "suggestions": list(suggestions)}
        self.channel.add(self.channel.reserve(), "keaton", body)
        if event:
            self._start(self._answer(event, Spot(self.channel, self.shelf, None, suggestions=tuple(suggestions))))

    async def close(self) -> None:
        """Cancel what is under way and wait until it has stopped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, event: Incoming, spot: Spot) -> None:
        await deliver(self._conversation.handle(event), spot, self._config.min_gap_s)

    async def _answer_file(self, event: Incoming, path: Path, spot: Spot) -> None:
        try:
            await self._answer(event, spot)
        finally:
            await asyncio.to_thread(path.unlink, missing_ok=True)


def _read(path: Path, limit_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(limit_bytes + 1)
