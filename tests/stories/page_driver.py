"""The local chat page, by what a tab sends and gets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from core.conversation.commands import parse
from tests.stories.person import Card
from tests.support.page.stock import kept_in
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.stories.person import Driver


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


def _web_words(message: dict[str, Any]) -> str:
    return f"{message.get('title', '')}\n{message['text']}"


def _web_card(message: dict[str, Any]) -> Card:
    # The page draws the plot itself.
    pictures = tuple(one["name"] for one in message["pictures"]) + (("plot.png",) if message.get("plot") else ())
    return Card(_web_words(message), pictures, tuple(one["label"] for one in message["buttons"]), message)


@asynccontextmanager
async def on_the_page(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    config = replace(CONFIG, upload_dir=folder)
    async with (
        LocalChat(house.conversation, parse, config, RequestLog(house.runner, house.ledger), kept_in(house)) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        yield WebDriver(tab)
