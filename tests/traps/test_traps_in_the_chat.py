"""Hostile links posted in the local chat: a sentence each, no hit inside, nothing left, and the bot lives on."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio

from bot.doors.requests import RequestLog
from bot.settings import Settings
from bot.web.server import LocalChat
from bot.wiring.app import open_core
from core.conversation.commands import parse
from tests.support.clips import make_sound
from tests.support.models import write_model
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab
from tests.traps import videos
from tests.traps.fuzz import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

    from tests.traps.web import Traps

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PRIVATE = "leads to a private address"
NOTHING = "found no video behind that link"


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def tab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Tab]:
    """A tab of the local chat, whose patience with a fetch no busy machine uses up."""
    async with open_tab(tmp_path_factory.mktemp("chat"), stall_s=300) as tab:
        yield tab


@pytest_asyncio.fixture(loop_scope="session")
async def impatient_tab(tmp_path: Path) -> AsyncIterator[Tab]:
    """A tab of a chat that soon gives a fetch up which brings next to nothing."""
    async with open_tab(tmp_path, stall_s=5) as tab:
        yield tab


@asynccontextmanager
async def open_tab(home: Path, stall_s: float) -> AsyncIterator[Tab]:
    """Open the local chat over the whole product; its model is a small one with random weights."""
    settings = Settings(
        data_dir=home / "data",
        model_name=f"local-dir:{write_model(home / 'model')}",
        allowed_hosts=frozenset({"127.0.0.1"}),
        fetch_limit_gb=0.05,
        fetch_timeout_s=300,
        fetch_stall_s=stall_s,
        videos_at_once=4,
        videos_per_space=4,
    )
    async with (
        open_core(settings) as core,
        LocalChat(
            core.parts.conversation, parse, CONFIG, RequestLog(core.parts.runner, core.kept.ledger), stocked()
        ) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab-a").open() as tab,
    ):
        await core.warm()
        yield tab
    assert running("core.engines.download.worker") == []
    assert [path.name for path in (home / "data" / "media" / ".work").iterdir()] == [".lock"]


async def answers(tab: Tab, texts: Iterable[str]) -> list[str]:
    """Say things one after the other; give the last thing that Keaton says to each, in any order."""
    before, count = set(tab.messages), 0
    for text in texts:
        await tab.say(text)
        count += 1

    def done() -> list[str]:
        new = [message for key, message in tab.messages.items() if key not in before and message["author"] != "you"]
        return [message["text"] for message in new if not message.get("progress")]

    while len(done()) < count:
        await tab.take()
    return done()


async def answer(tab: Tab, text: str) -> str:
    """Say something; give the last thing that Keaton says to it."""
    (only,) = await answers(tab, [text])
    return only


async def test_given_a_redirect_inside_when_posted_then_refused(tab: Tab, traps: Traps) -> None:
    paths = [path for path, target in traps.moves.items() if not target.startswith("file:")]
    said = await answers(tab, [f"{traps.address}/{path}" for path in paths])
    assert len(said) == 9
    assert all(PRIVATE in one for one in said), said
    assert traps.canary.hits == []


async def test_given_a_playlist_or_page_inside_when_posted_then_refused(tab: Tab, traps: Traps) -> None:
    paths = ["segments.m3u8", "master.m3u8", "key.m3u8", "dash.mpd", "smil.smil", "page", "frame"]
    said = await answers(tab, [f"{traps.address}/{path}" for path in paths])
    assert all(PRIVATE in one or NOTHING in one for one in said), said
    assert traps.canary.hits == []


@pytest.mark.parametrize("path", ["file.m3u8", "tofile.mp4"])
async def test_given_a_link_to_a_local_file_when_posted_then_refused(tab: Tab, traps: Traps, path: str) -> None:
    assert "only follow http and https" in await answer(tab, f"{traps.address}/{path}")


async def test_given_a_playlist_named_as_a_video_when_posted_then_no_video(tab: Tab, traps: Traps) -> None:
    names = ["m3u8", "file", "ffconcat", "sdp", "mpd", "smil"]
    said = await answers(tab, [f"{traps.address}/renamed-{name}.mp4" for name in names])
    assert all("not a video that I can open" in one for one in said), said
    assert traps.canary.hits == []


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("lie.mp4", "lie has 10 GB; I take up to 50 MB."),
        ("bomb.mp4", "I take up to 50 MB."),
        ("circles", "around in circles"),
        ("huge.gif", "too large for me (1,600 million pixels); I read up to 36 million"),
        ("huge.avi", "not one of its frames can be read"),
        ("days.mkv", "long; I take videos of up to 5:00:00."),
        ("gone.mp4", "nothing at that link"),
    ],
)
async def test_given_a_link_that_costs_too_much_when_posted_then_a_sentence(
    tab: Tab, traps: Traps, path: str, sentence: str
) -> None:
    assert sentence in await answer(tab, f"{traps.address}/{path}")


async def test_given_a_link_that_drips_when_posted_then_a_sentence(impatient_tab: Tab, traps: Traps) -> None:
    assert "sends next to nothing" in await answer(impatient_tab, f"{traps.address}/drip.mp4")


HOSTILE = ("garbage", "nothing", "song", "m3u8", "ffconcat", "mpd", "huge.gif", "huge.avi", "days.mkv", "broken")


def hostile(kind: str, trap_videos: Path, folder: Path) -> bytes:
    match kind:
        case "garbage":
            return bytes(range(256)) * 100
        case "nothing":
            return b""
        case "song":
            return make_sound(folder / "song.m4a", 1.0).read_bytes()
        case "broken":
            data = (trap_videos / "colours.mp4").read_bytes()
            return data[:200] + bytes(len(data) - 200)
        case "m3u8" | "ffconcat" | "mpd":
            return videos.playlists("http://127.0.0.2/")[kind]
    return (trap_videos / kind).read_bytes()


@pytest.mark.parametrize("kind", HOSTILE)
async def test_given_a_file_that_is_no_video_when_posted_then_told_by_its_name(
    tab: Tab, trap_videos: Path, tmp_path: Path, kind: str
) -> None:
    before = set(tab.messages)
    assert await tab.send_file("my holiday.mp4", hostile(kind, trap_videos, tmp_path)) == 202
    said = await tab.until(lambda one: one["id"] not in before and one.get("tone") == "error")
    assert "my holiday" in said["text"]
    assert not re.search(r"[0-9a-f]{16}|video\.|/", said["text"])


async def test_given_a_page_of_gigabytes_when_posted_then_memory_or_time_ends(tab: Tab, traps: Traps) -> None:
    said = await answer(tab, f"{traps.address}/bomb")
    assert "needs more memory than I give" in said or "sends next to nothing" in said


async def test_given_a_link_that_spells_inside_when_posted_then_not_asked(tab: Tab, traps: Traps) -> None:
    before = len(traps.seen)
    for link in (f"http://127.0.0.2:{traps.canary.port}/a.mp4", "http://169.254.169.254/latest/a.mp4"):
        assert PRIVATE in await answer(tab, link)
    assert "not a proper web address" in await answer(tab, "http://films.example@127.0.0.2/a.mp4")
    assert (len(traps.seen), traps.canary.hits) == (before, [])


async def test_given_all_traps_before_when_a_video_is_posted_then_it_is_ready(tab: Tab, traps: Traps) -> None:
    assert "Ready to search: 0:09 long" in await answer(tab, f"{traps.address}/halves.mp4")
    resumed = [asked for path, asked in traps.seen if path == "/halves.mp4" and asked]
    assert resumed
    assert traps.canary.hits == []
