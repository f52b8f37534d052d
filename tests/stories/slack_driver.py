"""Slack, by what one does in a workspace of the small one."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.doors.pace import Budget
from bot.slack.app import SlackDoor
from bot.slack.config import SlackConfig
from tests.fakes.slack import FakeSlack
from tests.stories.person import Card, running
from tests.support.houses import parts_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.slack_desk import ResponseUrl
    from tests.fakes.slack_world import Message
    from tests.stories.person import Driver


class SlackDriver:
    """A workspace of the small Slack."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake
        self._team = fake.teams[0]
        self._ada, self._general = self._team.user("Ada"), self._team.channel()
        self._posted: Message | None = None

    async def post(self, text: str, expected: str) -> Card:
        message = self._posted = await self._fake.post(self._team, self._general, self._ada, text)
        return await self._said(lambda: [*self._general.below(message), *self._general.whispers], expected)

    async def find(self, text: str, expected: str) -> Card:
        before = set(self._general.messages)
        answer = await self._fake.slash(self._team, self._general, self._ada, "/find", text)
        return await self._said(lambda: self._new(before, answer), expected)

    def _new(self, before: set[str], answer: ResponseUrl) -> list[Message]:
        return [
            *(one for ts, one in self._general.messages.items() if ts not in before and not one.is_share),
            *answer.said,
        ]

    async def press(self, card: Card, label: str, expected: str) -> Card:
        await self._fake.press(self._team, card.handle, label, self._ada)
        return await self._said(lambda: [card.handle], expected)

    async def _said(self, where: Callable[[], list[Message]], expected: str) -> Card:
        def found() -> Message | None:
            return next((one for one in where() if expected in one.words and one.is_whole), None)

        said = await self._fake.until(found, f"{expected!r}")
        pictures = tuple(self._team.files[one].name for one in said.images)
        return Card(said.words, pictures, tuple(said.buttons), said)

    async def take_back(self, title: str) -> None:
        del title
        assert self._posted is not None
        (card,) = self._general.below(self._posted)
        await self._fake.remove(self._team, self._posted)
        await self._fake.until(lambda: card.ts not in self._general.messages, "the card gone")


@asynccontextmanager
async def on_slack(house: ColourHouse, folder: Path) -> AsyncIterator[Driver]:
    del folder
    async with FakeSlack() as fake:
        team = fake.workspace()
        parts = parts_of(house)
        config = SlackConfig(
            team.bot_token,
            team.app_token,
            fake.environment["SLACK_API_BASE"],
            min_gap_s=0.0,
            picture_polls_s=(0.001,) * 30,
            posts=Budget(1000, 0.0),
            updates=Budget(1000, 0.0),
            reactions=Budget(1000, 0.0),
        )
        async with running(SlackDoor(parts, config).run()):
            await fake.until(lambda: fake.sockets.is_open(team), "a connection")
            yield SlackDriver(fake)
        assert not fake.wrongs
