"""What Discord's gateway and its outages do to Keaton: events that nobody can read, servers that are not told of."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.test_discord_walls import Town, a_town, running
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import CONNECT, KEATON, VOICE, Guild, User
from tests.fakes.waiting import logged
from tests.support import clips
from tests.support.houses import grace_of, house, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Channel, Message

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


async def test_given_an_unreadable_event_then_it_is_logged_without_its_words(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        for kind in ("MESSAGE_CREATE", "INTERACTION_CREATE", "CHANNEL_UPDATE", "THREAD_UPDATE"):
            await town.fake.gateway.dispatch(kind, {"id": "no number of a secret", "guild_id": str(town.guild.id)})
        await logged(caplog, "cannot be read and is left", 4)
        await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        assert town.fake.gateway.ready == 1
        assert "secret" not in caplog.text
        assert "MESSAGE_CREATE" in caplog.text


async def test_given_one_unreadable_channel_then_the_others_are_still_read_back(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_place(house) as town:
        second = town.guild.channel("second")
        voice = town.guild.channel("voice", kind=VOICE, denied={KEATON.id: CONNECT})
        async with running(town.fake, house, town.grace):
            for channel in (town.general, second):
                await town.post(tmp_path, channel, f"{channel.name}.mp4")
            await is_noted(house)
        missed = [await away(town, channel, tmp_path) for channel in (town.general, second, voice)]
        town.fake.broken[second.id] = 503
        for _ in range(2):  # and the mark is kept across restarts
            async with running(town.fake, house, town.grace):
                await town.fake.until(lambda: card_below(missed[0]), "the card in the channel that can be read")
                await logged(caplog, "cannot be read back for now")
                assert card_below(missed[1]) is None
        async with running(town.fake, house, town.grace):
            del town.fake.broken[second.id]
            await town.fake.until(lambda: card_below(missed[1]), "the card in the other one")
        assert card_below(missed[2]) is None
        assert "Traceback" not in caplog.text


async def test_given_a_server_announced_late_when_it_comes_then_it_is_read_back(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with a_place(house) as town:
        async with running(town.fake, house, town.grace):
            await town.post(tmp_path, town.general, "film.mp4")
            await is_noted(house)
        missed = await away(town, town.general, tmp_path)
        town.fake.gateway.withheld.add(town.guild.id)
        async with running(town.fake, house, town.grace):
            it = await town.fake.typed(town.general, town.ada, "/find green")
            said = await town.answer(it, "there may be an outage")
            assert said.is_ephemeral
            await town.fake.join(town.guild)
            await town.fake.until(lambda: card_below(missed), "the card")
            await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")


async def test_given_a_server_without_keatons_roles_when_asked_then_it_works(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_place(house) as town:
        town.guild.tells_of_keaton = False
        async with running(town.fake, house, town.grace):
            await town.post(tmp_path, town.general, "film.mp4")
            await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        assert "Traceback" not in caplog.text


async def test_given_no_known_roles_when_a_link_is_posted_then_no_traceback(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_place(house) as town:
        town.guild.tells_of_keaton, town.fake.hides_members = False, True
        thread = town.guild.thread(town.general, "below")
        async with running(town.fake, house, town.grace):
            for channel in (town.general, thread):
                message = await away(town, channel, tmp_path)
                await town.fake.until(lambda message=message: card_below(message), "the card")  # type: ignore[misc]
                await town.fake.change(message, "never mind")
                await town.fake.remove(message)
            await town.fake.gateway.dispatch("CHANNEL_UPDATE", town.general.json())
            await is_noted(house)
            await town.answer(await town.fake.slash(town.general, town.ada, "videos"), "no video here")
        assert "Traceback" not in caplog.text


@asynccontextmanager
async def a_place(house: ColourHouse) -> AsyncIterator[Town]:
    """Give a server in which Keaton does not run yet."""
    async with FakeDiscord() as fake:
        guild = Guild("A server")
        town = Town(fake, house, grace_of(house, fake.moved), guild, guild.channel("general"), User("Ada"), User("Bob"))
        fake.guilds.append(guild)
        yield town
        assert not fake.wrongs


async def is_noted(house: ColourHouse) -> None:
    """Wait until Keaton has noted that it missed nothing so far."""
    async with asyncio.timeout(60):
        while not await house.ledger.recall("discord:alive"):  # noqa: ASYNC110 - nothing tells of a note
            await asyncio.sleep(0.02)


async def away(town: Town, channel: Channel, folder: Path) -> Message:
    """Post a video while Keaton does not run."""
    link = f"https://films.example/missed-{channel.name}.mp4"
    town.house.fetcher.web[link] = clips.make_clip(folder / f"missed-{channel.name}.mp4", [("red", 2), ("green", 2)])
    return await town.fake.post(channel, town.ada, link)


def card_below(message: Message) -> Message | None:
    mine = (one for one in message.channel.messages.values() if one.reply_to == message.id)
    return next((one for one in mine if "Ready to search" in one.text or "know this video" in one.text), None)
