"""Discord, by what one does in a server of the small one."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.discord.client import DiscordDoor
from bot.discord.config import DiscordConfig
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild, User
from tests.stories.person import Card, running
from tests.support.houses import parts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Message
    from tests.stories.person import Driver


class DiscordDriver:
    """A server of the small Discord."""

    def __init__(self, fake: FakeDiscord, guild: Guild) -> None:
        self._fake = fake
        self._ada = User("Ada")
        self._general = guild.channels[0]
        self._posted: Message | None = None

    async def post(self, text: str, expected: str) -> Card:
        message = self._posted = await self._fake.post(self._general, self._ada, text)

        def below() -> Message | None:
            mine = (one for one in self._general.messages.values() if one.reply_to == message.id)
            return next((one for one in mine if expected in one.text), None)

        return _card(await self._fake.until(below, f"{expected!r} below {text!r}"))

    async def find(self, text: str, expected: str) -> Card:
        return await self._shown(await self._fake.typed(self._general, self._ada, f"/find {text}"), expected)

    async def press(self, card: Card, label: str, expected: str) -> Card:
        return await self._shown(await self._fake.press(card.handle, label, self._ada), expected)

    async def _shown(self, it: Interaction, expected: str) -> Card:
        def said() -> Message | None:
            return it.shown if it.shown is not None and expected in it.shown.text else None

        return _card(await self._fake.until(said, f"{expected!r}"))

    async def take_back(self, title: str) -> None:
        del title
        assert self._posted is not None
        card = next(one for one in self._general.messages.values() if one.reply_to == self._posted.id)
        await self._fake.remove(self._posted)
        await self._fake.until(lambda: card.id not in self._general.messages, "the card gone")


def _card(message: Message) -> Card:
    words = re.sub(r"\\(.)", r"\1", message.text)  # as people read it
    return Card(words, tuple(message.files), tuple(message.buttons), message)


@asynccontextmanager
async def on_discord(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    del folder
    async with FakeDiscord() as fake:
        parts = parts_of(house)
        settings = fake.environment
        config = DiscordConfig(
            settings["DISCORD_TOKEN"], settings["DISCORD_API_BASE"], settings["DISCORD_GATEWAY"], min_gap_s=0.0
        )
        async with running(DiscordDoor(parts, config).run()):
            await fake.until(lambda: fake.gateway.ready, "a connection")
            guild = Guild("A server")
            guild.channel("general")
            await fake.join(guild)
            yield DiscordDriver(fake, guild)
        assert not fake.wrongs
