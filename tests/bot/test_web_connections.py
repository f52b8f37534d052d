"""Whoever lacks the token can hold a bounded number of connections to the page, and none for long."""

from __future__ import annotations

import asyncio
import io
import logging
import resource
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.monitoring.health import Health, serve_watch
from bot.monitoring.logs import set_up_logs
from bot.monitoring.metrics import Metrics
from bot.web.connections import ConnectionLimits, raise_open_files
from bot.web.server import LocalChat
from tests.support import talks
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab
from tests.support.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    import aiohttp

MOST = 8
LIMITS = ConnectionLimits(most=MOST, idle_s=1.0)
HALF = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def chat() -> AsyncIterator[LocalChat]:
    config = replace(CONFIG, connections=LIMITS)
    async with LocalChat(ScriptedConversation(), talks.parse, config, talks.Unwritten(), stocked()) as chat:
        yield chat


@pytest.fixture
async def strangers(chat: LocalChat) -> AsyncIterator[list[Ends]]:
    """More connections than there may be, each with half a request."""
    port = int(chat.url.rstrip("/").rsplit(":", 1)[1])
    ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(5 * MOST)]
    for _, writer in ends:
        writer.write(HALF)
    await asyncio.sleep(0.1)
    yield ends
    for _, writer in ends:
        writer.close()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


async def is_over(reader: asyncio.StreamReader) -> bool:
    with suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(0.05):
            return await reader.read() == b""
    return reader.at_eof() or reader.exception() is not None


async def held(ends: list[Ends]) -> int:
    return [await is_over(reader) for reader, _ in ends].count(False)


async def test_given_many_strangers_when_they_connect_then_few_are_kept(strangers: list[Ends]) -> None:
    assert await held(strangers) <= MOST


async def test_given_strangers_hold_all_when_the_owner_comes_then_it_answers(
    chat: LocalChat, strangers: list[Ends], session: aiohttp.ClientSession
) -> None:
    assert strangers
    tab = Tab(chat, session, "owner")
    async with tab.open():
        assert await tab.say("/help") == 202


@pytest.mark.slow
async def test_given_half_a_request_when_time_is_up_then_it_is_hung_up_on(strangers: list[Ends]) -> None:
    await asyncio.sleep(1.5 * LIMITS.idle_s)
    assert await held(strangers) == 0


@pytest.mark.slow
async def test_given_an_open_stream_when_it_is_silent_for_long_then_it_stays(
    chat: LocalChat, session: aiohttp.ClientSession
) -> None:
    tab = Tab(chat, session, "owner")
    async with tab.open():
        await asyncio.sleep(2 * LIMITS.idle_s)
        assert await tab.say("hi") == 202
        await tab.until_text("hi")


@pytest.mark.slow
async def test_given_a_video_when_it_is_fetched_slowly_then_it_comes_whole(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    path = tmp_path / "large.mp4"
    path.write_bytes(bytes(60_000_000))
    config = replace(CONFIG, connections=LIMITS)
    storage = stocked("A", file=path)
    async with LocalChat(ScriptedConversation(), talks.parse, config, talks.Unwritten(), storage) as chat:
        headers = Tab(chat, session, "owner").key
        async with session.get(f"{chat.url}videos/v0", headers=headers) as response:
            assert response.status == 200
            await asyncio.sleep(3 * LIMITS.idle_s)
            assert len(await response.read()) == 60_000_000
        async with session.get(f"{chat.url}videos/v0", headers={**headers, "Range": "bytes=5-9"}) as part:
            assert (part.status, await part.read()) == (206, bytes(5))


@pytest.mark.slow
async def test_given_health_when_strangers_hold_connections_then_it_answers(
    session: aiohttp.ClientSession,
) -> None:
    async with serve_watch(0, Health([]), Metrics()) as port:
        ends = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
        answer = await session.get(f"http://127.0.0.1:{port}/healthz")
        assert answer.status == 200
        assert await held(ends) <= 32
        for _, writer in ends:
            writer.close()


def test_given_no_descriptors_when_told_often_then_one_line_is_logged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    set_up_logs("info")
    for _ in range(1000):
        logging.getLogger("asyncio").error("socket.accept() out of system resource\nsocket: 7")
    assert written.getvalue().count("out of system resource") == 1


def test_given_a_low_soft_limit_when_the_program_starts_then_it_is_raised() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowered = min(512, before[1]) if before[1] != resource.RLIM_INFINITY else 512
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowered, before[1]))
    try:
        may = raise_open_files()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert may > lowered or may == before[1]
