"""Links are fetched by a real yt-dlp in a real child, from servers on loopback."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiohttp import web

from core.engines.download.fetcher import ChildFetcher
from core.errors import DiskFull, FetchFailed, LinkRefused, OverLimit, VideoUnavailable
from core.limits import FetchLimits
from core.ports.metrics import Unwatched
from core.ports.video import Fetched, Fetching
from core.wording.errors import sentence
from tests.support.fakes import NotingWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.disks import SmallDisk

pytestmark = pytest.mark.slow

LIMIT_BYTES = 20_000_000


class Site:
    """A web site with a video, and with traps; it counts who came."""

    def __init__(self, video: Path) -> None:
        self.video = video
        self.hits: list[str] = []
        self.elsewhere = ""
        self.hanging = asyncio.Event()
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.hits.append(request.path)
        match request.path:
            case "/films/my_film-2.mp4":
                return web.FileResponse(self.video)
            case "/moved.mp4":
                raise web.HTTPFound(self.elsewhere)
            case "/page":
                return web.Response(
                    text="<html><title>A page</title><p>No video here.</p></html>", content_type="text/html"
                )
            case "/embedding":
                html = '<html><title>Our trip</title><video src="/films/my_film-2.mp4"></video></html>'
                return web.Response(text=html, content_type="text/html")
            case "/endless.mp4":
                return await self.endless(request)
            case "/lying.mp4":
                return await self.lying(request)
            case "/empty.mp4":
                return web.Response(body=b"", content_type="video/mp4")
            case "/hanging.mp4":
                await self.hanging.wait()
        raise web.HTTPNotFound

    async def endless(self, request: web.Request) -> web.StreamResponse:
        """Say no length, and never stop."""
        response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
        await response.prepare(request)
        while True:
            await response.write(b"\0" * 100_000)

    async def lying(self, request: web.Request) -> web.StreamResponse:
        """Claim more bytes than there are on earth."""
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": "9" * 30})
        await response.prepare(request)
        await response.write(bytes(1_000_000))
        return response

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest_asyncio.fixture
async def site(colour_video: Path) -> AsyncIterator[Site]:
    site = Site(colour_video)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tcp = web.TCPSite(runner, "0.0.0.0", 0)
    await tcp.start()
    site.port = runner.addresses[0][1]
    yield site
    site.hanging.set()
    await runner.cleanup()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "workshop"
    made.mkdir()
    return made


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def fetcher(*allowed: str, max_bytes: int = LIMIT_BYTES, timeout_s: float = 60.0) -> ChildFetcher:
    return ChildFetcher(frozenset(allowed), FetchLimits(max_bytes, timeout_s), watch=Unwatched())


async def fetched(fetcher: ChildFetcher, url: str, folder: Path) -> tuple[list[Fetching], Fetched]:
    *progress, last = [event async for event in fetcher.fetch(url, folder)]
    assert isinstance(last, Fetched)
    return [event for event in progress if isinstance(event, Fetching)], last


async def test_given_a_direct_link_when_fetched_then_progress_is_told(site: Site, folder: Path) -> None:
    progress, last = await fetched(fetcher("127.0.0.1"), site.url("/films/my_film-2.mp4"), folder)
    size = site.video.stat().st_size
    assert progress[-1].done_bytes == progress[-1].total_bytes == size
    assert last.path.parent == folder
    assert last.path.read_bytes() == site.video.read_bytes()
    assert (last.title, last.video_id, last.url) == ("my_film-2", None, site.url("/films/my_film-2.mp4"))


async def test_given_a_metrics_port_when_it_fetches_then_it_is_timed(site: Site, folder: Path) -> None:
    watch = NotingWatch()
    watched = replace(fetcher("127.0.0.1"), watch=watch)
    await fetched(watched, site.url("/films/my_film-2.mp4"), folder)
    assert watch.stages == ["fetch"]


async def test_given_a_page_when_fetched_then_the_video_bears_its_title(site: Site, folder: Path) -> None:
    _, last = await fetched(fetcher("127.0.0.1"), site.url("/embedding"), folder)
    assert last.path.read_bytes() == site.video.read_bytes()
    assert last.title.startswith("Our trip")
    assert last.url == site.url("/embedding")


async def test_given_a_fetch_when_done_then_only_the_video_is_written(site: Site, folder: Path) -> None:
    _, last = await fetched(fetcher("127.0.0.1"), site.url("/films/my_film-2.mp4"), folder)
    assert files(folder) == [last.path]


async def test_given_a_full_disk_when_fetching_then_disk_full(site: Site, small_disk: SmallDisk) -> None:
    with pytest.raises(DiskFull):
        await fetched(fetcher("127.0.0.1"), site.url("/endless.mp4"), small_disk.path)


@pytest.mark.parametrize(("path", "why"), [("/nothing.mp4", "not_found"), ("/page", "no_video")])
async def test_given_a_link_without_a_video_when_fetched_then_unavailable(
    site: Site, folder: Path, path: str, why: str
) -> None:
    with pytest.raises(VideoUnavailable) as raised:
        await fetched(fetcher("127.0.0.1"), site.url(path), folder)
    assert raised.value.why == why


async def test_given_a_redirect_inside_when_fetched_then_it_never_arrives(site: Site, folder: Path) -> None:
    site.elsewhere = f"http://127.0.0.2:{site.port}/films/my_film-2.mp4"
    with pytest.raises(LinkRefused) as raised:
        await fetched(fetcher("127.0.0.1"), site.url("/moved.mp4"), folder)
    assert raised.value.why == "private"
    assert set(site.hits) == {"/moved.mp4"}


async def test_given_a_redirect_to_a_scheme_when_fetched_then_refused(site: Site, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    site.elsewhere = (tmp_path / "secret.mp4").as_uri()
    with pytest.raises((LinkRefused, VideoUnavailable, FetchFailed)):
        await fetched(fetcher("127.0.0.1"), site.url("/moved.mp4"), folder)
    assert files(folder) == []


async def test_given_a_private_link_when_fetched_then_nothing_starts(site: Site, folder: Path) -> None:
    with pytest.raises(LinkRefused):
        await fetched(fetcher(), site.url("/films/my_film-2.mp4"), folder)
    assert site.hits == []


async def test_given_a_public_name_of_a_private_address_then_refused(site: Site, folder: Path) -> None:
    name = socket.gethostname()
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        found = await loop.getaddrinfo(name, site.port, family=socket.AF_INET)
        if not ipaddress.ip_address(found[0][4][0]).is_global:
            with pytest.raises(LinkRefused) as raised:
                await fetched(fetcher(), f"http://{name}/films/my_film-2.mp4", folder)
            assert raised.value.why == "private"
            assert site.hits == []
            return
    pytest.skip("this machine's own name does not resolve to a private address")


async def test_given_a_closed_port_when_fetched_then_refused(folder: Path, unused_tcp_port: int) -> None:
    with pytest.raises(FetchFailed) as raised:
        await fetched(fetcher("127.0.0.1"), f"http://127.0.0.1:{unused_tcp_port}/a.mp4", folder)
    assert raised.value.why == "refused"


async def test_given_an_unknown_name_when_fetched_then_that_is_final(folder: Path) -> None:
    with pytest.raises(socket.gaierror) as answered:
        await asyncio.get_running_loop().getaddrinfo("no-such-host.invalid", 80)
    # A resolver that cannot ask anybody does not know, and is asked again later.
    is_known = answered.value.errno == socket.EAI_NONAME
    with pytest.raises((VideoUnavailable, FetchFailed)) as raised:
        await fetched(fetcher(), "http://no-such-host.invalid/a.mp4", folder)
    assert isinstance(raised.value, VideoUnavailable) == is_known
    assert vars(raised.value)["why"] == ("no_site" if is_known else "dns")


async def test_given_an_empty_file_when_it_is_fetched_then_that_is_final(site: Site, folder: Path) -> None:
    with pytest.raises(VideoUnavailable) as raised:
        await fetched(fetcher("127.0.0.1"), site.url("/empty.mp4"), folder)
    assert raised.value.why == "empty"


@pytest.mark.parametrize("path", ["/films/my_film-2.mp4", "/endless.mp4"])
async def test_given_too_many_bytes_when_fetched_then_given_up(site: Site, folder: Path, path: str) -> None:
    limit = min(site.video.stat().st_size - 1, 1_000_000)
    with pytest.raises(OverLimit) as raised:
        await fetched(fetcher("127.0.0.1", max_bytes=limit), site.url(path), folder)
    assert (raised.value.quantity, raised.value.limit) == ("size_bytes", limit)
    assert sum(file.stat().st_size for file in files(folder)) <= limit


async def test_given_an_absurd_length_when_fetched_then_too_large(site: Site, folder: Path) -> None:
    with pytest.raises(OverLimit) as raised:
        await fetched(fetcher("127.0.0.1"), site.url("/lying.mp4"), folder)
    assert sentence(raised.value) == "lying claims more bytes than any video has; I take up to 20 MB."


async def test_given_a_slow_site_when_fetched_then_given_up(site: Site, folder: Path) -> None:
    with pytest.raises(FetchFailed) as raised:
        await fetched(fetcher("127.0.0.1", timeout_s=3.0), site.url("/hanging.mp4"), folder)
    assert raised.value.why == "timeout"
