"""Make the pictures of the local chat: the program on the demo video, in Chromium.

python -m bench.chatting [FOLDER]      writes chat-*.webp (what can be asked), answer-*.png and cut-*.png (the window),
                                       each light and dark, into docs/ unless told otherwise

Needs Chromium, as the page's tests do; KEATON_CHROMIUM names one that is not found by itself.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import av
import numpy as np
from PIL import Image
from playwright.async_api import async_playwright, expect

from bench.drawing import draw_into_docs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Locator, Page

ROOT = Path(__file__).parent.parent
PATIENCE_MS = 120_000
_REFINED_MS = 4000
"""By then an answer has been shown anew, if it is."""
CAMEL_S = 19.0
"""Where the demo video shows the camel whose picture is asked about."""
_WIDE_PX = 620
_GAP_PX = 16
_QUALITY = 70

Theme = Literal["light", "dark"]


async def draw(folder: Path) -> None:
    """Ask in each way in both themes, and put what the page shows into a grid."""
    themes: tuple[Theme, ...] = ("light", "dark")
    async with async_playwright() as playwright:
        path = os.environ.get("KEATON_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
        browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for theme in themes:
            async with keaton() as url:
                page = await browser.new_page(color_scheme=theme, viewport={"width": _WIDE_PX, "height": 1400})
                await page.goto(url)
                _grid(await _panels(page)).save(folder / f"chat-{theme}.webp", quality=_QUALITY, method=6)
                await page.set_viewport_size({"width": 1280, "height": 800})
                await _window(page, folder, f"answer-{theme}.png")
                await page.get_by_role("article").last.get_by_role("button", name="Cut").click()
                await expect(page.get_by_role("img", name=re.compile("First and last frame")).last).to_be_visible()
                await _saved(page, folder / f"cut-{theme}.png")
                await page.close()
        await browser.close()


@asynccontextmanager
async def keaton() -> AsyncIterator[str]:
    """Run the program as `make run` does, over a folder of its own; give the page's address."""
    with tempfile.TemporaryDirectory(prefix="keaton-chat-") as home:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "PYTHONPATH": str(ROOT),
            "KEATON_WEB_PORT": "0",
            "KEATON_MODEL": "demo",
        }
        command = (sys.executable, "-u", "-m", "bot", "run")
        process = await asyncio.create_subprocess_exec(
            *command, cwd=home, env=environment, stdout=asyncio.subprocess.PIPE
        )
        if process.stdout is None:
            raise RuntimeError("a process without its output")
        yield (await process.stdout.readline()).decode().split()[3]
        process.terminate()
        await process.wait()


async def _panels(page: Page) -> list[Image.Image]:
    await expect(page.get_by_text("Ready to search").first).to_be_visible(timeout=PATIENCE_MS)
    phrase = await _asked(page, '/find a man in "the rain" -umbrella', "Frame at")
    filtered = await _asked(page, "/find a camel from:Keaton after:2020-01-01 in:here video:demo", "Frame at")
    picture = await _by_picture(page)
    return [phrase, filtered, picture, await _refined(page, "/find a woman", "swimming in water")]


async def _window(page: Page, folder: Path, name: str) -> None:
    """Ask for what several moments show, and picture the whole window."""
    await _asked(page, "a dog", "Frame at")
    await _saved(page, folder / name)


async def _saved(page: Page, place: Path) -> None:
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(_REFINED_MS)
    Image.open(io.BytesIO(await page.screenshot())).convert("RGB").save(place, optimize=True)


async def _asked(page: Page, text: str, shown: str) -> Image.Image:
    box = page.get_by_role("textbox", name="Message", exact=True)
    await box.fill(text)
    await box.press("Enter")
    return await _answer(page, text, shown)


async def _by_picture(page: Page) -> Image.Image:
    picture = {"name": "camel.jpg", "mimeType": "image/jpeg", "buffer": _mirrored_frame(CAMEL_S)}
    await page.locator("#file").set_input_files(picture)  # type: ignore[arg-type] # a FilePayload
    await page.get_by_role("button", name="Find this").click()
    return await _answer(page, "camel.jpg", "Frame at")


async def _refined(page: Page, text: str, more: str) -> Image.Image:
    await _asked(page, text, "Frame at")
    before = await _picture(_said(page, text))
    answer = page.get_by_role("article").last
    await answer.get_by_role("button", name="More", exact=True).click()
    await answer.get_by_role("button", name="Refine").click()
    return _below(before, await _asked(page, more, "Frame at"))


async def _answer(page: Page, asked: str, shown: str) -> Image.Image:
    """Give the last message that says what was asked, and the answer below it."""
    answer = page.get_by_role("article").last
    await expect(answer.get_by_role("img", name=re.compile(shown))).to_be_visible(timeout=PATIENCE_MS)
    await expect(answer.get_by_role("slider", name=re.compile("over time"))).to_be_visible()
    await page.wait_for_timeout(_REFINED_MS)
    return _below(await _picture(_said(page, asked)), await _picture(answer))


def _said(page: Page, text: str) -> Locator:
    """Give the last message of mine that says this."""
    return page.get_by_role("article").filter(has_text=text).filter(has_not=page.get_by_role("toolbar")).last


async def _picture(message: Locator) -> Image.Image:
    await message.scroll_into_view_if_needed()
    return Image.open(io.BytesIO(await message.screenshot())).convert("RGB")


def _mirrored_frame(time_s: float) -> bytes:
    """Give a frame of the demo video the other way round: a picture that is not in it."""
    with av.open(str(ROOT / "demo" / "film.mp4")) as video:
        frame = next(one for one in video.decode(video=0) if one.time >= time_s)
        rgb = frame.to_ndarray(format="rgb24")
    data = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb[:, ::-1])).save(data, "JPEG", quality=90)
    return data.getvalue()


def _below(first: Image.Image, second: Image.Image) -> Image.Image:
    both = Image.new("RGB", (max(first.width, second.width), first.height + second.height), first.getpixel((2, 2)))
    both.paste(first, (0, 0))
    both.paste(second, (0, first.height))
    return both


def _grid(panels: list[Image.Image]) -> Image.Image:
    """Put panels in rows of two."""
    rows = [panels[start : start + 2] for start in range(0, len(panels), 2)]
    heights = [max(one.height for one in row) + _GAP_PX for row in rows]
    width = max(sum(one.width + _GAP_PX for one in row) for row in rows) - _GAP_PX
    sheet = Image.new("RGB", (width, sum(heights) - _GAP_PX), panels[0].getpixel((2, panels[0].height - 2)))
    for number, row in enumerate(rows):
        for place, one in enumerate(row):
            sheet.paste(one, (place * (width + _GAP_PX) // 2, sum(heights[:number])))
    return sheet


if __name__ == "__main__":
    draw_into_docs(__doc__, draw)
