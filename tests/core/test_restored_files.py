"""A known video whose file had to make room for others gets it back when somebody posts it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from core.model.events import Action, Address, FilePosted, Find, LinkPosted, RemoteFile, RemoteFilePosted
from tests.core.conftest import turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.reply import Reply
    from core.ports.video import Fetched, Fetching
    from tests.conftest import MakeClip
    from tests.core.conftest import ColourHouse
    from tests.support.fakes import CopyFetcher

LINK = "https://films.example/colours.mp4"


@pytest_asyncio.fixture
async def evicted(house: ColourHouse, colour_video: Path) -> ColourHouse:
    """A house that knows a linked video, without its file."""
    house.fetcher.web[LINK] = colour_video
    await house.last(LinkPosted(turn(), LINK))
    await house.media.forget(await known_id(house))
    return house


async def known_id(house: ColourHouse) -> str:
    (posted,) = await house.library.videos(turn().view)
    return posted.video.id


async def cut(house: ColourHouse) -> Reply:
    answer = await house.last(Find(turn(), "blue"))
    return await house.last(Action(turn(), next(one.id for one in answer.buttons if one.label == "Cut")))


async def test_given_a_lost_file_when_posted_by_link_then_it_is_back_unindexed(evicted: ColourHouse) -> None:
    looks = sum(evicted.encoder.batches)
    assert "post it again" in (await cut(evicted)).text.casefold()
    replies = await evicted.say(LinkPosted(turn(), LINK))
    assert next(reply.progress.stage for reply in replies if reply.progress) == "fetching"
    assert "know this video already" in replies[-1].text
    assert sum(evicted.encoder.batches) == looks
    assert "Cut: " in (await cut(evicted)).text


@pytest.mark.slow
async def test_given_a_lost_file_when_posted_elsewhere_then_it_reads_as_new(evicted: ColourHouse) -> None:
    replies = await evicted.say(LinkPosted(turn("other"), LINK))
    assert "Ready to search" in replies[-1].text
    assert await evicted.media.path(await known_id(evicted)) is not None


async def test_given_a_lost_file_when_unfetchable_then_it_can_be_searched(evicted: ColourHouse) -> None:
    evicted.fetcher.web.clear()
    reply = await evicted.last(LinkPosted(turn(), LINK))
    assert (reply.tone, "know this video already" in reply.text) == ("plain", True)
    assert (await evicted.last(Find(turn(), "blue"))).tone == "plain"


@pytest.mark.slow
async def test_given_a_lost_file_when_its_link_has_another_then_it_is_not_taken(
    evicted: ColourHouse, make_clip: MakeClip
) -> None:
    evicted.fetcher.web[LINK] = make_clip("other.mp4", [("grey", 2)])
    await evicted.last(LinkPosted(turn(), LINK))
    assert await evicted.media.path(await known_id(evicted)) is None


async def test_given_a_lost_file_when_posted_as_a_file_then_it_is_kept(
    evicted: ColourHouse, colour_video: Path
) -> None:
    await evicted.last(FilePosted(turn(), colour_video, "colours.mp4"))
    assert await evicted.media.path(await known_id(evicted)) is not None


async def test_given_a_lost_file_when_fetched_for_another_post_then_it_is_kept(
    evicted: ColourHouse, colour_video: Path
) -> None:
    async def locate() -> Address:
        return Address("https://files.example/1")

    evicted.fetcher.web["https://files.example/1"] = colour_video
    posted = RemoteFilePosted(turn(), RemoteFile("discord:attachment:1", "colours.mp4", locate))
    await evicted.last(posted)
    assert await evicted.media.path(await known_id(evicted)) is not None
    await evicted.media.forget(await known_id(evicted))
    await evicted.last(posted)
    assert await evicted.media.path(await known_id(evicted)) is not None


@dataclass
class ForgettingFetcher:
    """Fetches, while somebody forgets the video."""

    inner: CopyFetcher
    house: ColourHouse

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        async for event in self.inner.fetch(url, folder, bearer):
            for posted in await self.house.library.videos(turn().view):
                await self.house.library.forget(posted.video.id, turn().view)
            yield event


@pytest.mark.slow
async def test_given_a_lost_file_when_forgotten_meanwhile_then_no_file_is_left(evicted: ColourHouse) -> None:
    evicted.relays.fetcher.target = ForgettingFetcher(evicted.fetcher, evicted)
    video = await known_id(evicted)
    await evicted.last(LinkPosted(turn(), LINK))
    assert await evicted.media.path(video) is None
