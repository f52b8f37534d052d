"""32 videos at once in one channel of Discord, in time that passes as fast as it can: no request is one too many.

Discord's limits for a channel: five messages and five edits in five seconds, counted in windows (topics/rate-limits);
one reaction in 250 ms.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bot.discord.config import BUDGET, REACTIONS
from bot.discord.targets import ChannelTurns, DiscordWorkReaction, MessageTarget
from bot.doors.delivery import deliver
from bot.doors.desk import WaitingLines
from bot.doors.pace import Pace
from bot.doors.requests import Unnumbered
from core.model.reply import Progress, Reply
from core.wording.replies import working
from tests.support import quickloop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import discord

VIDEOS, AT_ONCE, EACH_S = 32, 4, 8.0
MOST, WITHIN_S, REACTION_S = 5, 5.0, 0.25
TAKES_S = 0.1
"""Of one request."""


def said(view: discord.ui.LayoutView) -> str:
    parts = _parts(view.to_components())  # type: ignore[no-untyped-call]
    return "\n".join(str(one["content"]) for one in parts if "content" in one)


def _parts(components: list[Any]) -> list[Any]:
    return [part for one in components for part in (one, *_parts(one.get("components", [])))]


@dataclass
class Room:
    """A channel that takes messages, and notes when; what stands in it by number."""

    id: int = 1
    posts_s: list[float] = field(default_factory=list)
    edits: list[tuple[float, str]] = field(default_factory=list)
    reactions_s: list[float] = field(default_factory=list)
    standing: dict[int, str] = field(default_factory=dict)
    most_positions: int = 0
    """How many messages told a place in the queue at the same time, at most."""

    def show(self, number: int, words: str) -> None:
        self.standing[number] = words
        told = sum("before it" in one or "before yours" in one or "after it" in one for one in self.standing.values())
        self.most_positions = max(self.most_positions, told)

    async def send(self, *, view: discord.ui.LayoutView, **_more: object) -> Posted:
        self.posts_s.append(now_s())
        posted = Posted(self, 1000 + len(self.posts_s))
        await asyncio.sleep(TAKES_S)
        self.show(posted.id, said(view))
        return posted


@dataclass
class Posted:
    """A message in the channel."""

    channel: Room
    id: int
    guild: Any = None

    async def edit(self, *, view: discord.ui.LayoutView, **_more: object) -> None:
        self.channel.edits.append((now_s(), said(view)))
        self.channel.show(self.id, said(view))
        await asyncio.sleep(TAKES_S)

    def to_reference(self, **_more: object) -> None:
        return None

    async def add_reaction(self, _emoji: str) -> None:
        self.channel.reactions_s.append(now_s())

    async def remove_reaction(self, _emoji: str, _who: object) -> None:
        self.channel.reactions_s.append(now_s())


@dataclass
class Town:
    """A server of which all is known but who is in it."""

    me: str = "Keaton"


def now_s() -> float:
    return asyncio.get_running_loop().time()


async def video(number: int) -> AsyncIterator[Reply]:
    """Wait until the videos before it are done, say each tenth of a second how far it is, and be ready."""
    for turn in range(number // AT_ONCE, 0, -1):
        yield working(Progress("waiting", None, ahead=AT_ONCE * turn))
        await asyncio.sleep(EACH_S)
    for step in range(int(EACH_S * 10)):
        yield working(Progress("looking", step / (EACH_S * 10)))
        await asyncio.sleep(0.1)
    yield Reply(f"Ready {number}.")


async def found(number: int) -> AsyncIterator[Reply]:
    yield Reply(f"Alike {number}.")


async def ignore(_message_id: int) -> None:
    return


def place(room: Room, number: int) -> MessageTarget:
    asked: Any = Posted(room, number)
    return MessageTarget(asked, 1 << 20, ignore, Unnumbered(), f"nonce {number}")


async def busy() -> tuple[Room, list[float], float]:
    """Index the videos while somebody asks each five seconds; give how long each answer took to show."""
    room, lines, waits_s = Room(), WaitingLines(), list[float]()
    loop = asyncio.get_running_loop()
    posts, edits = Pace(BUDGET, loop.time).of("1"), Pace(BUDGET, loop.time).of("1")
    async with asyncio.TaskGroup() as group:
        for number in range(VIDEOS):
            target = place(room, number)
            turns = ChannelTurns(target, posts, edits)
            group.create_task(_delivered(lines.told(video(number), "1"), target, turns))
        for number in range(10):
            await asyncio.sleep(5.0)
            target, began_s = place(room, 500 + number), now_s()
            await deliver(found(number), target, 3.0, ChannelTurns(target, posts, edits))
            waits_s.append(now_s() - began_s)
    return room, waits_s, VIDEOS / AT_ONCE * EACH_S


async def _delivered(replies: AsyncIterator[Reply], target: MessageTarget, turns: ChannelTurns) -> None:
    assert await deliver(replies, target, 3.0, turns)


def most_in_a_window(times_s: list[float]) -> int:
    """Return the largest number of requests that any five seconds saw."""
    return max(sum(start <= one < start + WITHIN_S for one in times_s) for start in times_s)


def test_given_32_videos_when_searching_then_within_limits_without_a_wait() -> None:
    room, waits_s, worked_s = quickloop.run(busy())
    assert most_in_a_window(room.posts_s) <= MOST
    assert most_in_a_window([one for one, _ in room.edits]) <= MOST
    assert max(waits_s) < 2.0
    ready_s = [one for one, words in room.edits if words.startswith("Ready")]
    assert len(ready_s) == VIDEOS
    assert max(ready_s) < worked_s + 6.0
    assert len(room.posts_s) == VIDEOS + 10


def test_given_32_videos_when_they_wait_then_one_message_shows_the_queue() -> None:
    room, _, _ = quickloop.run(busy())
    assert room.most_positions == 1


async def watched() -> Room:
    room, reactions = Room(), DiscordWorkReaction(Pace(REACTIONS, asyncio.get_running_loop().time))

    async def work(number: int) -> None:
        message: Any = Posted(room, number, Town())
        reactions.expect(message, 1)
        async with reactions.on(message) as done:
            await asyncio.sleep(15.0 + number / 10)
            await done()

    await asyncio.gather(*(work(number) for number in range(VIDEOS)))
    return room


def test_given_32_messages_when_each_has_a_reaction_then_limits_are_kept() -> None:
    room = quickloop.run(watched())
    gaps_s = [later - earlier for earlier, later in pairwise(room.reactions_s)]
    assert len(room.reactions_s) == 2 * VIDEOS
    assert min(gaps_s) >= REACTION_S
