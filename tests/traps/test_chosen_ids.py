"""A server of a stranger's gives a video the id that another server gave one: yt-dlp takes both for the same video."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest
from aiohttp import web

from core.engines.download.fetcher import ChildFetcher
from core.limits import FetchLimits
from core.model.events import LinkPosted
from core.ports.metrics import Unwatched
from core.ports.video import Fetched
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import build, looking, turn
from tests.support.fakes import ColourEncoder
from tests.walls.fakes import PaintedFramer, PaintedReader, TellingClipper, TellingPlotter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.slow

CHOSEN = "0123456789abcdef0123456789abcdef"
LIMITS = FetchLimits(10_000_000, 60.0, attempts=1)


@dataclass
class Mediasite:
    """As much of such a server as yt-dlp asks for."""

    title: str
    video: bytes
    port: int = 0

    @property
    def link(self) -> str:
        return f"http://127.0.0.1:{self.port}/Mediasite/Play/{CHOSEN}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/GetPlayerOptions"):
            place = f"http://127.0.0.1:{self.port}/film.mp4"
            urls = [{"Location": place, "MediaType": "MP4", "MimeType": "video/mp4"}]
            about = {"Title": self.title, "Streams": [{"StreamType": 0, "VideoUrls": urls}], "Duration": 3000}
            return web.json_response({"d": {"Presentation": about}})
        if request.path.endswith("/film.mp4"):
            return web.Response(body=self.video, content_type="video/mp4")
        return web.Response(text="<html></html>", content_type="text/html")


@asynccontextmanager
async def serving(site: Mediasite) -> AsyncIterator[Mediasite]:
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", site.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    place = web.TCPSite(runner, "127.0.0.1", 0)
    await place.start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()


async def test_given_one_id_on_two_servers_when_posted_then_each_has_its_own(tmp_path: Path) -> None:
    library = await SqliteLibrary.open(tmp_path / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "media", 10**9)
    fetcher = ChildFetcher(frozenset({"127.0.0.1"}), LIMITS, watch=Unwatched())
    others = cast("Any", fetcher), TellingPlotter(), TellingClipper(), PaintedFramer()
    sites = Mediasite("Our plan", b"video of the victim"), Mediasite("A trap", b"video of the attacker")
    async with looking(library) as looks, serving(sites[0]), serving(sites[1]):
        house = build(library, media, cast("Any", PaintedReader()), ColourEncoder(), looks, others)
        for site, space in zip(sites, ("home", "lair"), strict=True):
            *_, fetched = [event async for event in fetcher.fetch(site.link, tmp_path)]
            assert isinstance(fetched, Fetched)
            assert fetched.video_id == f"mediasite:{CHOSEN}", "this is what would have been taken for the video's name"
            assert (await house.last(LinkPosted(turn(space=space), site.link))).title == site.title
        for site, space in zip(sites, ("home", "lair"), strict=True):
            (posted,) = await library.videos(turn(space=space).view)
            path = await media.path(posted.video.id)
            assert path is not None
            assert (posted.video.title, path.read_bytes()) == (site.title, site.video)
        await house.refiner.close()
        await house.runner.close()
    await media.close()
    await library.close()
