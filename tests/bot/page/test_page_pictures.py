"""Each state of the page looks as it did, in both themes: coarse pictures, compared with a tolerance for other fonts.

`KEATON_NEW_PICTURES=1` writes them anew; look at them before they are committed.
"""

from __future__ import annotations

import io
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect

from bot.web.banner import Banner, BannerBoard
from bot.web.server import LocalChat
from tests.support import talks
from tests.support.page.hands import ask, log
from tests.support.tabs import CONFIG

if TYPE_CHECKING:
    from bot.web.videos import PageStorage
    from tests.support.talks import ScriptedConversation

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

KEPT = Path(__file__).parent / "pictures"
GRID_PX = (64, 40)
"""So coarse that letters are grey: another font moves little."""
MOST_MEAN = 6.0
MOST_SHARE = 0.06
FAR = 36
"""Of 255: a cell that differs by more looks different."""
STATES = {
    "answer": "/find a rich answer",
    "absent": "/find an absent answer",
    "tall": "/find a tall answer",
    "gallery": "/find a list",
    "help": "/help",
}
DECODED = """Promise.all([...document.images].filter((one) => {
    const {top, width} = one.getBoundingClientRect();
    return width > 0 && top < innerHeight;
}).map((one) => one.decode().catch(() => {})))"""


def coarse(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB").resize(GRID_PX, Image.Resampling.BOX)


def difference(one: Image.Image, other: Image.Image) -> tuple[float, float]:
    """Return the mean difference of all cells, and the share of those that look different."""
    apart = np.abs(np.asarray(one, np.float32) - np.asarray(other, np.float32)).max(axis=2)
    return float(apart.mean()), float((apart > FAR).mean())


async def show(page: Page, state: str) -> None:
    await ask(page, STATES[state])
    await expect(log(page).get_by_role("article")).to_have_count(2)
    await expect(log(page).locator("article.by-keaton .title:visible").first).to_be_visible()
    await page.evaluate(DECODED)
    await page.locator("time").evaluate_all("nodes => nodes.forEach((node) => (node.textContent = '12:00'))")
    await page.evaluate("document.activeElement.blur()")


async def work(page: Page, talk: ScriptedConversation) -> None:
    """Leave a video half indexed, with an error below it."""
    talk.go_on.clear()
    await ask(page, "https://example.org/coast.mp4")
    await expect(log(page).get_by_role("progressbar")).to_be_visible()
    await ask(page, "/forget it")
    await expect(log(page)).to_contain_text("There is no video by that name here.")


async def use(page: Page, state: str, talk: ScriptedConversation) -> None:
    """Bring the page into a state that takes more than a question."""
    if state == "work":
        await work(page, talk)
    else:
        await show(page, "answer")
    if state == "more":
        await page.get_by_role("button", name="More", exact=True).last.click()
    if state == "enlarged":
        await page.get_by_role("button", name="Enlarge the frame").first.press("Enter")
        await expect(page.get_by_role("dialog", name="Enlarged picture")).to_be_visible()
    await page.locator("time").evaluate_all("nodes => nodes.forEach((node) => (node.textContent = '12:00'))")
    await page.evaluate(DECODED)


def compare(png: bytes, name: str) -> None:
    seen, place = coarse(png), KEPT / f"{name}.png"
    if os.environ.get("KEATON_NEW_PICTURES"):
        place.parent.mkdir(exist_ok=True)
        seen.save(place, optimize=True)
    mean, share = difference(seen, Image.open(place).convert("RGB"))
    assert mean <= MOST_MEAN
    assert share <= MOST_SHARE


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [*STATES, "work", "more", "enlarged"])
async def test_given_a_state_when_it_is_drawn_then_it_looks_as_it_did(
    browser: Browser, chat: LocalChat, talk: ScriptedConversation, state: str, theme: Literal["light", "dark"]
) -> None:
    talk.is_rich = True
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
    page = await context.new_page()
    await page.goto(chat.address)
    await (show(page, state) if state in STATES else use(page, state, talk))
    seen = await page.screenshot(animations="disabled")
    talk.go_on.set()
    await context.close()
    compare(seen, f"{state}-{theme}")


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_given_a_banner_when_it_is_drawn_then_it_looks_as_it_did(
    browser: Browser,
    talk: ScriptedConversation,
    storage: PageStorage,
    tmp_path: Path,
    theme: Literal["light", "dark"],
) -> None:
    board = BannerBoard()
    board.show(Banner("Trial: the small demo model knows only drawn scenes.", share=0.34, button="Download the model"))
    config = replace(CONFIG, upload_dir=tmp_path, banner=board)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), storage) as chat:
        context = await browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme=theme)
        page = await context.new_page()
        await page.goto(chat.address)
        await expect(page.get_by_role("note")).to_be_visible()
        await show(page, "answer")
        seen = await page.screenshot(animations="disabled")
        await context.close()
    compare(seen, f"banner-{theme}")


async def test_given_another_layout_when_it_is_compared_then_it_is_noticed() -> None:
    with Image.open(KEPT / "answer-light.png") as kept, Image.open(KEPT / "gallery-light.png") as other:
        mean, share = difference(kept.convert("RGB"), other.convert("RGB"))
    assert mean > MOST_MEAN or share > MOST_SHARE
