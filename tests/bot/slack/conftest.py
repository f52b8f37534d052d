"""A small Slack on loopback and Keaton's own door against it; each story has a workspace of its own.

The library, the decoding and the Slack libraries are real; the model and the web beyond Slack are fakes. All live on
one event loop for the whole run: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest_asyncio

from bot.doors.pace import Budget, Pace
from bot.slack.app import SlackDoor
from bot.slack.config import SlackConfig
from bot.slack.pictures import Digestion, Pictures
from core.model.video import Scope
from tests.fakes.slack import FakeSlack
from tests.support import clips
from tests.support.houses import grace_of, house, parts_of, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from slack_sdk.web.async_client import AsyncWebClient

    from core.ports.jobs import Ledger
    from tests.core.conftest import ColourHouse
    from tests.fakes.slack_desk import ResponseUrl
    from tests.fakes.slack_world import Channel, Message, User, Workspace

__all__ = ["house", "reader"]

_serial = itertools.count(1)
_FREE = Budget(1000, 0.0)
UNPACED = {
    "posts": _FREE,
    "updates": _FREE,
    "reactions": _FREE,
    "file_looks": _FREE,
    "deletions": _FREE,
    "readings": _FREE,
}
"""No story waits for Slack's rate limits but those about them."""
READY = "Ready to search"
SMALL = clips.Shape(size=(160, 96), fps=8, patterned=True)


def no_pictures(client: AsyncWebClient, ledger: Ledger) -> Pictures:
    """Make what uploads pictures, for those who show none."""
    free = Pace(_FREE)
    return Pictures(client, client, Digestion(client, (), free), free, ledger, "T1")


@dataclass
class Scene:
    """One workspace with a channel and some people, and Keaton signed in."""

    fake: FakeSlack
    house: ColourHouse
    folder: Path
    team: Workspace
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ada, self.bob = self.team.user("Ada"), self.team.user("Bob")
        self.general = self.team.channel("general")
        self.grace = grace_of(self.house, self.fake.moved)

    def door(self, team: Workspace | None = None, **settings: object) -> SlackDoor:
        team, house = team or self.team, self.house
        tokens = {"bot_token": team.bot_token, "app_token": team.app_token}
        told = {
            **tokens,
            "forgotten_every_s": 0.05,
            "min_gap_s": 0.0,
            "picture_polls_s": (0.001,) * 30,
            "ping_every_s": 1.0,
            **UNPACED,
            **settings,
        }
        config = SlackConfig(api_base=self.fake.url + "/api", **told)  # type: ignore[arg-type]
        parts = parts_of(house, self.grace)
        return SlackDoor(parts, config)

    def scope(self) -> Scope:
        return Scope("slack", self.team.id, self.general.id)

    async def start(self, team: Workspace | None = None, **settings: object) -> None:
        self.tasks.append(asyncio.create_task(self.door(team, **settings).run()))
        await self.fake.until(lambda: self.fake.sockets.is_open(team or self.team), "a connection")

    async def stop(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        self.tasks.clear()
        await self.fake.until(lambda: not self.fake.sockets.is_open(self.team), "the hanging up")

    def video(self, name: str = "") -> Path:
        """Make a video that no other test has."""
        number = next(_serial)
        path = self.folder / (name or f"video{number}.mp4")
        scenes = [("red", 2 + number % 7 / 8), ("green", 2), ("blue", 2 + number // 7 / 8), ("green", 2), ("yellow", 2)]
        return clips.make_clip(path, scenes, SMALL)

    def link(self, name: str = "") -> str:
        """Put such a video onto the web."""
        video = self.video(name)
        url = f"https://films.example/{video.name}"
        self.house.fetcher.web[url] = video
        return url

    async def post(
        self, text: str, channel: Channel | None = None, user: User | None = None, thread: str = ""
    ) -> Message:
        return await self.fake.post(self.team, channel or self.general, user or self.ada, text, thread=thread)

    async def below(self, message: Message, words: str = READY) -> Message:
        """Wait until Keaton says these words in the message's thread."""

        def found() -> Message | None:
            found = (one for one in message.channel.below(message) if words in one.words and one.is_whole)
            return next(found, None)

        return await self.fake.until(found, f"{words!r} below {message.text!r}")

    async def posted(self, text: str = "", channel: Channel | None = None) -> Message:
        """Post a link, and wait until its video can be searched."""
        message = await self.post(text or self.link(), channel)
        await self.below(message)
        return message

    async def found(self, text: str = "green", channel: Channel | None = None, user: User | None = None) -> Message:
        """Search by /find, and give the answer."""
        where = channel or self.general
        before = set(where.messages)
        await self.fake.slash(self.team, where, user or self.bob, "/find", text)
        return await self.answer(where, before)

    async def answer(self, where: Channel, before: set[str], words: str = "Moment") -> Message:
        def new() -> Message | None:
            new = [one for ts, one in where.messages.items() if ts not in before and not one.is_share]
            return next((one for one in new if words in one.words and one.is_whole), None)

        return await self.fake.until(new, f"an answer with {words!r}")

    async def press(self, card: Message, label: str, words: str, user: User | None = None) -> ResponseUrl:
        answer = await self.fake.press(self.team, card, label, user or self.bob)
        await self.fake.until(lambda: words in card.words or answer.said, f"{words!r} after {label!r}")
        return answer

    async def whispered(self, answer: ResponseUrl) -> str:
        """Wait until the asker alone was told something, and give it."""
        said = await self.fake.until(lambda: answer.said, "a private answer")
        return said[-1].words

    async def asked(self, command: str, text: str = "", user: User | None = None) -> str:
        """Use a command that is answered in private, and give the answer."""
        return await self.whispered(await self.fake.slash(self.team, self.general, user or self.bob, command, text))


@pytest_asyncio.fixture(loop_scope="session")
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as fake:
        yield fake


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_scene(fake: FakeSlack, house: ColourHouse, tmp_path: Path) -> AsyncIterator[Scene]:
    """A workspace where Keaton has not started yet; nothing may go wrong in it unseen."""
    scene = Scene(fake, house, tmp_path, fake.workspace())
    yield scene
    await scene.stop()
    assert not fake.wrongs
    assert not fake.sockets.late


@pytest_asyncio.fixture(loop_scope="session")
async def scene(quiet_scene: Scene) -> Scene:
    """A workspace with Keaton in it."""
    await quiet_scene.start()
    return quiet_scene
