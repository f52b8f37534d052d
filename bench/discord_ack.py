"""How fast Discord gets its acknowledgement while indexing saturates the machine.

python -m bench.discord_ack [--acks 400]

The shipped program indexes two videos with the real ViT-B-32 architecture (random weights cost what trained ones do),
against a small Discord on loopback, which clocks each first response: from sending the interaction over the gateway to
taking the callback over REST. Discord gives up after three seconds; the bar is one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.leash import Leashed
from bench.memory import write_model, write_video
from bench.table import Row, report
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild, User

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from tests.fakes.discord_world import Channel, Message

P99_BAR_S = 1.0
A_SECOND = 10
_START_S = 180.0


@dataclass(frozen=True)
class Figures:
    """Times in seconds."""

    acks: int
    late: int
    """Refused, since they came after Discord's three seconds."""
    median_s: float
    p95_s: float
    p99_s: float
    worst_s: float
    busy_share: float
    """Of all cores, by all processes, while this was measured."""


@asynccontextmanager
async def running(home: Path) -> AsyncIterator[FakeDiscord]:
    """Run the shipped program against a small Discord."""
    async with FakeDiscord() as fake:
        program = Leashed(fake, home)
        program.settings |= {"KEATON_MODEL": f"local-dir:{home}", "KEATON_TURNS_A_MINUTE": "0"}
        await program.start()
        await fake.until(lambda: fake.gateway.ready, "a connection", _START_S)
        yield fake
        await program.kill()


async def measure(home: Path, acks: int) -> Figures:
    """Saturate the machine, then use commands and buttons at a steady pace."""
    write_model(home)
    write_video(home / "short.mp4", 0.2)
    for name, minutes in (("one.mp4", 8.0), ("two.mp4", 8.1)):
        write_video(home / name, minutes)
    async with running(home) as fake:
        guild, ada = Guild("A server"), User("Ada")
        channel = guild.channel("general")
        await fake.join(guild)
        card = await prepare(fake, channel, ada, home)
        for name in ("one.mp4", "two.mp4"):
            await fake.post(channel, ada, fake.cdn.publish(home / name))
        await fake.until(lambda: looking(channel) == 2, "two videos being looked at", _START_S)
        before, idle = len(fake.acks_s), cpu_times()
        await use(fake, channel, ada, card, acks)
        await fake.until(lambda: len(fake.acks_s) + fake.late_acks >= before + acks, "all acknowledgements", _START_S)
        if looking(channel) < 2:
            raise SystemExit("the videos were done before the measurement was: make them longer")
        return figures(fake.acks_s[before:], fake.late_acks, busy_share(idle, cpu_times()))


async def prepare(fake: FakeDiscord, channel: Channel, ada: User, home: Path) -> Message:
    """Index a short video and give an answer with buttons."""
    message = await fake.post(channel, ada, fake.cdn.publish(home / "short.mp4"))
    await fake.until(lambda: said(channel, message, "Ready"), "the short video", _START_S)
    it = await fake.slash(channel, ada, "find", text="bands")
    return await fake.until(lambda: it.original if it.original and it.original.buttons else None, "an answer", _START_S)


def said(channel: Channel, message: Message, words: str) -> bool:
    """Tell whether a message was answered in these words."""
    return any(one.reply_to == message.id and words in one.text for one in channel.messages.values())


def looking(channel: Channel) -> int:
    """Count the videos that are being looked at."""
    return sum("Looking" in one.text for one in channel.messages.values())


async def use(fake: FakeDiscord, channel: Channel, ada: User, card: Message, times: int) -> None:
    """Use commands, name suggestions and buttons in turn."""
    kinds = itertools.cycle(("videos", "press", "status", "type"))
    for kind in itertools.islice(kinds, times):
        match kind:
            case "videos":
                await fake.slash(channel, ada, "videos")
            case "status":
                await fake.slash(channel, ada, "status")
            case "press":
                labels = [label for label, button in card.buttons.items() if not button.get("disabled")]
                await fake.press(card, labels[0], ada)
            case _:
                await fake.suggest(channel, ada, "sh")
        await asyncio.sleep(1 / A_SECOND)


def figures(acks_s: list[float], late: int, busy: float) -> Figures:
    """Sum up."""
    cuts = statistics.quantiles(acks_s, n=100)
    return Figures(len(acks_s), late, statistics.median(acks_s), cuts[94], cuts[98], max(acks_s), busy)


def cpu_times() -> tuple[int, int]:
    """Give the idle and all ticks of all cores."""
    ticks = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    return ticks[3] + ticks[4], sum(ticks)


def busy_share(before: tuple[int, int], after: tuple[int, int]) -> float:
    """Give the share of ticks in which some process ran."""
    return 1 - (after[0] - before[0]) / max(1, after[1] - before[1])


def rows(seen: Figures) -> list[Row]:
    """Give the table."""
    return [
        Row("acknowledgements", seen.acks, "", note=f"cores {seen.busy_share:.0%} busy"),
        Row("late, of the platform's three seconds", seen.late, "", 0),
        Row("median", seen.median_s * 1000, "ms"),
        Row("p95", seen.p95_s * 1000, "ms"),
        Row("p99", seen.p99_s * 1000, "ms", P99_BAR_S * 1000),
        Row("worst", seen.worst_s * 1000, "ms"),
        Row("p99 in medians", seen.p99_s / seen.median_s, "x"),
    ]


def run(about: str | None, name: str, measure: Callable[[Path, int], Coroutine[None, None, Figures]]) -> None:
    """Measure as the command line says, print a table, and write JSON."""
    options = argparse.ArgumentParser(description=about)
    options.add_argument("--acks", type=int, default=400)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as home:
        seen = asyncio.run(measure(Path(home), chosen.acks))
    report("Acknowledgements while videos are indexed", name, rows(seen))


if __name__ == "__main__":
    run(__doc__, "discord_ack", measure)
