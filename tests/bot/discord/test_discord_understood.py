"""What people mean on Discord is understood, and what nobody meant is left alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.test_discord_walls import Town, a_town
from tests.fakes.discord_world import BOT_ID, HISTORY, KEATON, REACT, SEND, VIEW
from tests.support import clips
from tests.support.houses import house, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Channel, Message

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


def below(message: Message) -> list[Message]:
    return [one for one in message.channel.messages.values() if one.reply_to == message.id]


async def said_below(town: Town, message: Message, words: str) -> Message:
    def found() -> Message | None:
        return next((one for one in below(message) if words in one.text), None)

    return await town.fake.until(found, words)


def video(town: Town, folder: Path, name: str) -> str:
    """Put a video onto the web; give its link."""
    link = f"https://films.example/{name}"
    town.house.fetcher.web[link] = clips.make_clip(folder / name, [("red", 2), ("green", 2)])
    return link


async def test_given_a_forwarded_link_when_seen_then_it_is_indexed(house: ColourHouse, tmp_path: Path) -> None:
    async with a_town(house) as town:
        another = await town.create("another")
        told = await town.fake.post(another, KEATON, video(town, tmp_path, "forwarded.mp4"))
        await said_below(town, await town.fake.forward(town.general, town.ada, told), "Ready to search")


async def test_given_a_mention_of_keatons_role_then_it_is_one_of_keaton(house: ColourHouse, tmp_path: Path) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        asked = await town.fake.post(town.general, town.ada, f"<@&{town.guild.own_role}> something green")
        assert "“something green”" in (await said_below(town, asked, "Moment 1")).text


@pytest.mark.parametrize("kind", [6, 18, 24])
async def test_given_a_system_message_when_seen_then_it_is_not_answered(
    house: ColourHouse, tmp_path: Path, kind: int
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        told = await town.fake.tell(town.general, town.ada, kind, f"<@{BOT_ID}> something green")
        asked = await town.fake.post(town.general, town.ada, f"<@{BOT_ID}> something green")
        await said_below(town, asked, "Moment 1")
        assert told.id not in {message for message, _ in town.fake.reacted}, "nobody began to answer it"
        assert not [one for one in below(told) if one.text]
        assert not town.fake.refused


async def test_given_a_channel_only_the_asker_reads_then_the_answer_is_private(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with a_town(house) as town:
        hidden = {town.guild.id: VIEW}
        staff = await town.create("staff", denied=hidden, allowed={town.ada.id: VIEW, KEATON.id: VIEW})
        for channel in (staff, town.general):
            await town.post(tmp_path, channel, f"{channel.name}.mp4")
        asked = {"text": "green in:staff", "in_": "all I can read"}
        answer = await town.answer(await town.fake.slash(town.general, town.ada, "find", **asked), "Moment 1")
        assert answer.is_ephemeral
        assert "Moment 1 of 1" in answer.text
        await town.answer(await town.fake.slash(town.general, town.bob, "find", **asked), "no channel")


@pytest.mark.parametrize("denied", [REACT, SEND, HISTORY, SEND | REACT])
async def test_given_no_permissions_when_posted_then_nothing_forbidden_is_tried(
    house: ColourHouse, tmp_path: Path, denied: int
) -> None:
    async with a_town(house) as town:
        await forbid(town, town.general, denied)
        message = await town.fake.post(town.general, town.ada, video(town, tmp_path, "film.mp4"))
        if denied == REACT:
            await said_below(town, message, "Ready to search")
        await forbid(town, town.general, 0)
        await town.post(tmp_path, town.general, "another.mp4")
        assert not town.fake.refused


async def forbid(town: Town, channel: Channel, bits: int) -> None:
    channel.denied[KEATON.id] = bits
    await town.fake.gateway.dispatch("CHANNEL_UPDATE", channel.json())
