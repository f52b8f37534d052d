"""A fetching child was taken over and lies about which video it brought: told in the chats of two servers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from core.engines.download.fetcher import ChildFetcher
from core.limits import FetchLimits
from core.links import canonical
from core.model.events import LinkPosted, ListVideos
from core.ports.metrics import Unwatched
from tests.core.conftest import turn
from tests.support import clips

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse

pytestmark = pytest.mark.slow

PERJURER = """
import json, pathlib, shutil, sys
from core.engines.sandbox import protocol
request = json.loads(sys.stdin.buffer.readline())
here = pathlib.Path(__file__).parent
shutil.copyfile(here / "evil.mp4", pathlib.Path(request["folder"]) / "evil.mp4")
victim = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
said = {"name": "evil.mp4", "video_id": (here / "claims").read_text(), "title": "Evil", "url": victim}
protocol.send(sys.stdout.buffer, {"kind": "fetched", **said})
"""
VICTIM, VICTIM_LINK = "youtube:dQw4w9WgXcQ", "https://youtu.be/dQw4w9WgXcQ"
OTHER = "https://www.youtube.com/watch?v=AAAAAAAAAAA"


@pytest.mark.parametrize(
    ("link", "claims"),
    [
        ("https://evil.example/film", VICTIM),
        ("https://evil.example/film?v=dQw4w9WgXcQ", VICTIM),
        ("https://evil.example/youtube:dQw4w9WgXcQ", VICTIM),
        ("https://youtu.be.evil.example/dQw4w9WgXcQ", VICTIM),
        ("https://youtube.com/e/AAAAAAAAAAA?v=dQw4w9WgXcQ", VICTIM),
        (OTHER, VICTIM),
        (OTHER, "https://youtu.be/dQw4w9WgXcQ"),
        ("https://vimeo.com/9/abcdef0123", "vimeo:9/abcdef0123"),
    ],
)
async def test_given_a_lying_child_when_posted_elsewhere_then_it_is_fetched(
    house: ColourHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str, claims: str
) -> None:
    lie(house, tmp_path, monkeypatch, claims)
    await house.last(LinkPosted(turn(space="attacker"), link))
    victim = turn(space="victim")
    for posted in (VICTIM_LINK, "https://vimeo.com/9", link):
        assert await house.library.video_at(canonical(posted), victim.scope) is None
    assert "Evil" not in (await house.last(ListVideos(victim))).text


async def test_given_a_truthful_child_when_posted_elsewhere_then_it_is_known(
    house: ColourHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fetching once for many spaces saves; so far the child and the site are believed (see SECURITY.md)."""
    lie(house, tmp_path, monkeypatch, VICTIM)
    assert "Ready" in (await house.last(LinkPosted(turn(space="one"), VICTIM_LINK))).text
    led = await house.library.video_at(VICTIM, turn(space="other").scope)
    assert led is not None
    assert led.site_id == VICTIM


def lie(house: ColourHouse, folder: Path, monkeypatch: pytest.MonkeyPatch, claims: str) -> None:
    """Have links fetched by a child that hands in one video for all of them, and says that it is what the test says."""
    clips.make_clip(folder / "evil.mp4", [("red", 2)])
    (folder / "perjurer.py").write_text(PERJURER)
    (folder / "claims").write_text(claims)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    house.relays.fetcher.target = ChildFetcher(
        frozenset(), FetchLimits(10_000_000, 60.0, attempts=1), "perjurer", watch=Unwatched()
    )
