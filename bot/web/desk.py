"""Turns what people do on the page into events, and shows the replies in the channel."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from bot.doors.delivery import deliver
from bot.doors.desk import BackgroundTasks
from bot.doors.messages import TAKEN_BACK, Removals, take_back
from bot.doors.pace import REMOVAL_STEPS_S, Backoff
from bot.doors.requests import DrawOrder, Unnumbered, event_of
from bot.doors.targets import RecordingTarget, SettlingTarget
from bot.web.config import DOOR, WebConfig
from bot.web.log import Channel
from bot.web.render import PictureCache, face
from bot.web.targets import PAGE, PageTarget, SavedPageTarget
from core.conversation.commands import find
from core.errors import AppError
from core.links import path_of
from core.model.actions import answer_among
from core.model.events import (
    Action,
    FilePosted,
    Find,
    Forget,
    Help,
    LinkPosted,
    ListVideos,
    PictureFile,
    Turn,
    Unclear,
)
from core.model.requests import MessageKey
from core.wording import replies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.doors.delivery import Answering, ReplyTarget
    from bot.doors.requests import AcceptedRequest, DrawTurn
    from core.model.events import Incoming
    from core.model.requests import Job
    from core.model.video import Scope
    from core.ports.retention import ShownMessages, Stale


class Parse(Protocol):
    """Makes events of what somebody wrote."""

    def __call__(self, turn: Turn, text: str) -> tuple[Incoming, ...]:
        """Give at least one event."""
        ...


def again(turn: Turn, job: Job, asked: SavedPageTarget, parse: Parse) -> Incoming:
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


class Writes(Protocol):
    """Writes requests down."""

    async def take(self, key: MessageKey, event: Incoming, place: str = "") -> AcceptedRequest | None:
        """Write a request down; None when it was taken up before."""
        ...

    async def end(self, taken: AcceptedRequest) -> None:
        """Note that a request was answered."""
        ...

    async def is_outdone(self, taken: AcceptedRequest, message: str) -> bool:
        """Tell whether a press that draws a message was written down after a request, or it was taken back."""
        ...

    async def note_taken_back(self, scope: Scope, message: str) -> None:
        """Note that a message of Keaton's is taken back."""
        ...


class PageDesk:
    """Takes what the tabs send; answers appear in the channel."""

    def __init__(self, conversation: Answering, parse: Parse, config: WebConfig, requests: Writes) -> None:
        self._conversation = conversation
        self._requests = requests
        self._parse = parse
        self._config = config
        self.channel = Channel(config.log_limit, round(time.time() * 1000))
        self.shelf = PictureCache(config.picture_limit_bytes)
        self._chores = BackgroundTasks()
        self._word = DrawOrder(requests)
        self._shown_messages: ShownMessages | None = None

    def turn(self, message: int | str = "", name: str = "you") -> Turn:
        """Give the turn of whoever sits before the page."""
        scope, view = self._config.scope, self._config.view
        return Turn(DOOR, scope, view, user_id=name, user_name=name, message=str(message), moderator=True)

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
        data = await asyncio.to_thread(path.read_bytes)
        asked = self._asked(tab, text, name, len(data), self.shelf.hold(name, data))
        await self._take(about_picture(self.turn(asked.question), text, name, path), asked)

    async def refuse(self, error: AppError, tab: str, name: str) -> None:
        """Say why a posted file could not be taken, below it."""
        asked = self._asked(tab, "", name)
        await self._spot_of(replace(asked, answer=self.channel.reserve()), Unnumbered()).post(replies.problem(error))

    async def refine(self, text: str, answered: int, tab: str) -> None:
        """Take a message that refines the question whose answer stands in another message."""
        asked = replace(self._asked(tab, text), refines=answer_among(self.channel.buttons(answered)))
        await self._take(replace(find(self.turn(asked.question), text), refines=asked.refines), asked)

    async def forget(self, video_id: str, tab: str) -> None:
        """Forget a video that the gallery shows; written down by then."""
        await self._take(Forget(self.turn(), video_id), SavedPageTarget(tab=tab, at_s=time.time()))

    def _asked(self, tab: str, text: str, file: str = "", size_bytes: int = 0, picture: str = "") -> SavedPageTarget:
        """Put what somebody says into the channel."""
        asked = SavedPageTarget(
            question=self.channel.reserve(), text=text, file=file, size_bytes=size_bytes, at_s=time.time(), tab=tab
        )
        body = {**asked.body, "picture": f"/media/{asked.question}/{picture}"} if picture else asked.body
        self.channel.add(asked.question, "you", body)
        return asked

    async def go_on(self, job: Job) -> None:
        """Take up what somebody asked for here before a restart, in the message where it stood."""
        asked, request = SavedPageTarget.read(job.request.place), job.request
        turn = self.turn(asked.question or self.channel.reserve(), request.user_id)
        taken = await self._requests.take(request.key, again(turn, job, asked, self._parse), request.place)
        if taken is None:
            return
        if await self._requests.is_outdone(taken, str(asked.answer or "")):
            await self._requests.end(taken)
            self._delete_posted(taken.event)
        else:
            if asked.question and asked.question not in self.channel:
                self.channel.add(asked.question, "you", asked.body, at=asked.at)
            spot = self._keeping(self._spot_of(asked, self._word.of(taken)), asked, taken.event)
            self._chores.start(self._answer_taken(taken, spot))

    async def _take(self, event: Incoming, asked: SavedPageTarget) -> None:
        """Write down what somebody asks for, and have it answered."""
        asked = replace(asked, answer=self.channel.reserve())
        spot = self._keeping(self._spot_of(asked, Unnumbered()), asked, event)
        if isinstance(event, ListVideos | Help | Unclear):
            self._chores.start(self._answer(event, spot))
            return
        key = MessageKey(event.turn.scope, "", f"page:{secrets.token_hex(8)}")
        try:
            taken = await self._requests.take(key, event, asked.json())
        except AppError as error:
            await spot.post(replies.problem(error))
            self._delete_posted(event)
        else:
            if taken is not None:
                self._chores.start(self._answer_taken(taken, replace(spot, say=self._word.of(taken))))

    def _keeping(self, spot: PageTarget, asked: SavedPageTarget, event: Incoming) -> PageTarget:
        """Return a place whose replies go into the history with the question, unless they name what is forgotten.

        A question that is a link or a file names a video: it is kept once the video is, and goes with it.
        """
        if isinstance(event, Forget):
            return replace(spot, keeps=False)
        if isinstance(event, LinkPosted | FilePosted):
            name = event.url.partition("://")[2] if isinstance(event, LinkPosted) else event.name
            return replace(spot, about=asked.question or None, name=name)
        self.channel.tie(asked.question, ())
        return spot

    def _spot_of(self, asked: SavedPageTarget, say: DrawTurn) -> PageTarget:
        """Give where an answer stands, as it was written down."""
        if asked.pressed:
            return replace(self._spot(asked.tab, say, pressed=asked.pressed), puts_back=True)
        question = asked.question if asked.question and asked.alone else None
        spot = self._spot(asked.tab or None, say, question=question)
        return replace(spot, own=asked.answer or None)

    async def press(self, message: int, action: str, tab: str) -> None:
        """Take the press of a button under a message; of several presses the newest decides what stands there."""
        asked = SavedPageTarget(pressed=message, tab=tab, at_s=time.time())
        event, key = Action(self.turn(message), action, under=str(message)), f"page:{secrets.token_hex(8)}"
        try:
            taken = await self._requests.take(MessageKey(event.turn.scope, "", key), event, asked.json())
        except AppError as error:
            await self._spot(tab, Unnumbered(), pressed=message).post(replies.problem(error))
            return
        if taken is not None:
            self._chores.start(self._answer_taken(taken, self._spot(tab, self._word.of(taken), pressed=message)))

    def announce(self, text: str, event: Incoming | None = None, suggestions: Sequence[str] = ()) -> None:
        """Say something unasked; answer the event below, where there is one, and offer the suggestions after that."""
        body: dict[str, object] = {"text": text} if event else {"text": text, "suggestions": list(suggestions)}
        self.channel.add(self.channel.reserve(), "keaton", body, keeps=True)
        if event:
            self._chores.start(self._answer(event, self._spot(None, Unnumbered(), suggestions=tuple(suggestions))))

    async def close(self) -> None:
        """Cancel what is under way and wait until it has stopped."""
        await self._chores.close()

    def _spot(
        self,
        tab: str | None,
        say: DrawTurn,
        *,
        question: int | None = None,
        pressed: int | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> PageTarget:
        return PageTarget(self.channel, self.shelf, say, tab, pressed, suggestions=suggestions, question=question)

    def take_back(self, shown_messages: ShownMessages) -> None:
        """Note from now on which videos are shown, and take back what was forgotten."""
        self._shown_messages = shown_messages
        removals = Removals(self._config.forgotten_every_s, Backoff(REMOVAL_STEPS_S), asyncio.Event(), self._word)
        where = DOOR.platform, self._config.space
        self._chores.start(take_back(shown_messages, *where, self._change, removals))

    async def _change(self, stale: Stale) -> bool:
        page, _, message = stale.message.partition(":")
        if page == PAGE:
            async with self._word.taking_back(stale.scope, message):  # draws name it without the page
                self.channel.change(int(message), face(TAKEN_BACK, int(message)))
            self.shelf.drop(stale.files)
        return True

    async def _answer(self, event: Incoming, spot: PageTarget, taken: AcceptedRequest | None = None) -> None:
        place: ReplyTarget = (
            RecordingTarget(spot, self._shown_messages, event.turn.scope) if self._shown_messages else spot
        )
        place = SettlingTarget(place, self._requests, taken) if taken else place
        await deliver(self._conversation.handle(event), place, self._config.min_gap_s)

    async def _answer_taken(self, taken: AcceptedRequest, spot: PageTarget) -> None:
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
