"""How fast Slack gets its acknowledgement while indexing saturates the machine.

python -m bench.slack_ack [--acks 400]

The shipped program indexes two videos with the real ViT-B-32 architecture (random weights cost what trained ones do),
against a small Slack on loopback, which clocks each envelope from sending it to reading its acknowledgement.
Slack gives up after three seconds; the bar is one.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from bench.discord_ack import A_SECOND, Figures, busy_share, cpu_times, figures, run
from bench.leash import Leashed
from bench.memory import write_model, write_video
from tests.fakes.slack import FakeSlack

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.slack_world import Channel, Message, User, Workspace

_START_S = 180.0


async def measure(home: Path, acks: int) -> Figures:
    """Saturate the machine, then use commands, buttons and messages at a steady pace."""
    write_model(home)
    write_video(home / "short.mp4", 0.2)
    for name, minutes in (("one.mp4", 8.0), ("two.mp4", 8.1)):
        write_video(home / name, minutes)
    async with FakeSlack() as fake:
        team = fake.workspace()
        program = Leashed(fake, home)
        program.settings |= {"KEATON_MODEL": f"local-dir:{home}", "KEATON_TURNS_A_MINUTE": "0"}
        await program.start()
        await fake.until(lambda: fake.sockets.is_open(team), "a connection", _START_S)
        try:
            return await _clocked(fake, team, home, acks)
        finally:
            await program.kill()


async def _clocked(fake: FakeSlack, team: Workspace, home: Path, acks: int) -> Figures:
    channel, ada = team.channel(), team.user("Ada")
    card = await prepare(fake, team, channel, ada, home)
    for name in ("one.mp4", "two.mp4"):
        await fake.post(team, channel, ada, fake.publish(home / name))
    await fake.until(lambda: looking(channel) == 2, "two videos being looked at", _START_S)
    sockets, idle = fake.sockets, cpu_times()
    before, late = len(sockets.acks_s), sockets.late
    await use(fake, team, channel, ada, card, acks)
    await fake.until(lambda: len(sockets.acks_s) >= before + acks, "all acknowledgements", _START_S)
    if looking(channel) < 2:
        raise SystemExit("the videos were done before the measurement was: make them longer")
    return figures(sockets.acks_s[before:], sockets.late - late, busy_share(idle, cpu_times()))


async def prepare(fake: FakeSlack, team: Workspace, channel: Channel, ada: User, home: Path) -> Message:
    """Index a short video and give an answer with buttons."""
    message = await fake.post(team, channel, ada, fake.publish(home / "short.mp4"))
    await fake.until(lambda: [one for one in channel.below(message) if "Ready" in one.words], "the video", _START_S)
    await fake.slash(team, channel, ada, "/find", "bands")
    return (await fake.until(lambda: [one for one in channel.by_keaton if one.buttons], "an answer", _START_S))[0]


def looking(channel: Channel) -> int:
    """Count the videos that are being looked at."""
    return sum("Looking" in one.words for one in channel.by_keaton)


async def use(fake: FakeSlack, team: Workspace, channel: Channel, ada: User, card: Message, times: int) -> None:
    """Use commands, buttons and messages in turn."""
    kinds = itertools.cycle(("videos", "press", "status", "message"))
    for kind in itertools.islice(kinds, times):
        match kind:
            case "press":
                await fake.press(team, card, next(iter(card.buttons)), ada)
            case "message":
                await fake.post(team, channel, ada, "only a word between people")
            case _:
                await fake.slash(team, channel, ada, "/keaton", kind)
        await asyncio.sleep(1 / A_SECOND)


if __name__ == "__main__":
    run(__doc__, "slack_ack", measure)
