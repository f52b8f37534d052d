"""On a full disk the page answers everything with a sentence."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from bot.doors.requests import RequestLog
from bot.web.server import LocalChat
from core.conversation.commands import parse
from tests.support import clips
from tests.support.houses import cramped, reader
from tests.support.page.stock import kept_in
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.support.disks import SmallDisk

__all__ = ["cramped", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]
FULL = "The disk is full"


async def emptied(inbox: Path) -> None:
    """Wait until no posted file is left: it goes a moment after the answer."""
    async with asyncio.timeout(60):
        while list(inbox.iterdir()):  # noqa: ASYNC110, ASYNC240 - the disk tells nobody
            await asyncio.sleep(0.01)


async def test_given_a_full_disk_when_there_is_room_again_then_uploads_work(
    cramped: ColourHouse, small_disk: SmallDisk, tmp_path: Path
) -> None:
    video = clips.make_clip(tmp_path / "red.mp4", [("red", 2)])
    content = await asyncio.to_thread(video.read_bytes)
    config = replace(CONFIG, upload_dir=cramped.media.inbox)
    async with (
        LocalChat(
            cramped.conversation, parse, config, RequestLog(cramped.runner, cramped.ledger), kept_in(cramped)
        ) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        assert await tab.send_file("red.mp4", content) == 202
        await tab.until_text("Ready to search")
        await tab.say("/find something red")
        answer = await tab.until(lambda one: any("👍" in button["label"] for button in one.get("buttons", ())))
        thumb = next(button["id"] for button in answer["buttons"] if "👍" in button["label"])
        with small_disk.full():
            assert await tab.send_file("more red.mp4", content) == 202
            posted = await tab.until(lambda one: one.get("file", {}).get("name") == "more red.mp4")
            refused = await tab.until(lambda one: FULL in one["text"])
            assert (refused["tone"], refused["id"] > posted["id"]) == ("error", True)
            assert await tab.post("api/actions", {"message": answer["id"], "id": thumb}) == 202
            await tab.until(lambda one: FULL in one["text"] and one["id"] > refused["id"])
        assert await tab.post("api/actions", {"message": answer["id"], "id": thumb}) == 202
        await tab.until(lambda one: "👍 1" in str(one.get("buttons")))


async def test_given_a_full_disk_when_a_video_is_forgotten_then_there_is_room(
    cramped: ColourHouse, small_disk: SmallDisk, tmp_path: Path
) -> None:
    videos = [clips.make_clip(tmp_path / f"{name}.mp4", [(name, 4)]) for name in ("red", "green")]
    red, green = [await asyncio.to_thread(video.read_bytes) for video in videos]
    config = replace(CONFIG, upload_dir=cramped.media.inbox)
    async with (
        LocalChat(
            cramped.conversation, parse, config, RequestLog(cramped.runner, cramped.ledger), kept_in(cramped)
        ) as chat,
        aiohttp.ClientSession() as session,
        Tab(chat, session, "tab").open() as tab,
    ):
        assert await tab.send_file("red.mp4", red + bytes(200_000)) == 202
        await tab.until_text("Ready to search")
        await emptied(cramped.media.inbox)
        await cramped.library.connections.empty_log()  # on a disk of usual size its share of the room is small
        small_disk.fill()
        await tab.send_file("green.mp4", green)
        refused = await tab.until(lambda one: FULL in one["text"])
        await tab.say("/forget red")
        await tab.until(lambda one: "Forgotten: red" in one["text"] and one["id"] > refused["id"])
        assert await cramped.library.videos(chat.turn().view) == ()
        await tab.send_file("green.mp4", green)
        await tab.until(lambda one: "Ready to search" in one["text"] and one["id"] > refused["id"])
