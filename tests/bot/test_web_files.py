"""Files and pictures of the local chat, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from bot.web.server import LocalChat
from core.model.events import FilePosted, Find
from core.model.reply import Picture, Reply
from core.model.requests import JobRef
from tests.support import drawings, talks
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab
from tests.support.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def gone(folder: Path) -> None:
    """Wait until no file is left."""
    async with asyncio.timeout(60):
        while files_in(folder):  # noqa: ASYNC110 - a folder tells nobody that it changed
            await asyncio.sleep(0.01)


async def test_given_an_upload_when_replied_to_then_its_file_is_deleted(
    tab: Tab, talk: ScriptedConversation, tmp_path: Path
) -> None:
    content = bytes(range(256)) * 20_000
    assert await tab.send_file("../holiday video.MP4", content) == 202
    await tab.until_text("Ready to search")
    event = talk.events[0]
    assert isinstance(event, FilePosted)
    assert event.name == "holiday video.MP4"
    assert event.path.suffix == ".mp4"
    assert talk.posted == [content]
    posted = await tab.until(lambda message: "file" in message)
    assert posted["file"] == {"name": "holiday video.MP4", "size_bytes": len(content)}
    await gone(tmp_path)


async def test_given_a_file_over_the_limit_when_sent_then_nothing_is_left(
    talk: ScriptedConversation, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = replace(CONFIG, upload_dir=tmp_path, upload_limit_bytes=1000)

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(500)

    async with (
        LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        assert await tab.send_file("film.mp4", bytes(1001)) == 413
        headers = {"Origin": tab.origin, **tab.key}
        async with session.post(
            chat.url + "api/files?client=a&name=f", data=unannounced(), headers=headers
        ) as response:
            assert response.status == 413
        assert files_in(tmp_path) == []
        assert await tab.send_file("film.mp4", bytes(1000)) == 202


async def test_given_pictures_in_both_themes_then_no_browser_keeps_them(tab: Tab) -> None:
    await tab.say("/find a woman swimming in water")
    answer = await tab.until_text("Moment 1 of 5")
    frame, plot = answer["pictures"]
    assert frame["urls"]["light"] == frame["urls"]["dark"]
    assert frame["alt"] == "Frame at 0:34 of Coast and harbour, found for “a woman swimming in water”"
    status, image, headers = await tab.get(frame["urls"]["light"])
    assert (status, headers["Content-Type"], image) == (200, "image/jpeg", drawings.draw_frame(1))
    assert headers["Cache-Control"] == "no-store"
    assert (await tab.get(plot["urls"]["dark"]))[1] == drawings.draw_plot(1, 34)
    assert (await tab.get(plot["urls"]["light"]))[1] == drawings.draw_plot(1, 255)


async def test_given_a_video_when_a_part_is_asked_then_that_part_is_sent(
    tab: Tab, session: aiohttp.ClientSession
) -> None:
    await tab.say("/find a preview")
    (video,) = (await tab.until_text("Moment 1 of 5"))["pictures"]
    whole = (await tab.get(video["urls"]["light"]))[1]
    for asked, part in (("bytes=4-7", b"ftyp"), ("bytes=-5", whole[-5:]), (f"bytes={len(whole) - 2}-", whole[-2:])):
        async with session.get(tab.origin + video["urls"]["light"], headers={"Range": asked, **tab.key}) as response:
            assert (response.status, response.content_type) == (206, "video/mp4")
            assert await response.read() == part
    async with session.get(
        tab.origin + video["urls"]["light"], headers={"Range": "bytes=999999999-", **tab.key}
    ) as response:
        assert response.status == 416


async def test_given_too_many_pictures_then_the_oldest_go_first(session: aiohttp.ClientSession, tmp_path: Path) -> None:
    class Painter(ScriptedConversation):
        async def handle(self, event: Any) -> AsyncIterator[Reply]:
            assert isinstance(event, Find)
            data = event.text.encode() * 1000
            yield Reply(event.text, pictures=(Picture("frame", "f.jpg", "a", {"light": data, "dark": data}),))

    config = replace(CONFIG, upload_dir=tmp_path, picture_limit_bytes=2500)
    async with (
        LocalChat(Painter(), talks.parse, config, talks.Unwritten(), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        addresses = []
        for letter in "abc":
            await tab.say(f"/find {letter}")
            message = await tab.until(lambda m, letter=letter: m["text"] == letter)  # type: ignore[misc]
            addresses.append(message["pictures"][0]["urls"]["light"])
        assert [(await tab.get(address))[0] for address in addresses] == [404, 200, 200]


@pytest.mark.parametrize(("job", "left"), [(None, 0), (JobRef(1), 1)])
async def test_given_work_under_way_when_closing_then_the_next_run_has_its_files(
    talk: ScriptedConversation, session: aiohttp.ClientSession, tmp_path: Path, job: JobRef | None, left: int
) -> None:
    talk.go_on.clear()
    config = replace(CONFIG, upload_dir=tmp_path)
    async with (
        LocalChat(talk, talks.parse, config, talks.Unwritten(job), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        await tab.send_file("film.mp4", b"video")
        await tab.until(lambda message: bool(message.get("progress")) and message["progress"]["stage"] == "looking")
        await chat.close()
        assert (await tab.socket.receive()).type == aiohttp.WSMsgType.CLOSE
    assert talk.cancelled == 1
    assert len(files_in(tmp_path)) == left


async def test_given_a_picture_with_words_when_asked_then_it_is_not_kept(
    tab: Tab, talk: ScriptedConversation, tmp_path: Path
) -> None:
    assert await tab.send_file("sky.png", b"picture", text="/find at night from:ada") == 202
    posted = await tab.until(lambda message: "file" in message)
    assert (posted["file"]["name"], posted["text"]) == ("sky.png", "/find at night from:ada")
    event = talk.events[0]
    assert isinstance(event, Find)
    assert (event.text, event.filters.poster) == ("at night", "ada")
    await gone(tmp_path)


async def test_given_an_answer_when_words_follow_it_then_its_question_is_refined(
    tab: Tab, talk: ScriptedConversation
) -> None:
    await tab.say("/find a dog")
    card = await tab.until(lambda message: bool(message.get("buttons")))
    await tab.post("api/messages", {"text": "at night", "about": card["id"]})
    await tab.until_text("at night")
    event = talk.events[-1]
    assert isinstance(event, Find)
    assert (event.text, event.refines) == ("at night", "an-answer")
