"""What people take back on Discord by editing, by deleting a channel, and while Keaton is away, is forgotten."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.model.video import Scope, View
from tests.fakes.discord_world import BOT_ID, Message
from tests.support.discord.indoors import house, quiet_room, reader, room

if TYPE_CHECKING:
    from tests.fakes.discord_world import Channel
    from tests.support.discord.indoors import Room

__all__ = ["house", "quiet_room", "reader", "room"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def videos(room: Room, channel: Channel | None = None) -> int:
    scope = Scope("discord", str(room.guild.id), str((channel or room.general).id))
    return await room.house.library.count(View.of(scope))


async def until_videos(room: Room, number: int, channel: Channel | None = None) -> None:
    """Wait until so many videos are known, whatever else goes on."""
    for _ in range(400):
        if await videos(room, channel) == number:
            return
        await asyncio.sleep(0.02)  # no event tells of what is forgotten
    assert await videos(room, channel) == number


async def test_given_a_link_edited_away_then_its_video_alone_is_forgotten(room: Room) -> None:
    one, two = room.link(), room.link()
    message = await room.fake.post(room.general, room.ada, f"{one} and {two}")
    await room.fake.until(lambda: len(room.below(message, "Ready to search")) == 2, "two cards")
    await room.fake.change(message, f"only {two}")
    await room.fake.until(lambda: len(room.below(message)) == 1, "one card gone")
    await until_videos(room, 1)
    (left,) = room.below(message)
    assert "Ready to search" in left.text
    await room.fake.change(message, f"again {one} and {two}")
    await room.fake.until(lambda: len(room.below(message, "Ready to search")) == 2, "it is looked at again")
    await room.fake.change(message, "nothing")
    await until_videos(room, 0)


async def test_given_a_file_taken_off_its_message_then_only_that_is_forgotten(room: Room) -> None:
    link = room.link("holiday.mp4")
    path = room.folder / "holiday.mp4"
    message = await room.fake.post(room.general, room.ada, "look", path)
    room.house.fetcher.web[message.attachments[0]["url"]] = path
    await room.said(message)
    await room.fake.change(message, "look at this, with another word")
    await room.fake.change(message, f"and {link}")
    await room.fake.until(lambda: len(room.below(message)) == 2, "the link too")
    assert await videos(room) == 1
    await room.fake.change(message, "without the link")
    await room.fake.until(lambda: len(room.below(message)) == 1, "the link's card gone")
    assert await videos(room) == 1, "the file still brings it"
    await room.fake.strip(message)
    await until_videos(room, 0)


async def test_given_a_deleted_channel_then_its_sleeping_threads_are_forgotten(room: Room) -> None:
    elsewhere = room.guild.channel("elsewhere")
    await room.fake.gateway.dispatch("CHANNEL_CREATE", elsewhere.json())
    thread = room.guild.thread(elsewhere, "a thread")
    await room.fake.gateway.dispatch("THREAD_CREATE", thread.json())
    await room.posted("", thread)
    await room.fake.set_thread(thread, archived=True)
    await room.fake.delete_channel(elsewhere)
    await until_videos(room, 0, thread)


async def test_given_a_change_far_back_when_it_was_away_then_that_is_forgotten(quiet_room: Room) -> None:
    room = quiet_room
    async with room.door():
        deleted, changed, kept = [await room.posted() for _ in range(3)]
    assert await videos(room) == 3
    for number in range(230):
        chatter = Message(room.general, room.bob, f"talk {number}")
        room.general.messages[chatter.id] = chatter
    del room.general.messages[deleted.id]
    changed.content = "never mind"
    async with room.door():
        await until_videos(room, 1)
        last = await room.posted()
    assert kept.id in room.general.messages
    assert last.id in room.general.messages
    assert await videos(room) == 2


async def test_given_a_channel_deleted_while_away_then_it_is_forgotten_at_once(quiet_room: Room) -> None:
    room = quiet_room
    elsewhere = room.guild.channel("elsewhere")
    async with room.door():
        await room.posted("", elsewhere)
    await room.fake.delete_channel(elsewhere)
    async with room.door():
        await until_videos(room, 0, elsewhere)


async def test_given_no_content_intent_when_edited_then_nothing_is_forgotten(quiet_room: Room) -> None:
    room = quiet_room
    room.fake.gateway.sees_content = False
    async with room.door():
        message = await room.fake.post(room.general, room.ada, room.link())
        await room.answer(await room.fake.menu(message, room.bob), "Ready to search")
        await room.fake.show(message)
        asked = await room.fake.post(room.general, room.ada, f"<@{BOT_ID}> green")
        await room.said(asked, "Moment")
        assert await videos(room) == 1
