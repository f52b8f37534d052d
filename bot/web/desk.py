"""Turns what people do on the page into events, and shows the replies in the channel.

Owns the tasks that do so; must not know HTTP.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from bot.backoff import REMOVAL_STEPS_S, Backoff
from bot.chores import Chores
from bot.delivery import deliver
from bot.lastword import LastWord, Unnumbered
from bot.requests import Answered
from bot.showing import TAKEN_BACK, Noted, Removals, take_back
from bot.web.asking import about_picture, again
from bot.web.channel import Channel
from bot.web.config import DOOR, WebConfig
from bot.web.pictures import PictureShelf
from bot.web.render import face
from bot.web.spot import Spot
from bot.web.standing import Standing
from core import replies
from core.actions import answer_among
from core.commands import find
from core.errors import AppError
from core.ledger import Errand
from core.model import Scope, View
from core.talk import Action, FilePosted, Find, Help, ListVideos, Turn, Unclear

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bot.delivery import Conversation, Shown
    from bot.lastword import Say
    from bot.requests import Taken
    from bot.web.asking import Parse
    from core.jobs import Job
    from core.showcase import Showcase, Stale
    from core.talk import Incoming


class Writes(Protocol):
    """Writes requests down."""

    async def take(self, errand: Errand, event: Incoming, place: str = "") -> Taken | None:
        """Write a request down; None when it was taken up before."""
        ...

    async def end(self, taken: Taken) -> None:
        """Note that a request was answered."""
        ...

    async def is_outdone(self, taken: Taken, message: str) -> bool:
        """Tell whether a press that draws a message was written down after a request."""
        ...


class Desk:
    """Takes what the tabs send; answers appear in the channel."""

    def __init__(self, conversation: Conversation, parse: Parse, config: WebConfig, requests: Writes) -> None:
        self._conversation = conversation
        self._requests = requests
        self._parse = parse
        self._config = config
        self.channel = Channel(config.log_limit, round(time.time() * 1000))
        self.shelf = PictureShelf(config.picture_limit_bytes)
        self._chores = Chores()
        self._word = LastWord(requests)
        self._showcase: Showcase | None = None
        self._run = secrets.token_hex(4)

    def turn(self, message: int | str = "", name: str = "you") -> Turn:
        """Give the turn of whoever sits before the page."""
        scope = Scope(DOOR.platform, self._config.space, self._config.channel)
        return Turn(DOOR, scope, View.of(scope), user_id=name, user_name=name, message=str(message), moderator=True)

    async def say(self, text: str, tab: str) -> None:
        """Take a message somebody wrote; what it asks for is written down by then."""
        asked = self._asked(tab, text)
        events = self._parse(self.turn(asked.question), text)
        for part, event in enumerate(events):
            await self._take(event, replace(asked, part=part, alone=len(events) == 1))

    async def take_file(self, path: Path, name: str, size_bytes: int, tab: str) -> None:
        """Take a posted file, written down by then; it is deleted after the last reply."""
        asked = self._asked(tab, "", name, size_bytes)
        await self._take(FilePosted(self.turn(asked.question), path, name), asked)

    async def take_picture(self, path: Path, name: str, text: str, tab: str) -> None:
        """Take a picture that is asked about, with words or without; it is deleted after the last reply."""
        size_bytes = (await asyncio.to_thread(path.stat)).st_size
        asked = self._asked(tab, text, name, size_bytes)
        await self._take(about_picture(self.turn(asked.question), text, name, path), asked)

    async def refuse(self, error: AppError, tab: str, name: str) -> None:
        """Say why a posted file could not be taken, below it."""
        asked = self._asked(tab, "", name)
        await self._spot_of(replace(asked, answer=self.channel.reserve()), Unnumbered()).post(replies.problem(error))

    async def refine(self, text: str, answered: int, tab: str) -> None:
        """Take a message that refines the question whose answer stands in another message."""
        asked = replace(self._asked(tab, text), refines=answer_among(self.channel.buttons(answered)))
        await self._take(replace(find(self.turn(asked.question), text), refines=asked.refines), asked)

    def _asked(self, tab: str, text: str, file: str = "", size_bytes: int = 0) -> Standing:
        """Put what somebody says into the channel."""
        asked = Standing(
            question=self.channel.reserve(), text=text, file=file, size_bytes=size_bytes, at_s=time.time(), tab=tab
        )
        self.channel.add(asked.question, "you", asked.body)
        return asked

    async def go_on(self, job: Job) -> None:
        """Take up what somebody asked for here before a restart, in the message where it stood.

        The log of that run is gone; an answer that was browsed then is with it, as all that were given.
        """
        asked, request = Standing.read(job.request.place), job.request
        turn = self.turn(asked.question or self.channel.reserve(), request.user_id)
        taken = await self._requests.take(request.errand, again(turn, job, asked, self._parse), request.place)
        if taken is None:
            return
        if await self._requests.is_outdone(taken, str(asked.answer or "")):
            await self._requests.end(taken)
            self._delete_posted(taken.event)
        else:
            if asked.question and asked.question not in self.channel:
                self.channel.add(asked.question, "you", asked.body, at=asked.at)
            self._chores.start(self._answer_taken(taken, self._spot_of(asked, self._word.of(taken))))

    async def _take(self, event: Incoming, asked: Standing) -> None:
        """Write down what somebody asks for, and have it answered."""
        asked = replace(asked, answer=self.channel.reserve())
        spot = self._spot_of(asked, Unnumbered())
        if isinstance(event, ListVideos | Help | Unclear):
            self._chores.start(self._answer(event, spot))
            return
        errand = Errand(event.turn.scope, "", f"page:{secrets.token_hex(8)}")
        try:
            taken = await self._requests.take(errand, event, asked.json())
        except AppError as error:
            await spot.post(replies.problem(error))
            self._delete_posted(event)
        else:
            if taken is not None:
                self._chores.start(self._answer_taken(taken, replace(spot, say=self._word.of(taken))))

    def _spot_of(self, asked: Standing, say: Say) -> Spot:
        """Give where an answer stands, as it was written down."""
        if asked.pressed:
            return replace(self._spot(asked.tab, say, pressed=asked.pressed), puts_back=True)
        question = asked.question if asked.question and asked.alone else None
        return replace(self._spot(asked.tab or None, say, question=question), own=asked.answer or None)

    async def press(self, message: int, action: str, tab: str) -> None:
        """Take the press of a button under a message; of several presses the newest decides what stands there."""
        asked = Standing(pressed=message, tab=tab, at_s=time.time())
        event, errand = Action(self.turn(message), action, under=str(message)), f"page:{secrets.token_hex(8)}"
        try:
            taken = await self._requests.take(Errand(event.turn.scope, "", errand), event, asked.json())
        except AppError as error:
            await self._spot(tab, Unnumbered(), pressed=message).post(replies.problem(error))
            return
        if taken is not None:
            self._chores.start(self._answer_taken(taken, self._spot(tab, self._word.of(taken), pressed=message)))

    def announce(self, text: str, event: Incoming | None = None, suggestions: Sequence[str] = ()) -> None:
        """Say something unasked; answer the event below, where there is one, and offer the suggestions after that."""
        body: dict[str, object] = {"text": text} if event else {"text": text, "suggestions": list(suggestions)}
        self.channel.add(self.channel.reserve(), "keaton", body)
        if event:
            self._chores.start(self._answer(event, self._spot(None, Unnumbered(), suggestions=tuple(suggestions))))

    async def close(self) -> None:
        """Cancel what is under way and wait until it has stopped."""
        await self._chores.close()

    def _spot(
        self,
        tab: str | None,
        say: Say,
        *,
        question: int | None = None,
        pressed: int | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> Spot:
        return Spot(
            self.channel, self.shelf, say, tab, pressed, suggestions=suggestions, question=question, run=self._run
        )

    def take_back(self, showcase: Showcase) -> None:
        """Note from now on which films are shown, and take back what was forgotten."""
        self._showcase = showcase
        removals = Removals(self._config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), asyncio.Event())
        where = DOOR.platform, self._config.space
        self._chores.start(take_back(showcase, *where, self._change, removals))

    async def _change(self, stale: Stale) -> bool:
        run, _, message = stale.message.partition(":")
        if run == self._run:
            self.channel.change(int(message), face(TAKEN_BACK, int(message)))
            self.shelf.drop(stale.files)
        return True

    async def _answer(self, event: Incoming, spot: Spot, taken: Taken | None = None) -> None:
        place: Shown = Noted(spot, self._showcase, event.turn.scope) if self._showcase else spot
        place = Answered(place, self._requests, taken) if taken else place
        await deliver(self._conversation.handle(event), place, self._config.min_gap_s)

    async def _answer_taken(self, taken: Taken, spot: Spot) -> None:
        """Answer what was asked; when Keaton stops meanwhile, the next run goes on with what was written down."""
        is_done = taken.job is None
        try:
            await self._answer(taken.event, spot, taken)
            await self._requests.end(taken)
            is_done = True
        finally:
            if is_done:
                self._delete_posted(taken.event)

    def _delete_posted(self, event: Incoming) -> None:
        """Delete a posted file; somebody's own, as of a command, stays."""
        path = event.path if isinstance(event, FilePosted) else None
        if isinstance(event, Find) and event.picture:
            path = event.picture.path
        if path and self._config.upload_dir and path.is_relative_to(self._config.upload_dir):
            path.unlink(missing_ok=True)
