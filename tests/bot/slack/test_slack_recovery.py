"""What was posted while Keaton did not hear it is read afterwards: each channel by itself, threads too."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from bot.doors.pace import Budget

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Channel, Message

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

HISTORY = "conversations.history"
QUICK: dict[str, Any] = {"alive_every_s": 0.1, "read_again_s": (0.2,)}


async def unheard(scene: Scene, text: str, channel: Channel | None = None, thread: str = "") -> Message:
    """Post something that is told to nobody."""
    scene.fake.sockets.loses = True
    try:
        return await scene.fake.post(scene.team, channel or scene.general, scene.ada, text, thread=thread)
    finally:
        scene.fake.sockets.loses = False


async def known_for_long(scene: Scene) -> None:
    """Let an earlier run have ended ten minutes ago: in the first 30 seconds of the first run the note stays."""
    await scene.house.ledger.remember(f"slack:alive:{scene.team.id}", f"{time.time() - 600:.6f}")


async def noted(scene: Scene) -> float:
    """Wait until it is noted anew that nothing was missed, and give when."""
    name = f"slack:alive:{scene.team.id}"
    before = await scene.house.ledger.recall(name)
    async with asyncio.timeout(30):
        while (now := await scene.house.ledger.recall(name)) == before:  # noqa: ASYNC110 - no one tells
            await asyncio.sleep(0.02)
    return float(now)


@pytest.mark.parametrize("error", ["internal_error", "missing_scope"])
async def test_given_a_failing_channel_when_looking_back_then_only_it_is_retried(
    quiet_scene: Scene, error: str
) -> None:
    scene = quiet_scene
    await known_for_long(scene)
    await scene.start(**QUICK)
    other = scene.team.channel("other")
    await scene.posted()
    await scene.posted(channel=other)
    await noted(scene)
    await scene.stop()
    missed, elsewhere = await scene.post(scene.link()), await scene.post(scene.link(), channel=other)
    scene.fake.refusals[HISTORY] = lambda sent: error if sent["channel"] == scene.general.id else ""
    await scene.start(**QUICK)
    await scene.below(elsewhere)
    await noted(scene)
    await noted(scene)
    assert not scene.general.below(missed)
    scene.fake.refusals.clear()
    await scene.below(missed)


async def test_given_a_channels_mark_when_a_run_starts_then_it_reads_from_there(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await known_for_long(scene)
    await scene.start(alive_every_s=0.1)
    await scene.posted()
    await noted(scene)
    await scene.stop()
    missed = await scene.post(scene.link())
    scene.fake.refusals[HISTORY] = "internal_error"
    await scene.start(alive_every_s=0.1)
    await noted(scene)
    await scene.stop()
    scene.fake.refusals.clear()
    # as if a long time had passed since the first run
    await scene.house.ledger.remember(f"slack:alive:{scene.team.id}", f"{float(missed.ts) + 600:.6f}")
    await scene.start()
    await scene.below(missed)


async def test_given_a_lost_connection_when_a_new_one_stands_then_it_reads_back(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await known_for_long(scene)
    await scene.start(**QUICK)
    await scene.posted()
    await noted(scene)
    scene.fake.refusals["apps.connections.open"] = "internal_error"
    await scene.fake.sockets.drop(scene.team)
    await scene.fake.until(lambda: not scene.fake.sockets.is_open(scene.team), "no connection")
    missed = await unheard(scene, scene.link())
    await asyncio.sleep(0.5)
    before = await scene.house.ledger.recall(f"slack:alive:{scene.team.id}")
    await asyncio.sleep(0.5)
    assert await scene.house.ledger.recall(f"slack:alive:{scene.team.id}") == before, "it is not listening"
    scene.fake.refusals.clear()
    await scene.below(missed)
    await noted(scene)


async def test_given_missed_replies_when_reading_back_then_threads_are_answered(scene: Scene) -> None:
    root = await scene.post("an old talk")
    known = await scene.posted()
    await scene.stop()
    missed = await scene.post(scene.link(), thread=root.ts)
    asked = await scene.post(f"<@{scene.team.keaton.id}> green", thread=known.ts)
    await scene.start()

    def answers() -> bool:
        told = [one.words for one in scene.general.by_keaton if one.thread_ts == root.ts]
        found = [one.words for one in scene.general.by_keaton if one.thread_ts == asked.thread_ts]
        return any("Ready" in one for one in told) and any("Moment" in one for one in found)

    await scene.fake.until(answers, f"answers to {missed.text} and {asked.text}")


async def test_given_120_channels_when_looking_back_then_all_are_read_in_tier_3(
    quiet_scene: Scene,
) -> None:
    scene = quiet_scene
    await known_for_long(scene)
    await scene.start(**QUICK)
    rooms = [scene.team.channel(f"room{number}") for number in range(120)]
    for room in rooms:
        await scene.house.ledger.remember(f"slack:channel:{scene.team.id}:{room.id}", room.id)
    await noted(scene)
    await scene.stop()
    missed = [await scene.post(scene.link(), channel=rooms[0]), await scene.post(scene.link(), channel=rooms[-1])]
    calls = len(scene.fake.calls)
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await scene.start(**QUICK, readings=Budget(20, 0.02, kept=0))
    for one in missed:
        await scene.below(one)
    made = [name for name, _ in scene.fake.calls[calls:]].count(HISTORY)
    assert made >= 120
    assert loop.time() - began_s >= (made - 20) * 0.02 - 0.1, "each in its turn"
