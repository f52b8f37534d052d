"""What a story looks for on the small Discord."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bot.discord.conftest import Scene
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Channel, Message, User

READY = "Ready to search"
EYES = "👀"
CHECKING = "hecking…"
"""Said of a verdict that may still change; where the fake answers Keaton no more, nothing else follows."""


def cards_below(message: Message) -> list[Message]:
    """Give Keaton's messages that answer this one."""
    return [one for one in message.channel.messages.values() if one.reply_to == message.id]


def card_below(message: Message, words: str) -> Message | None:
    """Give the one that says these words."""
    return next((one for one in cards_below(message) if words in one.text), None)


async def said_below(scene: Scene, message: Message, words: str = READY) -> Message:
    """Wait until Keaton answers a message in these words."""
    return await scene.fake.until(lambda: card_below(message, words), f"{words!r} below {message.content!r}")


async def posted(scene: Scene, text: str, channel: Channel | None = None, *, known: bool = False) -> Message:
    """Post a message with a link, and wait until its video can be searched; it may be known from another story."""
    message = await scene.fake.post(channel or scene.general, scene.ada, text)
    await said_below(scene, message, "/find" if known else READY)
    return message


async def answer_to(scene: Scene, it: Interaction, words: str = "") -> Message:
    """Wait until a command or a press was answered, in these words."""

    def found() -> Message | None:
        shown = it.shown
        if shown is None:
            return None
        told = shown.text.replace(CHECKING, "") if it.user.id in scene.fake.desk.unheard else shown.text
        return shown if shown.components and "…" not in told and words in told else None

    return await scene.fake.until(found, f"an answer with {words!r}")


async def found(scene: Scene, text: str = "something green", user: User | None = None, **options: str) -> Message:
    """Search, and give the answer with its pictures."""
    it = await scene.fake.slash(scene.general, user or scene.bob, "find", text=text, **options)
    return await answer_to(scene, it, "Moment")
