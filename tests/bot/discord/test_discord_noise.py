"""How much of Keaton all have to read on Discord: bounded, and nobody speaks through it who may not speak there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.core.conftest import CHOICES
from tests.fakes.discord_world import ATTACH, BOT_ID, SEND
from tests.support.discord.indoors import quiet_room, reader, room
from tests.support.houses import open_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.engines.video.reader import ChildFrameReader
    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Message
    from tests.support.discord.indoors import Room

__all__ = ["quiet_room", "reader", "room"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

MOST = 12


@pytest_asyncio.fixture(loop_scope="session")
async def house(reader: ChildFrameReader, tmp_path: Path) -> AsyncIterator[ColourHouse]:
    async with open_house(reader, tmp_path, replace(CHOICES, turns_a_minute=MOST)) as house:
        yield house


def aloud(room: Room) -> list[Message]:
    mine = [one for one in room.general.messages.values() if one.author.id == BOT_ID]
    return [one for one in mine if not one.is_ephemeral]


@pytest.mark.parametrize(("denied", "name"), [(SEND, "Send Messages"), (ATTACH, "Attach Files")])
async def test_given_no_right_to_post_when_pressed_then_nothing_is_posted(room: Room, denied: int, name: str) -> None:
    await room.posted()
    card = await room.found("green", room.ada)
    await room.fake.press(card, "Cut", room.ada)
    await room.fake.until(lambda: "Send the cut" in card.buttons, "the cut")
    room.general.denied[room.bob.id] = denied
    before = aloud(room)
    for label in ("More like this", "Send the cut"):
        refusal = await room.answer(await room.fake.press(card, label, room.bob), name)
        assert refusal.is_ephemeral
    assert aloud(room) == before


async def test_given_no_right_to_post_when_asked_then_answers_are_private(room: Room) -> None:
    await room.posted()
    room.general.denied[room.bob.id] = SEND
    before = aloud(room)
    assert (await room.found("green", room.bob)).is_ephemeral
    refusal = await room.answer(
        await room.fake.slash(room.general, room.bob, "index", url=room.link()), "Send Messages"
    )
    assert refusal.is_ephemeral
    menu = await room.fake.menu(await room.fake.post(room.general, room.ada, "text"), room.bob)
    assert (await room.answer(menu, "Send Messages")).is_ephemeral
    assert aloud(room) == before


@pytest.mark.parametrize("label", ["More like this", "Send the cut"])
async def test_given_many_presses_that_post_when_too_many_then_they_are_refused(room: Room, label: str) -> None:
    await room.posted()
    card = await room.found("green", room.ada)
    await room.fake.press(card, "Cut", room.ada)
    await room.fake.until(lambda: "Send the cut" in card.buttons, "the cut")
    before = len(aloud(room))
    for number in range(1, 6):
        await room.fake.press(card, label, room.bob)
        await room.fake.until(lambda number=number: len(aloud(room)) == before + number, "an answer")  # type: ignore[misc]
    refusal = await room.answer(await room.fake.press(card, label, room.bob), "One thing after the other")
    assert refusal.is_ephemeral
    assert len(aloud(room)) == before + 5


async def test_given_many_links_at_once_when_too_many_then_one_word_says_so(room: Room) -> None:
    link = room.link()
    await room.posted(link)
    for _ in range(25):
        await room.fake.post(room.general, room.bob, link)
    last = await room.fake.post(room.general, room.ada, f"<@{BOT_ID}> green")
    await room.said(last, "Moment")
    await room.fake.until(lambda: not [m for m in room.general.messages.values() if m.reactions], "all looked at")
    cards = [one.text for one in aloud(room)]
    assert len([one for one in cards if "One thing after the other" in one]) == 1
    assert len([one for one in cards if "I know this video already" in one]) == MOST


async def test_given_more_than_five_links_in_a_message_then_the_rest_is_named(room: Room) -> None:
    links = [f"https://films.example/none{number}.mp4" for number in range(8)]
    message = await room.fake.post(room.general, room.bob, " ".join(links))
    told = await room.said(message, "Left alone")
    assert [link for link in links if link in told.text.replace("\\", "")] == links[5:]
    await room.fake.until(lambda: len(room.below(message)) == 6, "five answers beside it")
