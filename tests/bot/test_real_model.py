"""With nothing set Keaton gets the real model by itself; without a way to it a trial begins, and ends by a button."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import Page, expect
from safetensors.torch import save_file

from bot.cli.real_model import until_real
from bot.settings import Settings
from bot.web.banner import Banner, BannerBoard
from bot.wiring.model_watch import ModelStatus, ModelWatch
from core.engines.clip.open_clip_models import import_open_clip
from tests.fakes.hub import FakeHub
from tests.support.command_line import ROOT
from tests.support.weights import cached

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(300)]

REPO = "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"
HALF = f"{REPO}/open_clip_model_fp16.safetensors"
PATIENCE_MS = 120_000
QUERY = "a woman swimming in water"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """ViT-B-32 with random weights in half precision: 300 MB, as the real ones have."""
    model = import_open_clip().create_model("ViT-B-32", pretrained=None)
    made = {name: tensor.detach().half().contiguous() for name, tensor in model.state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "half.safetensors"
    save_file(made, path)
    content = path.read_bytes()
    path.unlink()
    return content


@pytest.fixture
def hub(weights: bytes) -> Iterator[FakeHub]:
    with FakeHub({HALF: weights}) as made:
        yield made


@dataclass
class Running:
    """A running Keaton."""

    address: str
    log: Path

    async def logged(self, text: str) -> None:
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while text not in self.log.read_text():  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.2)


def environment(home: Path, hub_url: str) -> dict[str, str]:
    """Nothing set but where to put things and which hub there is."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "KEATON_WEB_PORT": "0",
        "HF_ENDPOINT": hub_url,
    }


@asynccontextmanager
async def started(home: Path, hub_url: str) -> AsyncGenerator[Running]:
    """Start the program as `make run` does."""
    log = home / "log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-u", "-m", "bot", "run"),
            cwd=home,
            env=environment(home, hub_url),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        async with asyncio.timeout(60):
            line = (await process.stdout.readline()).decode()
        yield Running(line.split()[3], log)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) == 0


async def doctor(home: Path, hub_url: str) -> str:
    """Return what `keaton doctor` prints beside a running Keaton."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "doctor"),
        cwd=home,
        env=environment(home, hub_url),
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return told.decode()


async def ask(page: Page) -> None:
    await expect(page.get_by_text("Ready to search").first).to_be_visible(timeout=PATIENCE_MS)
    box = page.get_by_role("textbox", name="Message", exact=True)
    await box.fill(f"/find {QUERY}")
    await box.press("Enter")
    answer = page.get_by_role("log").get_by_role("article").last
    await expect(answer.get_by_role("img", name=re.compile(r"^Frame at"))).to_be_visible(timeout=PATIENCE_MS)


async def test_given_nothing_set_when_the_hub_is_there_then_the_real_model_comes(
    hub: FakeHub, page: Page, tmp_path: Path
) -> None:
    hub.may_send.clear()
    async with started(tmp_path, hub.url) as keaton:
        await page.goto(keaton.address)
        note = page.get_by_role("note")
        await expect(note).to_contain_text("Downloading the model base: 0%", timeout=PATIENCE_MS)
        await expect(note).to_contain_text("searching begins when the model is here")
        await expect(note.get_by_role("progressbar")).to_be_visible()
        assert "downloaded so far" in await doctor(tmp_path, hub.url)
        hub.may_send.set()
        await keaton.logged("the model ViT-B-32 (laion2b_s34b_b79k) is ready")
        await expect(note).to_be_hidden()
        await ask(page)
        assert "downloading the model base" in keaton.log.read_text()
        assert "Trial" not in keaton.log.read_text()


async def test_given_no_hub_when_it_is_there_later_then_a_button_ends_the_trial(
    hub: FakeHub, page: Page, tmp_path: Path
) -> None:
    hub.down = True
    async with started(tmp_path, hub.url) as keaton:
        await page.goto(keaton.address)
        note = page.get_by_role("note")
        await expect(note).to_contain_text("Trial: the small demo model", timeout=PATIENCE_MS)
        await expect(note).to_contain_text("503")
        await ask(page)
        await note.get_by_role("button", name="Download the model").click()
        await expect(note.get_by_role("button", name="Download the model")).to_be_enabled(timeout=PATIENCE_MS)
        hub.down = False
        await note.get_by_role("button", name="Download the model").click()
        await keaton.logged("the model ViT-B-32 (laion2b_s34b_b79k) is ready")
        await expect(note).to_be_hidden(timeout=PATIENCE_MS)
        await ask(page)
        assert keaton.log.read_text().count("the model demo") == 1


async def test_given_a_trial_when_a_command_brings_the_weights_then_it_ends(tmp_path: Path) -> None:
    settings, watch, board = Settings(model_cache=tmp_path / "cache"), ModelWatch(), BannerBoard()
    watch.tell(ModelStatus("trial", reason="no way there"))
    waiting = asyncio.create_task(until_real(settings, watch, board))
    shown = await board.changed(Banner(""))
    assert "no way there" in shown.text
    assert shown.button
    await asyncio.to_thread(cached, tmp_path / "cache", b"weights")
    assert await asyncio.wait_for(waiting, 30)


async def test_given_a_model_that_loads_when_it_is_ready_then_there_is_no_trial(tmp_path: Path) -> None:
    settings, watch, board = Settings(model_cache=tmp_path), ModelWatch(), BannerBoard()
    waiting = asyncio.create_task(until_real(settings, watch, board))
    watch.fetching(100, 400)
    shown = await board.changed(Banner(""))
    assert (shown.share, shown.button) == (0.25, "")
    watch.tell(ModelStatus("ready"))
    assert not await asyncio.wait_for(waiting, 30)
    assert board.banner == Banner("")
