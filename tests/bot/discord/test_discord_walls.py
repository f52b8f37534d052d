"""Walls on Discord: answers for the asker alone, what becomes of shown answers, and when Keaton is removed."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.discord.client import DiscordDoor
from bot.discord.config import BUDGET, REACTIONS, DiscordConfig
from core.model.video import Scope, View
from core.ports.retention import WHOLE
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import HISTORY, KEATON, VIEW, Guild, User
from tests.support import clips
from tests.support.houses import HeardGrace, grace_of, house, parts_of, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Channel, Message

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Town:
    """A server with Keaton in it."""

    fake: FakeDiscord
    house: ColourHouse
    grace: HeardGrace
    guild: Guild
    general: Channel
    ada: User
    bob: User

    def scope(self, channel: str) -> Scope:
        return Scope("discord", str(self.guild.id), channel)

    async def heard(self, what: str, scope: Scope) -> None:
        await self.fake.until(lambda: (what, scope) in self.grace.heard, f"{what} {scope}")

    async def answer(self, it: Interaction, words: str) -> Message:
        def said() -> Message | None:
            return it.shown if it.shown is not None and words in it.shown.text else None

        return await self.fake.until(said, words)

    async def post(self, folder: Path, channel: Channel, name: str) -> Message:
        link = f"https://films.example/{name}"
        self.house.fetcher.web[link] = clips.make_clip(folder / name, [("red", 2), ("green", 2), ("blue", 2)])
        message = await self.fake.post(channel, self.ada, link)

        def below() -> Message | None:
            mine = (one for one in channel.messages.values() if one.reply_to == message.id)
            return next((one for one in mine if "Ready to search" in one.text), None)

        return await self.fake.until(below, "the card")

    async def create(self, name: str, **more: object) -> Channel:
        made = self.guild.channel(name, **more)
        await self.fake.gateway.dispatch("CHANNEL_CREATE", made.json())
        return made


@asynccontextmanager
async def running(
    fake: FakeDiscord,
    house: ColourHouse,
    grace: HeardGrace,
    budget_every_s: float = 0.0,
    conversation: Any = None,
    **more: Any,
) -> AsyncIterator[None]:
    parts = parts_of(house, grace)
    parts = replace(parts, conversation=conversation or parts.conversation)
    told = fake.environment
    config = DiscordConfig(
        told["DISCORD_TOKEN"],
        told["DISCORD_API_BASE"],
        told["DISCORD_GATEWAY"],
        min_gap_s=0.0,
        forgotten_every_s=0.05,
        again_s=(0.1,),
        budget=replace(BUDGET, every_s=budget_every_s),
        reactions=replace(REACTIONS, every_s=budget_every_s / 4),
        **more,
    )
    before = fake.gateway.ready
    task = asyncio.create_task(DiscordDoor(parts, config).run())
    try:
        await fake.until(lambda: fake.gateway.ready > before, "a connection")
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def a_town(
    house: ColourHouse, budget_every_s: float = 0.0, conversation: Any = None, **more: Any
) -> AsyncIterator[Town]:
    """Give a server with Keaton in it; `conversation` stands in for the product's, `more` are settings of the door."""
    async with FakeDiscord() as fake:
        grace, guild = grace_of(house, fake.moved), Guild("A server")
        town = Town(fake, house, grace, guild, guild.channel("general"), User("Ada"), User("Bob"))
        async with running(fake, house, grace, budget_every_s, conversation, **more):
            await fake.join(guild)
            yield town
        assert not fake.wrongs


async def test_given_all_readable_channels_when_searched_then_it_is_private(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        fake, hidden = town.fake, {town.guild.id: VIEW}
        secret = await town.create("secret", denied=hidden, allowed={town.ada.id: VIEW, KEATON.id: VIEW})
        await town.post(tmp_path, secret, "secret.mp4")
        where = {"text": "green", "in_": "all I can read"}
        answer = await town.answer(await fake.slash(town.general, town.ada, "find", **where), "Moment 1")
        assert answer.is_ephemeral
        pressed = await fake.press(answer, "Preview", town.ada)
        await fake.until(lambda: pressed.ack_s is not None, "the press")
        refusal = await town.answer(await fake.slash(town.general, town.bob, "find", **where), "nothing to search")
        assert refusal.is_ephemeral
        open_to_all = {**where, "in_": "this server"}
        await town.answer(await fake.slash(town.general, town.ada, "find", **open_to_all), "nothing to search")


async def test_given_a_hidden_history_when_searched_then_the_answer_is_private(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        late = await town.create("late", denied={town.bob.id: HISTORY})
        await town.post(tmp_path, late, "late.mp4")
        answer = await town.answer(await town.fake.slash(late, town.ada, "find", text="green"), "Moment 1")
        assert answer.is_ephemeral
        await town.answer(await town.fake.slash(late, town.bob, "find", text="green"), "nothing to search")


async def test_given_a_forgotten_video_then_answers_no_longer_show_it(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        sheet = await town.post(tmp_path, town.general, "stunts.mp4")
        answer = await town.answer(await town.fake.slash(town.general, town.bob, "find", text="green"), "Moment 1")
        (video,) = await house.library.videos(View.of(town.scope(str(town.general.id))))
        for who, words in ((town.bob, "Only the person who posted"), (town.ada, "Forgotten")):
            await town.answer(await town.fake.slash(town.general, who, "forget", video=video.video.id), words)
        for shown in (sheet, answer):
            await town.fake.until(lambda shown=shown: "was forgotten" in shown.text, "the answer taken back")  # type: ignore[misc]
            assert (shown.files, shown.buttons) == ({}, {})


async def test_given_keaton_removed_when_added_again_then_the_wait_ends(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        whole = town.scope(WHOLE)
        await town.post(tmp_path, town.general, "one.mp4")
        await town.fake.gateway.dispatch("GUILD_DELETE", {"id": str(town.guild.id), "unavailable": True})
        await town.fake.join(town.guild)
        assert ("left", whole) not in town.grace.heard
        await town.fake.gateway.dispatch("GUILD_DELETE", {"id": str(town.guild.id)})
        await town.heard("left", whole)
        town.grace.heard.clear()
        await town.fake.gateway.dispatch("GUILD_CREATE", town.guild.json())
        await town.heard("back", whole)


async def test_given_it_was_removed_while_stopped_when_it_starts_then_it_notices(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        second = await town.create("second")
        for channel in (town.general, second):
            await town.post(tmp_path, channel, f"{channel.name}.mp4")
        second.denied[KEATON.id] = VIEW
        await town.fake.gateway.dispatch("CHANNEL_UPDATE", second.json())
        await town.heard("left", town.scope(str(second.id)))
    async with FakeDiscord() as another:
        grace = grace_of(house, another.moved)
        async with running(another, house, grace):
            whole = town.scope(WHOLE)
            await another.until(lambda: ("left", whole) in grace.heard, "the removal noticed")


async def test_given_a_deleted_channel_then_it_is_forgotten_at_once(
    house: ColourHouse,
    tmp_path: Path,
) -> None:
    async with a_town(house) as town:
        second = await town.create("second")
        await town.post(tmp_path, second, "second.mp4")
        await town.fake.gateway.dispatch("CHANNEL_DELETE", second.json())
        await town.heard("gone", town.scope(str(second.id)))
        assert await house.library.videos(View.of(town.scope(str(second.id)))) == ()
