"""Discord and Slack at once: one process, one library, and nothing of one is seen from the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild
from tests.fakes.slack import FakeSlack
from tests.stories.conftest import LINK, TITLE, put_video
from tests.stories.discord_driver import DiscordDriver, on_discord
from tests.stories.slack_driver import SlackDriver, on_slack
from tests.support import clips
from tests.support.discord.program import Program
from tests.support.models import write_model

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

READY, MOMENT, NOTHING = "Ready to search", "Moment 1 of", "nothing to search"


async def test_given_a_video_of_one_platform_then_the_other_does_not_find_it(
    house: ColourHouse, tmp_path: Path
) -> None:
    put_video(house, tmp_path)
    async with on_slack(house, tmp_path) as slack, on_discord(house, tmp_path) as discord:
        await slack.post(LINK, READY)
        await discord.find("green", NOTHING)
        looks = sum(house.encoder.batches)
        await discord.post(LINK, READY)
        await discord.find("green", MOMENT)
        assert sum(house.encoder.batches) == looks


async def test_given_a_video_on_both_platforms_when_one_forgets_then_one_stays(
    house: ColourHouse, tmp_path: Path
) -> None:
    put_video(house, tmp_path)
    async with on_slack(house, tmp_path) as slack, on_discord(house, tmp_path) as discord:
        await discord.post(LINK, READY)
        await slack.post(LINK, READY)
        await discord.take_back(TITLE)
        await discord.find("green", NOTHING)
        await slack.find("green", MOMENT)


@pytest.mark.slow
async def test_given_the_shipped_program_then_it_serves_both_platforms(tmp_path: Path) -> None:
    video = clips.make_clip(tmp_path / "both.mp4", [("red", 3), ("green", 3)])
    async with FakeDiscord() as discord, FakeSlack() as slack:
        team = slack.workspace()
        program = Program(discord, tmp_path)
        program.settings |= {**slack.environment, "KEATON_MODEL": f"local-dir:{write_model(tmp_path / 'model')}"}
        await program.start()
        try:
            await discord.until(lambda: discord.gateway.ready, "Discord")
            await slack.until(lambda: slack.sockets.is_open(team), "Slack")
            guild = Guild("A server")
            guild.channel("general")
            await discord.join(guild)
            there, here = DiscordDriver(discord, guild), SlackDriver(slack)
            await here.post(slack.publish(video), READY)
            await there.find("green", NOTHING)
            await here.find("green", MOMENT)
        finally:
            code = await program.stop()
        assert code == 0
