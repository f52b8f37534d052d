"""KEATON_SITES at every request of a fetch: hosts of other sites on loopback count who comes, and nobody may."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web as http

from core.engines.download.fetcher import ChildFetcher
from core.errors import AppError, LinkRefused
from core.limits import FetchLimits
from core.ports.metrics import Unwatched
from core.ports.video import Fetched
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow

NAMES = {
    "named.example": "127.0.0.3",
    "rumble.com": "127.0.0.3",
    "cdn.discordapp.com": "127.0.0.3",
    "files.slack.com": "127.0.0.3",
    "cdn.named.example": "127.0.0.4",
    "ak1.1a-1791.com": "127.0.0.4",
    "media.discordapp.net": "127.0.0.4",
    "other.example": "127.0.0.5",
    "www.youtube.com": "127.0.0.5",
    "notnamed.example": "127.0.0.5",
    "named.example.other.example": "127.0.0.5",
}
RESOLVER = f"""
import socket, sys
real, names = socket.getaddrinfo, {NAMES!r}
def resolve(host, port, *args, **kwargs):
    if host not in names:
        return real(host, port, *args, **kwargs)
    sys.audit("socket.getaddrinfo", host, port, 0, 0, 0)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (names[host], int(port or 0)))]
socket.getaddrinfo = resolve
"""
HLS = "application/vnd.apple.mpegurl"


class Web:
    """All hosts of `NAMES`; each request is counted by the host that was asked."""

    def __init__(self, video: Path) -> None:
        self.video = video
        self.port = 0
        self.asked: list[str] = []

    async def handle(self, request: http.Request) -> http.StreamResponse:
        self.asked.append(request.host.partition(":")[0])
        _, kind, *rest = request.path.split("/")
        if kind == "moved.mp4":
            raise http.HTTPFound(f"http://{rest[0]}:{self.port}/film.mp4")
        if kind == "circuit.mp4":
            raise http.HTTPFound(f"/moved.mp4/{rest[0]}/x.mp4")
        if kind == "film.mp4":
            return http.FileResponse(self.video)
        text = self.texts(f"http://{rest[0]}:{self.port}").get(kind) if rest else None
        if text is None:
            raise http.HTTPNotFound
        return http.Response(text=text, content_type=HLS if kind.endswith(".m3u8") else "text/html")

    def texts(self, to: str) -> dict[str, str]:
        """Playlists and pages that lead to another host."""
        start, end, piece = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n", "#EXT-X-ENDLIST\n", "#EXTINF:5,\n{}/film.mp4\n"
        return {
            "list.m3u8": start + piece.format(to) + end,
            "gaps.m3u8": start + piece.format("") + piece.format(to) + piece.format("") + end,
            "master.m3u8": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{to}/low.m3u8\n",
            "key.m3u8": f'{start}#EXT-X-KEY:METHOD=AES-128,URI="{to}/key"\n{piece.format("")}{end}',
            "page": f'<title>A</title><video src="{to}/film.mp4"></video>',
            "frame": f'<title>A</title><iframe src="{to.rpartition(":")[0]}/embed/dQw4w9WgXcQ"></iframe>',
        }


@pytest_asyncio.fixture
async def web(trap_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Web]:
    (tmp_path / "sitecustomize.py").write_text(RESOLVER)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    web = Web(trap_videos / "colours.mp4")
    app = http.Application()
    app.router.add_route("*", "/{path:.*}", web.handle)
    runner = http.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await http.TCPSite(runner, "0.0.0.0", 0).start()
    web.port = runner.addresses[0][1]
    yield web
    await runner.cleanup()


async def fetch(web: Web, host: str, path: str, folder: Path, bearer: str = "", *, pages: bool = True) -> Fetched:
    """Fetch with two sites named, and all loopback hosts allowed as private ones."""
    sites = frozenset({"named.example", "rumble.com"})
    limits = FetchLimits(10_000_000, 60.0, attempts=1, sites=sites, pages=pages)
    work = folder / "work"
    work.mkdir()
    fetcher = ChildFetcher(frozenset(NAMES), limits, watch=Unwatched())
    *_, last = [event async for event in fetcher.fetch(f"http://{host}:{web.port}{path}", work, bearer)]
    assert isinstance(last, Fetched)
    return last


@pytest.mark.parametrize(
    ("host", "pages"), [("named.example", True), ("named.example", False), ("cdn.discordapp.com", True)]
)
@pytest.mark.parametrize(
    "path",
    [
        "/moved.mp4/other.example/x.mp4",
        "/moved.mp4/notnamed.example/x.mp4",
        "/moved.mp4/named.example.other.example/x.mp4",
        "/moved.mp4/127.0.0.5/x.mp4",
        "/circuit.mp4/other.example/x.mp4",
        "/list.m3u8/other.example/x.m3u8",
        "/gaps.m3u8/other.example/x.m3u8",
        "/master.m3u8/other.example/x.m3u8",
        "/key.m3u8/other.example/x.m3u8",
        "/page/other.example",
        "/frame/www.youtube.com",
    ],
)
async def test_given_a_named_site_when_fetched_then_no_other_is_contacted(
    web: Web, tmp_path: Path, host: str, path: str, pages: bool
) -> None:
    with pytest.raises(AppError) as raised:
        await fetch(web, host, path, tmp_path, pages=pages)
    assert set(web.asked) == {host}
    if pages or not path.startswith(("/page", "/frame")):
        assert isinstance(raised.value, LinkRefused)
        assert raised.value.why == "site"
        assert raised.value.host in sentence(raised.value)
        assert NAMES.get(raised.value.host, raised.value.host) == "127.0.0.5"


async def test_given_a_file_behind_a_token_when_it_redirects_then_refused(web: Web, tmp_path: Path) -> None:
    with pytest.raises(LinkRefused) as raised:
        await fetch(web, "files.slack.com", "/moved.mp4/other.example/x.mp4", tmp_path, "xoxb-1")
    assert (raised.value.why, web.asked) == ("site", ["files.slack.com"])


async def test_given_a_link_to_platform_files_when_sites_are_named_then_refused(web: Web, tmp_path: Path) -> None:
    with pytest.raises(LinkRefused):
        await fetch(web, "named.example", "/moved.mp4/cdn.discordapp.com/x.mp4", tmp_path)
    assert set(web.asked) == {"named.example"}


@pytest.mark.parametrize(
    ("host", "to"),
    [
        ("named.example", "cdn.named.example"),
        ("rumble.com", "ak1.1a-1791.com"),
        ("cdn.discordapp.com", "media.discordapp.net"),
    ],
)
@pytest.mark.parametrize(
    ("path", "pages"),
    [
        ("/moved.mp4/{}/x.mp4", True),
        ("/list.m3u8/{}/x.m3u8", True),
        ("/list.m3u8/{}/x.m3u8", False),
        ("/page/{}", True),
    ],
)
async def test_given_a_named_site_when_fetched_then_its_file_hosts_are_open(
    web: Web, tmp_path: Path, host: str, to: str, path: str, pages: bool
) -> None:
    fetched = await fetch(web, host, path.format(to), tmp_path, pages=pages)
    assert fetched.path.stat().st_size == web.video.stat().st_size
    assert set(web.asked) == {host, to}
