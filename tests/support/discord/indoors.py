"""Keaton's Discord door in this process, over a product whose model knows colours: for what needs no second program."""

from __future__ import annotations

import itertools
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest_asyncio

from bot.discord.client import DiscordDoor
from bot.discord.config import DiscordConfig
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import MANAGE_CHANNELS, Guild, User
from tests.stories.person import running
from tests.support import clips
from tests.support.houses import house, parts_of, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Channel, Message

__all__ = ["house", "quiet_room", "reader", "room"]

_serial = itertools.count(1)
SMALL = clips.Shape(size=(160, 96), fps=8, patterned=True)
READY = "Ready to search"


@dataclass
class Room:
    """One server with a channel, two people and Keaton."""

    fake: FakeDiscord
    house: ColourHouse
    folder: Path
    guild: Guild = field(default_factory=lambda: Guild("A server"))
    ada: User = field(default_factory=lambda: User("Ada"))
    bob: User = field(default_factory=lambda: User("Bob"))

    def __post_init__(self) -> None:
        self.guild.extra[self.ada.id] = MANAGE_CHANNELS
        self.general: Channel = self.guild.channel("general")

    def link(self, name: str = "") -> str:
        """Put a video that no other test has onto the web."""
        number = next(_serial)
        path = self.folder / (name or f"video{number}.mp4")
        scenes = [("red", 2 + number % 7 / 8), ("green", 2), ("blue", 2 + number // 7 / 8), ("green", 2)]
        url = f"https://films.example/{path.name}"
        self.house.fetcher.web[url] = clips.make_clip(path, scenes, SMALL)
        return url

    @asynccontextmanager
    async def door(self) -> AsyncIterator[None]:
        """Let Keaton be there."""
        settings = self.fake.environment
        where = settings["DISCORD_TOKEN"], settings["DISCORD_API_BASE"], settings["DISCORD_GATEWAY"]
        config = DiscordConfig(*where, min_gap_s=0.0, forgotten_every_s=0.05, alive_every_s=0.05)
        before = self.fake.connections
        async with running(DiscordDoor(parts_of(self.house), config).run()):
            await self.fake.until(lambda: self.fake.connections > before, "a connection")
            yield

    def below(self, message: Message, words: str = "") -> list[Message]:
        """Give Keaton's messages that answer this one, in these words."""
        return [one for one in message.channel.messages.values() if one.reply_to == message.id and words in one.text]

    async def said(self, message: Message, words: str = READY) -> Message:
        """Wait until Keaton answers a message in these words."""
        found = await self.fake.until(lambda: self.below(message, words), f"{words!r} below {message.content!r}")
        return found[0]

    async def posted(self, text: str = "", channel: Channel | None = None) -> Message:
        """Post a link, and wait until its video can be searched."""
        message = await self.fake.post(channel or self.general, self.ada, text or self.link())
        await self.said(message)
        return message

    async def answer(self, it: Interaction, words: str = "") -> Message:
        """Wait until an interaction was answered in these words."""

        def found() -> Message | None:
            shown = it.shown
            return shown if shown is not None and shown.components and words in shown.text else None

        return await self.fake.until(found, f"an answer with {words!r}")

    async def found(self, text: str = "green", user: User | None = None) -> Message:
        """Search, and give the answer."""
        return await self.answer(await self.fake.slash(self.general, user or self.bob, "find", text=text), "Moment")


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_room(house: ColourHouse, tmp_path: Path) -> AsyncIterator[Room]:
    """A server where Keaton is not yet; nothing may go wrong in it unseen."""
    async with FakeDiscord() as fake:
        room = Room(fake, house, tmp_path)
        fake.guilds.append(room.guild)
        yield room
        assert not fake.wrongs
        assert (fake.late_acks, fake.double_acks) == (0, 0)


@pytest_asyncio.fixture(loop_scope="session")
async def room(quiet_room: Room) -> AsyncIterator[Room]:
    """A server that Keaton is in."""
    async with quiet_room.door():
        yield quiet_room
