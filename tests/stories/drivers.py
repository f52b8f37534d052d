"""One way to use Keaton for each platform: what a person does there, and what they then see."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import aiohttp

from bot.discord.config import DiscordConfig
from bot.discord.front import DiscordDoor
from bot.doors import Parts
from bot.requests import Requests
from bot.slack.config import SlackConfig
from bot.slack.front import SlackDoor
from bot.web.front import LocalChat
from core.commands import parse
from storage.showcase import SqliteShowcase
from tests.bot.houses import channels_of, grace_of
from tests.bot.tabs import CONFIG, Tab
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild
from tests.fakes.discord_world import User as DiscordUser
from tests.fakes.slack import FakeSlack

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Message as DiscordMessage
    from tests.fakes.slack_desk import ResponseUrl
    from tests.fakes.slack_world import Message as SlackMessage


@dataclass(frozen=True)
class Card:
    """What Keaton says, as a person sees it."""

    words: str
    pictures: tuple[str, ...]
    buttons: tuple[str, ...]
    handle: Any
    """The platform's own message."""


class Driver(Protocol):
    """A person at one platform. Each method waits until Keaton says the expected words, and gives that card."""

    async def post(self, text: str, expected: str) -> Card:
        """Post a message."""
        ...

    async def find(self, text: str, expected: str) -> Card:
        """Search."""
        ...

    async def press(self, card: Card, label: str, expected: str) -> Card:
        """Press a button."""
        ...

    async def take_back(self, title: str) -> None:
        """Take the film back that was posted last: by deleting the message, or as else one does there."""
        ...


class WebDriver:
    """The local chat page, by what a tab sends and gets."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab

    async def _say(self, text: str, expected: str) -> Card:
        last = max(self._tab.messages, default=0)
        await self._tab.say(text)
        return _web_card(await self._tab.until(lambda one: one["id"] > last and expected in _web_words(one)))

    async def post(self, text: str, expected: str) -> Card:
        return await self._say(text, expected)

    async def find(self, text: str, expected: str) -> Card:
        return await self._say(f"/find {text}", expected)

    async def press(self, card: Card, label: str, expected: str) -> Card:
        shown = card.handle
        pressed = next(one["id"] for one in shown["buttons"] if one["label"] == label)
        await self._tab.post("api/actions", {"message": shown["id"], "id": pressed})
        return _web_card(await self._tab.until(lambda one: one["id"] == shown["id"] and expected in _web_words(one)))

    async def take_back(self, title: str) -> None:
        await self._say(f"/forget {title}", "Forgotten")


class DiscordDriver:
    """A server of the small Discord."""

    def __init__(self, fake: FakeDiscord, guild: Guild) -> None:
        self._fake = fake
        self._ada = DiscordUser("Ada")
        self._general = guild.channels[0]
        self._posted: DiscordMessage | None = None

    async def post(self, text: str, expected: str) -> Card:
        message = self._posted = await self._fake.post(self._general, self._ada, text)

        def below() -> DiscordMessage | None:
            mine = (one for one in self._general.messages.values() if one.reply_to == message.id)
            return next((one for one in mine if expected in one.text), None)

        return _discord_card(await self._fake.until(below, f"{expected!r} below {text!r}"))

    async def find(self, text: str, expected: str) -> Card:
        return await self._shown(await self._fake.slash(self._general, self._ada, "find", text=text), expected)

    async def press(self, card: Card, label: str, expected: str) -> Card:
        return await self._shown(await self._fake.press(card.handle, label, self._ada), expected)

    async def _shown(self, it: Interaction, expected: str) -> Card:
        def said() -> DiscordMessage | None:
            return it.shown if it.shown is not None and expected in it.shown.text else None

        return _discord_card(await self._fake.until(said, f"{expected!r}"))

    async def take_back(self, title: str) -> None:
        del title
        assert self._posted is not None
        card = next(one for one in self._general.messages.values() if one.reply_to == self._posted.id)
        await self._fake.remove(self._posted)
        await self._fake.until(lambda: card.id not in self._general.messages, "the card gone")


class SlackDriver:
    """A workspace of the small Slack."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self._team = fake.teams[0]
        self._ada, self._general = self._team.user("Ada"), self._team.channel()
        self._posted: SlackMessage | None = None

    async def post(self, text: str, expected: str) -> Card:
        message = self._posted = await self._fake.post(self._team, self._general, self._ada, text)
        return await self._said(lambda: [*self._general.below(message), *self._general.whispers], expected)

    async def find(self, text: str, expected: str) -> Card:
        before = set(self._general.messages)
        answer = await self._fake.slash(self._team, self._general, self._ada, "/find", text)
        return await self._said(lambda: self._new(before, answer), expected)

    def _new(self, before: set[str], answer: ResponseUrl) -> list[SlackMessage]:
        return [*(one for ts, one in self._general.messages.items() if ts not in before), *answer.said]

    async def press(self, card: Card, label: str, expected: str) -> Card:
        await self._fake.press(self._team, card.handle, label, self._ada)
        return await self._said(lambda: [card.handle], expected)

    async def _said(self, where: Callable[[], list[SlackMessage]], expected: str) -> Card:
        def found() -> SlackMessage | None:
            return next((one for one in where() if expected in one.words), None)

        said = await self._fake.until(found, f"{expected!r}")
        pictures = tuple(self._team.files[one].name for one in said.images)
        return Card(said.words, pictures, tuple(said.buttons), said)

    async def take_back(self, title: str) -> None:
        del title
        assert self._posted is not None
        (card,) = self._general.below(self._posted)
        await self._fake.remove(self._team, self._posted)
        await self._fake.until(lambda: card.ts not in self._general.messages, "the card gone")


def _web_words(message: dict[str, Any]) -> str:
    return f"{message.get('title', '')}\n{message['text']}"


def _web_card(message: dict[str, Any]) -> Card:
    pictures = tuple(one["name"] for one in message["pictures"])
    return Card(_web_words(message), pictures, tuple(one["label"] for one in message["buttons"]), message)


def _discord_card(message: DiscordMessage) -> Card:
    words = re.sub(r"\\(.)", r"\1", message.text)  # as people read it
    return Card(words, tuple(message.files), tuple(message.buttons), message)


@asynccontextmanager
async def on_the_page(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    config = replace(CONFIG, upload_dir=folder)
    async with (
        LocalChat(house.conversation, parse, config, Requests(house.foreman, house.ledger)) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        yield WebDriver(tab)


@asynccontextmanager
async def on_discord(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    del folder
    async with FakeDiscord() as fake:
        parts = Parts(
            house.conversation,
            channels_of(house),
            house.ledger,
            house.foreman,
            grace_of(house),
            SqliteShowcase(house.library.connections),
        )
        settings = fake.environment
        config = DiscordConfig(
            settings["DISCORD_TOKEN"], settings["DISCORD_API_BASE"], settings["DISCORD_GATEWAY"], min_gap_s=0.0
        )
        async with _running(DiscordDoor(parts, config).run()):
            await fake.until(lambda: fake.gateway.ready, "a connection")
            guild = Guild("A server")
            guild.channel("general")
            await fake.join(guild)
            yield DiscordDriver(fake, guild)
        assert not fake.wrongs


@asynccontextmanager
async def on_slack(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    del folder
    async with FakeSlack() as fake:
        team = fake.workspace()
        parts = Parts(
            house.conversation,
            channels_of(house),
            house.ledger,
            house.foreman,
            grace_of(house),
            SqliteShowcase(house.library.connections),
        )
        config = SlackConfig(
            team.bot_token,
            team.app_token,
            fake.environment["SLACK_API_BASE"],
            min_gap_s=0.0,
            picture_polls_s=(0.001,) * 4,
        )
        async with _running(SlackDoor(parts, config).run()):
            await fake.until(lambda: fake.sockets.is_open(team), "a connection")
            yield SlackDriver(fake)
        assert not fake.wrongs


@asynccontextmanager
async def _running(door: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(door)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
