"""Replies to an answer: talk among people is left alone, and what was asked for is a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord_world import BOT_ID, Message
from tests.support.discord.indoors import house, quiet_room, reader, room

if TYPE_CHECKING:
    from tests.support.discord.indoors import Room

__all__ = ["house", "quiet_room", "reader", "room"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def replied(room: Room, card: Message, text: str) -> Message:
    return await room.fake.post(room.general, room.bob, text, reply_to=card)


async def questions_since(room: Room, before: set[int]) -> list[str]:
    """Let one more question be answered, which comes after all earlier messages; give what else was said."""
    last = await room.fake.post(room.general, room.ada, f"<@{BOT_ID}> blue")
    await room.said(last, "Moment")
    mine = [one for one in room.general.messages.values() if one.author.id == BOT_ID and one.id not in before]
    return [one.text for one in mine if one.reply_to != last.id]


async def test_given_talk_in_reply_to_an_answer_then_it_is_no_question(room: Room) -> None:
    await room.posted()
    card = await room.found()
    before = set(room.general.messages)
    for text in ("lol nice", "thanks!", "a woman in water"):
        message = await replied(room, card, text)
        assert message.json()["mentions"], "Discord mentions whom a reply answers"
    assert await questions_since(room, before) == []


async def test_given_refine_was_pressed_when_they_reply_once_then_it_is_asked(room: Room) -> None:
    await room.posted()
    card = await room.found("green")
    whisper = await room.answer(await room.fake.press(card, "Refine", room.bob), "Reply to this answer")
    assert whisper.is_ephemeral
    before = set(room.general.messages)
    await room.fake.post(room.general, room.ada, "at dawn", reply_to=card)
    asked = await replied(room, card, "at night")
    assert "green at night" in (await room.said(asked, "Moment")).text
    await replied(room, card, "thanks!")
    assert len(await questions_since(room, before)) == 1


async def test_given_an_answer_when_a_reply_mentions_keaton_then_it_is_refined(room: Room) -> None:
    await room.posted()
    card = await room.found("green")
    asked = await replied(room, card, f"<@{BOT_ID}> at night")
    assert "green at night" in (await room.said(asked, "Moment")).text


async def test_given_no_content_intent_when_replying_then_only_a_ping_refines(
    quiet_room: Room,
) -> None:
    quiet_room.fake.gateway.sees_content = False
    async with quiet_room.door():
        room = quiet_room
        message = await room.fake.post(room.general, room.ada, f"<@{BOT_ID}> {room.link()}")
        await room.said(message)
        card = await room.found("green")
        await room.answer(await room.fake.press(card, "Refine", room.bob), "Reply to this answer")
        silent = Message(room.general, room.bob, "at dawn", reply_to=card.id, pings=False)
        await room.fake.show(silent)
        asked = await replied(room, card, "at night")
        assert "green at night" in (await room.said(asked, "Moment")).text
        assert not room.below(silent)
