"""Posted files are bounded in number, size together and time, and one that breaks off costs a line of log."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.web.server import LocalChat
from tests.support import talks
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp

    from bot.web.config import WebConfig
    from tests.support.talks import ScriptedConversation


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("config", "sizes", "expected"),
    [
        (replace(CONFIG, uploads=2), [10, 10, 10], [202, 202, 429]),
        (replace(CONFIG, uploads_limit_bytes=100), [60, 60, 40], [202, 429, 202]),
    ],
)
async def test_given_a_bound_on_uploads_when_some_are_done_then_more_are_taken(
    talk: ScriptedConversation,
    session: aiohttp.ClientSession,
    tmp_path: Path,
    config: WebConfig,
    sizes: list[int],
    expected: list[int],
) -> None:
    talk.go_on.clear()
    config = replace(config, upload_dir=tmp_path)
    async with (
        LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        sent = [await tab.send_file(f"{number}.mp4", bytes(size)) for number, size in enumerate(sizes)]
        assert sent == expected
        assert len(files_in(tmp_path)) == 2
        talk.go_on.set()
        async with asyncio.timeout(60):
            while files_in(tmp_path):  # noqa: ASYNC110 - a folder tells nobody that it changed
                await asyncio.sleep(0.01)
        assert await tab.send_file("again.mp4", bytes(sizes[0])) == 202


async def test_given_an_upload_without_a_length_then_bytes_count_as_they_come(
    talk: ScriptedConversation, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield bytes(50)

    config = replace(CONFIG, upload_dir=tmp_path, uploads_limit_bytes=100)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat:
        tab = Tab(chat, session, "a")
        address, headers = chat.url + "api/files?client=a&name=f", {"Origin": tab.origin, **tab.key}
        async with session.post(address, data=unannounced(), headers=headers) as response:
            assert response.status == 429
    assert files_in(tmp_path) == []


def head(tab: Tab, *lines: str, path: str = "/api/files?client=a&name=f.mp4") -> bytes:
    (key,) = tab.key.values()
    host = tab.origin.removeprefix("http://")
    first = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Origin: {tab.origin}"]
    return "\r\n".join([*first, f"Authorization: {key}", *lines, "", ""]).encode()


@pytest.mark.slow
async def test_given_an_upload_that_drips_then_it_is_given_up(
    talk: ScriptedConversation, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = replace(CONFIG, upload_dir=tmp_path, upload_timeout_s=0.2)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat:
        tab = Tab(chat, session, "a")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(tab.origin.rsplit(":", 1)[1]))
        writer.write(head(tab, "Content-Length: 1000000") + b"a little")
        async with asyncio.timeout(60):
            assert (await reader.readline()).split()[1] == b"408"
        writer.close()
        assert files_in(tmp_path) == []
        assert talk.events == []


@pytest.mark.parametrize(
    ("announced", "body"),
    [
        ("Content-Length: 1000000", b"a little"),
        ("Content-Length: 1000000", b""),
        ("Transfer-Encoding: chunked", b"100\r\na little"),
        ("Transfer-Encoding: chunked", b"5\r\nabcde\r\nno number\r\n"),
        ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip", b"5\r\nabcde\r\n0\r\n\r\n"),
        ("Content-Length: many", b""),
    ],
)
async def test_given_a_broken_upload_then_one_line_of_log_is_all_that_is_left(
    tab: Tab,
    talk: ScriptedConversation,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    announced: str,
    body: bytes,
) -> None:
    caplog.set_level(logging.INFO)
    _, writer = await asyncio.open_connection("127.0.0.1", int(tab.origin.rsplit(":", 1)[1]))
    writer.write(head(tab, announced) + body)
    await writer.drain()
    async with asyncio.timeout(60):
        while not files_in(tmp_path) and not caplog.records:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0.01)
        writer.close()
        while files_in(tmp_path) or not caplog.records:  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    (line,) = caplog.records
    assert (line.levelno, line.exc_info, "\n" in line.getMessage()) == (logging.INFO, None, False)
    assert "broke off" in line.getMessage() or "no HTTP" in line.getMessage()
    assert talk.events == []
    assert await tab.send_file("film.mp4", b"video") == 202


@pytest.mark.parametrize("path", ["/api/messages", "/api/actions", "/api/nothing"])
@pytest.mark.parametrize("announced", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_given_a_broken_request_then_at_most_one_line_is_logged(
    tab: Tab, talk: ScriptedConversation, caplog: pytest.LogCaptureFixture, path: str, announced: str
) -> None:
    caplog.set_level(logging.INFO)
    for body in (b'40\r\n{"client":', b"no number\r\n", b""):
        _, writer = await asyncio.open_connection("127.0.0.1", int(tab.origin.rsplit(":", 1)[1]))
        writer.write(head(tab, announced, "Content-Type: application/json", path=path) + body)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()
        await asyncio.sleep(0.1)
    assert len(caplog.records) <= 3
    assert [line.exc_info for line in caplog.records if line.exc_info] == []
    assert talk.events == []
