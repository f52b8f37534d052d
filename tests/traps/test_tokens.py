"""A token is seen by the host that it is for, and by no other, whatever that host answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from core.engines.download.fetcher import ChildFetcher
from core.errors import AppError, VideoUnavailable
from core.limits import FetchLimits
from core.ports.metrics import Unwatched
from core.ports.video import Fetched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow

TOKEN = "xoxb-secret-canary"


class Host:
    """A host that notes what it is shown."""

    def __init__(self, video: Path) -> None:
        self.video = video
        self.shown: list[tuple[str, str]] = []
        self.elsewhere = ""
        self.address = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.shown.append((request.path, str(dict(request.headers)) + str(request.url)))
        match request.path:
            case "/away":
                raise web.HTTPFound(self.elsewhere)
            case "/near":
                raise web.HTTPFound("/film.mp4")
            case "/login":
                return web.Response(text="<html>Sign in</html>", content_type="text/html")
        return web.FileResponse(self.video)

    def saw_token(self) -> list[str]:
        return [path for path, headers in self.shown if TOKEN in headers]


@pytest_asyncio.fixture
async def hosts(colour_video: Path) -> AsyncIterator[tuple[Host, Host]]:
    """Slack's host and somebody else's, both of which links may reach."""
    made = [Host(colour_video), Host(colour_video)]
    runners = []
    for host in made:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", host.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        runners.append(runner)
    made[0].elsewhere = made[1].address + "/film.mp4"
    yield made[0], made[1]
    for runner in runners:
        await runner.cleanup()


async def fetch(url: str, folder: Path, token: str = TOKEN) -> Fetched:
    limits = FetchLimits(10_000_000, 60.0)
    *_, last = [
        event
        async for event in ChildFetcher(frozenset({"127.0.0.1"}), limits, watch=Unwatched()).fetch(url, folder, token)
    ]
    assert isinstance(last, Fetched)
    return last


async def test_given_a_file_behind_a_token_when_fetched_then_it_is_sent(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    slack, _ = hosts
    for path in ("/film.mp4", "/near"):
        got = await fetch(slack.address + path, tmp_path)
        assert got.path.read_bytes() == slack.video.read_bytes()
        got.path.unlink()
    assert slack.saw_token() == ["/film.mp4", "/near", "/film.mp4"]


async def test_given_a_redirect_elsewhere_when_followed_then_no_token(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    slack, other = hosts
    await fetch(slack.address + "/away", tmp_path)
    assert slack.saw_token() == ["/away"]
    assert other.shown
    assert other.saw_token() == []


async def test_given_a_redirect_inside_when_fetched_by_token_then_refused(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    slack, other = hosts
    slack.elsewhere = other.address.replace("127.0.0.1", "127.0.0.2")
    with pytest.raises(AppError):
        await fetch(slack.address + "/away", tmp_path)
    assert other.shown == []


async def test_given_a_page_for_a_file_when_fetched_then_unavailable(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    slack, _ = hosts
    with pytest.raises(VideoUnavailable) as raised:
        await fetch(slack.address + "/login", tmp_path)
    assert raised.value.why == "login"


async def test_given_no_token_when_fetched_then_none_is_sent(hosts: tuple[Host, Host], tmp_path: Path) -> None:
    slack, _ = hosts
    await fetch(slack.address + "/film.mp4", tmp_path, "")
    assert slack.shown
    assert "Authorization" not in slack.shown[-1][1]
