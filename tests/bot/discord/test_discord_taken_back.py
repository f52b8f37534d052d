"""Keaton dies between forgetting something and taking back what it said about that, on Discord."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model.events import MessageDeleted
from core.model.requests import card_note
from core.model.video import View
from tests.bot.discord.test_discord_walls import Town, a_town, running
from tests.core.conftest import turn
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild, User
from tests.support.clips import make_clip
from tests.support.houses import grace_of, house, no_clips, reader
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.video import Scope
    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Message

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]

DELETED = ("forgotten", "cancelled", "unheard", "unnoted")
"""How far Keaton came when it died: it had forgotten the message, or only ended its requests, or not heard that the
message is gone; or it had not even noted its own answer."""


async def test_given_a_forgotten_video_when_restarted_then_its_words_alone_go(
    house: ColourHouse, tmp_path: Path
) -> None:
    house.relays.reader.target = stopping = StoppingReader(house.reader, 0)
    async with FakeDiscord() as fake:
        guild = Guild("A server")
        town = Town(fake, house, grace_of(house, fake.moved), guild, guild.channel("general"), User("Ada"), User("Bob"))
        async with running(fake, house, town.grace):
            await fake.join(guild)
            told = await status(town, tmp_path, "told")
            await stopping.stopped.wait()
            ((video,),) = await house.library.connections.rows("SELECT video_id FROM works", {})
            gone = {how: await status(town, tmp_path, how) for how in DELETED}
            kept = await status(town, tmp_path, "kept")
        house.relays.reader.target = house.reader
        house.begin_run()
        await house.library.forget(video, View.of(town.scope(str(town.general.id))))
        for how, card in gone.items():
            await died(town, how, card)
        assert all(card.id in town.general.messages for card in gone.values())
        async with running(fake, house, town.grace):
            for how, card in gone.items():
                await fake.until(lambda card=card: card.id not in town.general.messages, f"{how}: the status gone")  # type: ignore[misc]
            await fake.until(lambda: "forgotten here meanwhile" in told.text, "what became of it")
            await fake.until(lambda: "Ready to search" in kept.text, "the other video")
        assert not await house.library.connections.rows("SELECT 1 FROM stale_cards", {})
        assert not fake.wrongs


async def test_given_a_menu_answer_when_its_message_is_deleted_then_it_goes(house: ColourHouse, tmp_path: Path) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "menu.mp4")
        (message,) = [one for one in town.general.messages.values() if "menu.mp4" in one.content]
        answer = await town.answer(await town.fake.menu(message, town.bob), "I know this video")
        await town.fake.remove(message)
        await town.fake.until(lambda: answer.id not in town.general.messages, "the answer gone")


async def test_given_a_message_deleted_before_it_is_noted_then_it_is_left_alone(
    house: ColourHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, gate = asyncio.Event(), asyncio.Event()

    async def is_on(_scope: Scope, *, by_default: bool) -> bool:
        reached.set()
        await gate.wait()
        return by_default

    async with a_town(house) as town:
        monkeypatch.setattr(house.ledger, "is_on", is_on)
        house.fetcher.web["https://films.example/brief.mp4"] = make_clip(tmp_path / "brief.mp4", [("blue", 1)])
        message = await town.fake.post(town.general, town.ada, "https://films.example/brief.mp4")
        await reached.wait()
        await town.fake.remove(message)
        await town.answer(await town.fake.slash(town.general, town.bob, "videos"), "no video here")
        gate.set()
        await town.post(tmp_path, town.general, "other.mp4")
        assert not below(message)
        assert len(await house.library.videos(View.of(town.scope(str(town.general.id))))) == 1


async def test_given_a_failure_under_way_then_no_unfinished_status_is_left(house: ColourHouse, tmp_path: Path) -> None:
    async with a_town(house) as town:
        fake = town.fake
        await town.post(tmp_path, town.general, "cut.mp4")
        moving, cut = [
            await town.answer(await fake.slash(town.general, town.bob, "find", text=text), "Moment 1 of")
            for text in ("green", "red")
        ]
        await fake.press(cut, "Cut", town.ada)
        await fake.until(lambda: "Send the cut" in cut.buttons, "the cut")
        async with no_clips(house):
            answers = [await fake.press(moving, "Preview", town.bob), await fake.press(cut, "Send the cut", town.ada)]
            await fake.until(lambda: "░" in moving.text, "the preview under way")
            await fake.until(lambda: any("Cutting" in one.text for one in below(cut)), "the cut under way")
            for video in await house.library.videos(View.of(town.scope(str(town.general.id)))):
                await house.media.forget(video.video.id)
        await fake.until(lambda: all(one.whispers for one in answers), "what went wrong")
        assert below(cut) == []
        assert ("░" in moving.text, "Moment 1 of" in moving.text) == (False, True)


def below(message: Message) -> list[Message]:
    return [one for one in message.channel.messages.values() if one.reply_to == message.id and one.text]


async def status(town: Town, folder: Path, name: str) -> Message:
    """Post a video that comes no further than to being looked at, and give what Keaton says about it."""
    link = f"https://films.example/{name}.mp4"
    web = town.house.fetcher.web
    web[link] = make_clip(folder / f"{name}.mp4", [("red", 1), ("green", 1 + len(web) / 5)])
    message = await town.fake.post(town.general, town.ada, link)
    return (await town.fake.until(lambda: below(message), f"{name}: a status"))[0]


async def died(town: Town, how: str, card: Message) -> None:
    """Delete the message that a card answers while Keaton is on its way to be dead."""
    asked, scope = str(card.reply_to), town.scope(str(town.general.id))
    del town.general.messages[int(asked)]
    match how:
        case "forgotten":
            gone = replace(turn(platform="discord"), scope=scope, view=View.of(scope), message=asked)
            await town.house.say(MessageDeleted(gone))
        case "cancelled":
            await town.house.ledger.take_cards_back(scope, asked)
            await town.house.runner.cancel_message(scope, asked)
        case "unnoted":
            for name, _ in await town.house.ledger.notes(card_note(scope, asked)):
                await town.house.ledger.remember(name, "")
