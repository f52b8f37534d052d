"""Draws what an answer looks like on Discord and on Slack: `python -m bench.cards [FOLDER]`.

The shipped program with the demo's model answers on the small Discord and the small Slack of the tests; the very
messages that it sends are laid out in the manner of these apps, and photographed in Chromium, as discord-card.webp and
slack-card.webp. KEATON_CHROMIUM names a browser that is not found by itself.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.async_api import async_playwright

from bench.drawing import draw_into_docs
from bot.wiring.engines import DEMO_FOLDER
from tests.fakes import discord_page, slack_page
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import Guild
from tests.fakes.slack import FakeSlack
from tests.stories.discord_driver import DiscordDriver
from tests.stories.slack_driver import SlackDriver
from tests.support.discord.program import Program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser

QUESTION = "a woman"
WIDTH_PX = 640
_QUALITY = 80
_READY = "Ready to search"
_START_S = 120.0
_REFINED_S = 8.0
"""By then an answer has been shown anew, if it is."""


async def draw(folder: Path) -> None:
    """Draw both cards into a folder."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as data:
        pages = await _pages(Path(data))
    async with async_playwright() as playwright:
        path = os.environ.get("KEATON_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, page in pages.items():
            await _photograph(browser, page, folder / name)
        await browser.close()


async def _photograph(browser: Browser, html: str, path: Path) -> None:
    """Save the last message of a page as a picture."""
    page = await browser.new_page(viewport={"width": WIDTH_PX, "height": 1000}, device_scale_factor=1.5)
    await page.set_content(html)
    picture = await page.locator("article").last.screenshot()
    Image.open(io.BytesIO(picture)).convert("RGB").save(path, quality=_QUALITY, method=6)
    await page.close()


async def _pages(data: Path) -> Mapping[str, str]:
    """Ask on both platforms; return the page of each with the answer, by the picture's name."""
    video = data / "holiday.mp4"
    await asyncio.to_thread(shutil.copy, DEMO_FOLDER / "film.mp4", video)
    async with FakeDiscord() as discord, FakeSlack() as slack:
        team = slack.workspace()
        program = Program(discord, data)
        program.settings |= {**slack.environment, "KEATON_TURNS_A_MINUTE": "0"}
        try:
            await program.start()
            await discord.until(lambda: discord.gateway.ready, "Discord", _START_S)
            await slack.until(lambda: slack.sockets.is_open(team), "Slack", _START_S)
            guild = Guild("A server")
            channel = guild.channel("general")
            await discord.join(guild)
            here, there = DiscordDriver(discord, guild), SlackDriver(slack)
            await here.post(discord.cdn.publish(video), _READY)
            await there.post(slack.publish(video), _READY)
            await here.find(QUESTION, "0:")
            card = await there.find(QUESTION, "0:")
            await asyncio.sleep(_REFINED_S)
            return {
                "discord-card.webp": discord_page.page(channel),
                "slack-card.webp": slack_page.page(team, [card.handle]),
            }
        finally:
            await program.kill()


if __name__ == "__main__":
    draw_into_docs(__doc__, draw)
