"""Lists on Discord: pages by buttons that only show what the list's reader may see there, and names while typing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.model.video import Scope
from tests.core.conftest import turn
from tests.fakes.discord_world import walk
from tests.support.discord.indoors import house, quiet_room, reader, room
from tests.support.videos import put_video

if TYPE_CHECKING:
    from tests.fakes.discord_world import Channel, Message
    from tests.support.discord.indoors import Room

__all__ = ["house", "quiet_room", "reader", "room"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def fill(room: Room, channel: Channel, names: list[str]) -> None:
    scope = Scope("discord", str(room.guild.id), str(channel.id))
    for name in names:
        await put_video(room.house, turn(), name, [("red", 1)], scope)


def thumbnails(message: Message) -> int:
    return len([one for one in walk(message.components) if one["type"] == 11])


async def test_given_a_list_of_videos_when_turned_then_only_this_channels_show(room: Room) -> None:
    other = room.guild.channel("other")
    await room.fake.gateway.dispatch("CHANNEL_CREATE", other.json())
    await fill(room, other, [f"elsewhere {number}" for number in range(9)])
    await fill(room, room.general, [f"video {number}" for number in range(12)])
    page = await room.answer(await room.fake.slash(room.general, room.bob, "videos"), "12 videos, page 1 of 3")
    assert page.is_ephemeral
    assert thumbnails(page) == 5
    for number in (2, 3):
        await room.fake.press(page, "Next page", room.bob)
        await room.fake.until(lambda number=number: f"page {number} of 3" in page.text, "the page")  # type: ignore[misc]
    assert "video 0" in page.text
    assert "elsewhere" not in "".join(page.history)
    assert "sha256" not in "".join(page.history)
    assert page.buttons["Next page"]["disabled"]


async def test_given_many_videos_when_a_name_is_typed_then_the_best_are_offered(room: Room) -> None:
    await fill(room, room.general, ["sea", *(f"a seaside {number}" for number in range(40))])
    assert (await room.fake.type(room.general, room.bob, "sea"))[0] == "sea"
    assert len(await room.fake.type(room.general, room.bob, "")) == 25
