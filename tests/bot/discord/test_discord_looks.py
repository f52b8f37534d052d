"""What Keaton sends, drawn as a page in a real browser; KEATON_SHOTS names a folder for a picture to look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.wiring.engines import DEMO_FOLDER
from tests.fakes.discord_page import page as drawn
from tests.support.discord.looking import answer_to, found, said_below

if TYPE_CHECKING:
    from playwright.async_api import Page

    from tests.bot.discord.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_conversation_then_each_picture_loads_and_has_a_text(
    scene: Scene, page: Page, tmp_path: Path
) -> None:
    fake, general = scene.fake, scene.general
    message = await fake.post(general, scene.ada, "our new reel", DEMO_FOLDER / "film.mp4")
    await said_below(scene, message)
    answer = await found(scene, "water")
    await answer_to(scene, await fake.press(answer, "Next", scene.ada), "Moment 2 of")
    for name, sub in (("help", ""), ("status", ""), ("videos", "")):
        await answer_to(scene, await fake.slash(general, scene.bob, name, sub))
    await answer_to(scene, await fake.slash(general, scene.bob, "find", text="a dog", video="nothing *like* it"))

    transcript = tmp_path / "talk.html"
    transcript.write_text(drawn(general))
    await page.goto(transcript.as_uri())
    pictures = await page.locator("img").evaluate_all("all => all.map(one => [one.naturalWidth, one.alt])")
    assert len(pictures) == 3
    assert all(width > 0 and alt for width, alt in pictures)
    if shots := os.environ.get("KEATON_SHOTS"):
        await page.screenshot(path=Path(shots) / "discord.png", full_page=True)
