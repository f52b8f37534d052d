"""Names that change their address on the way, sites that are not named, and pages that are not to be read."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from core.engines.download.fetcher import ChildFetcher
from core.errors import LinkRefused, VideoUnavailable
from core.limits import FetchLimits
from core.ports.metrics import Unwatched
from core.ports.video import Fetched
from tests.traps import web

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

RESOLVER = f"""
import socket
real, asked = socket.getaddrinfo, []
def rebinding(host, port, *args, **kwargs):
    if host == "rebinding.example":
        asked.append(host)
        host = "127.0.0.1" if len(asked) <= {{good}} else "{web.INTERNAL}"
    return real(host, port, *args, **kwargs)
socket.getaddrinfo = rebinding
"""


async def fetch(url: str, folder: Path, limits: FetchLimits, *allowed: str) -> Fetched:
    *_, last = [
        event
        async for event in ChildFetcher(frozenset(allowed or ["127.0.0.1"]), limits, watch=Unwatched()).fetch(
            url, folder
        )
    ]
    assert isinstance(last, Fetched)
    return last


def limits(*sites: str, pages: bool = True) -> FetchLimits:
    return FetchLimits(10_000_000, 60.0, attempts=1, sites=frozenset(sites), pages=pages)


@pytest.mark.parametrize("good", [0, 1, 2])
async def test_given_a_name_that_moves_inside_when_connecting_then_refused(
    trap_videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: int
) -> None:
    (tmp_path / "sitecustomize.py").write_text(RESOLVER.format(good=good))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    async with web.listening() as canary:
        traps = web.Traps(trap_videos, canary, b"")
        async with web.serving(traps):
            # The name is allowed, as the address that it has at the start; it moves before, or after the page is read.
            hosts = ("rebinding.example",) if good else ("127.0.0.1",)
            port = canary.port if good < 2 else traps.port
            link = f"http://rebinding.example:{port if good else 80}/colours.mp4"
            with pytest.raises(LinkRefused) as raised:
                await fetch(link, tmp_path, limits(), *hosts)
        assert raised.value.why == "private"
        assert [path for path, _ in traps.seen] == (["/colours.mp4"] if good == 2 else [])
        assert canary.hits == []


async def test_given_named_sites_when_another_is_posted_then_refused(trap_videos: Path, tmp_path: Path) -> None:
    async with web.listening() as canary, web.serving(web.Traps(trap_videos, canary, b"")) as traps:
        with pytest.raises(LinkRefused) as raised:
            await fetch(f"{traps.address}/colours.mp4", tmp_path, limits("films.example"))
        assert (raised.value.why, traps.seen) == ("site", [])
        assert (await fetch(f"{traps.address}/colours.mp4", tmp_path, limits("127.0.0.1"))).title == "colours"


async def test_given_a_named_site_when_it_redirects_elsewhere_then_refused(trap_videos: Path, tmp_path: Path) -> None:
    async with web.listening() as canary, web.serving(web.Traps(trap_videos, canary, b"")) as traps:
        with pytest.raises(LinkRefused) as raised:
            await fetch(f"{traps.address}/page", tmp_path, limits("127.0.0.1"), "127.0.0.1", web.INTERNAL)
        assert raised.value.why == "site"
        assert canary.hits == []


async def test_given_pages_off_when_fetched_then_files_alone(trap_videos: Path, tmp_path: Path) -> None:
    async with web.listening() as canary, web.serving(web.Traps(trap_videos, canary, b"")) as traps:
        with pytest.raises(VideoUnavailable) as raised:
            await fetch(f"{traps.address}/page", tmp_path, limits(pages=False), "127.0.0.1", web.INTERNAL)
        assert raised.value.why == "no_video"
        assert canary.hits == []
        assert (await fetch(f"{traps.address}/colours.mp4", tmp_path, limits(pages=False))).title == "colours"
