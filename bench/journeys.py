"""How many of the product's modules three journeys run through: `python -m bench.journeys [--list]`.

The shipped program with the demo's model, against a small Discord and a small Slack on loopback: a link that is posted
on Discord until its card stands, `/find` on Slack until frame and plot stand, and "Next" below that answer after a
restart. A module of `bot`, `core` or `storage` counts when a function of it runs meanwhile, in any thread of the main
process (`bench.traced`); starting and loading the model do not count. What doors do from time to time moves a count by
one or two. `--list` names the modules. Half a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.table import Row, report
from bench.traced import PACKAGES, Traced
from bot.wiring.engines import DEMO_FOLDER
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild
from tests.fakes.slack import FakeSlack
from tests.stories.discord_driver import DiscordDriver
from tests.stories.slack_driver import SlackDriver

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parent.parent
LINK, FIND, NEXT = "a link on Discord to its card", "/find on Slack to its answer", '"Next" on Slack after a restart'
BEFORE, BEFORE_FILES = {LINK: 102, FIND: 130, NEXT: 104}, 277
"""At commit 1f20b60, as they were counted before this benchmark, the second roughly."""
RECOUNTED = {LINK: 78, FIND: 103, NEXT: 97}
"""At the same commit, by this benchmark (2026-11-30): what the ratios are to."""
BARS = {LINK: 60, FIND: 65, NEXT: 50}
BAR_FILES = 190
QUESTION = "a woman"
_READY, _FIRST, _SECOND = "Ready to search", "Moment 1 of", "Moment 2 of"
_LOADED = "is ready on"
_START_S = 120.0
_SETTLED_S = 3.0
"""By then what is still done after a start or an answer is done: catching up, further frames."""


async def journeys(folder: Path) -> dict[str, list[str]]:
    """Go on each journey; return the modules that ran, by journey."""
    video = DEMO_FOLDER / "film.mp4"
    async with FakeDiscord() as discord, FakeSlack() as slack:
        team = slack.workspace()
        program = Traced(discord, folder)
        program.settings |= {**slack.environment, "KEATON_TURNS_A_MINUTE": "0"}
        try:
            await _started(program, discord, slack, 1)
            guild = Guild("A server")
            guild.channel("general")
            await discord.join(guild)
            here, there = DiscordDriver(discord, guild), SlackDriver(slack)
            ran: dict[str, list[str]] = {}

            await _settled(program)
            await here.post(discord.cdn.publish(video), _READY)
            ran[LINK] = await program.modules()

            await there.post(slack.publish(video), _READY)
            await _settled(program)
            card = await there.find(QUESTION, _FIRST)
            ran[FIND] = await program.modules()

            await program.stop()
            await slack.until(lambda: not slack.sockets.is_open(team), "the connection's end")
            await _started(program, discord, slack, 2)
            await _settled(program)
            await there.press(card, "Next", _SECOND)
            ran[NEXT] = await program.modules()
            return ran
        finally:
            await program.kill()


async def _started(program: Traced, discord: FakeDiscord, slack: FakeSlack, time: int) -> None:
    """Start the program, and wait until it is connected and its model is loaded, for so many times by now."""
    before = discord.connections
    await program.start()
    await discord.until(lambda: discord.connections > before, "Discord", _START_S)
    await slack.until(lambda: slack.sockets.is_open(slack.teams[0]), "Slack", _START_S)
    async with asyncio.timeout(_START_S):
        while program.log.count(_LOADED) < time:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.1)


async def _settled(program: Traced) -> None:
    """Wait until nothing is under way, and forget what ran so far."""
    await asyncio.sleep(_SETTLED_S)
    await program.modules()


def rows(ran: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return the table, with the counts of before the house was rebuilt first."""
    files = sum(1 for package in PACKAGES for _ in (ROOT / package).rglob("*.py"))
    return [
        *(Row(f"1f20b60: {name}", count, "modules") for name, count in BEFORE.items()),
        Row("1f20b60: product files", BEFORE_FILES, "files"),
        *(Row(f"1f20b60, recounted: {name}", count, "modules") for name, count in RECOUNTED.items()),
        *(Row(name, len(modules), "modules", BARS[name]) for name, modules in ran.items()),
        Row("product files", files, "files", BAR_FILES),
        *(Row(f"ratio: {name}", len(modules) / RECOUNTED[name], "x") for name, modules in ran.items()),
    ]


def main() -> None:
    """Count, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="name the modules of each journey")
    wish = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as folder:
        ran = asyncio.run(journeys(Path(folder)))
    if wish.list:
        for name, modules in ran.items():
            print(f"\n{name}:", *modules, sep="\n  ")
    report("Modules that a journey runs through", "journeys", rows(ran))


if __name__ == "__main__":
    main()
