"""What people do on Discord and see there, told against a server that speaks the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bot.discord.conftest import Scene
    from tests.fakes.discord_world import Channel, Message

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

EYES = "👀"


def card_below(channel: Channel, message: Message, words: str) -> Message | None:
    """Give Keaton's answer to a message, once it says these words."""
    replies = (one for one in channel.messages.values() if one.reply_to == message.id)
    return next((one for one in replies if words in one.text), None)


async def indexed(scene: Scene, message: Message) -> Message:
    return await scene.fake.until(lambda: card_below(message.channel, message, "Ready to search"), "the summary")


async def test_a_posted_link_becomes_a_card_and_can_be_searched(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    posted = await fake.post(general, scene.ada, f"look at this {scene.link('stunts.mp4')} !")
    card = await indexed(scene, posted)
    assert "Posted by Ada" in card.text
    assert "looks" in card.text
    assert list(card.files) == ["sheet.jpg"]
    assert (posted.id, EYES) in fake.reacted
    await fake.until(lambda: not posted.reactions, "the reaction gone")

    it = await fake.slash(general, scene.bob, "find", text="something green")
    answer = await fake.until(lambda: it.original if it.original and it.original.files else None, "an answer")
    assert set(answer.files) == {"frame.jpg", "plot.png"}
    assert not answer.is_ephemeral
    assert answer.links["Posted by Ada"].endswith(f"/{general.id}/{posted.id}")
