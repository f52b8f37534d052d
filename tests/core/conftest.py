"""The product over a real library, a real media folder and real decoding; only the model and the web are fakes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np
import pytest_asyncio

from core.answering import Answerer
from core.background import Background, captions
from core.browsing import Browser
from core.channels import Channels
from core.closer import CloserLook
from core.conversation import MOST_MOMENTS, Conversation
from core.cooldown import Cooldown
from core.courtesy import Courtesy
from core.engines.children import Children
from core.engines.clips import ChildClipper
from core.engines.frames import ChildFrameReader
from core.engines.framing import ChildFramer
from core.engines.held import ERROR, HeldLooks
from core.engines.picturing import ChildPictureReader
from core.examples import Examples
from core.foreman import Foreman, Patience
from core.glancing import Glances
from core.hunter import Hunter
from core.indexing import Indexer, IndexingLimits, Poster
from core.inquiry import Inquiry
from core.judging import Judge
from core.limits import PICTURE_BYTES, BrowsingLimits
from core.lull import Lull
from core.model import Sampling, Scope, View
from core.ports import Encoder
from core.pressing import Presser
from core.refining import Refiner
from core.renewal import Renewal
from core.search import Searcher
from core.taking import Taking
from core.talk import Door, Turn
from storage.jobs import SqliteJobs
from storage.ledger import SqliteLedger
from storage.library import SqliteLibrary
from storage.looks import SqliteLooks
from storage.media import MediaFolder
from storage.works import SqliteWorks
from tests.core.fakes import ColourEncoder, CopyFetcher, Drawer, NotingPlotter, NotingWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.clips import Clipper
    from core.film_ports import Framer
    from core.looks import Halves
    from core.model import Floats
    from core.shown import Progress, Reply
    from core.talk import Incoming

QUOTA_BYTES = 10**9


EncoderT = TypeVar("EncoderT", bound=Encoder)


@dataclass
class House(Generic[EncoderT]):
    """A product with its fakes at hand."""

    library: SqliteLibrary
    ledger: SqliteLedger
    media: MediaFolder
    encoder: EncoderT
    fetcher: CopyFetcher
    plotter: NotingPlotter
    reader: ChildFrameReader
    looks: HeldLooks
    indexer: Indexer
    searcher: Searcher
    conversation: Conversation
    foreman: Foreman
    watch: NotingWatch
    refiner: Refiner

    async def say(self, event: Incoming) -> list[Reply]:
        return [reply async for reply in self.conversation.handle(event)]

    async def last(self, event: Incoming) -> Reply:
        return (await self.say(event))[-1]


ColourHouse: TypeAlias = House[ColourEncoder]


def turn(channel: str = "main", space: str = "home", platform: str = "local") -> Turn:
    scope = Scope(platform, space, channel)
    return Turn(Door(platform, ("light", "dark"), 25), scope, View.of(scope), "u1", "Ada", "")


def poster(channel: str = "main") -> Poster:
    return Poster(Scope("local", "home", channel), "u1", "Ada", "")


def ignore(_progress: Progress) -> None:
    """Take a report and do nothing."""


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[ColourHouse]:
    library = await SqliteLibrary.open(tmp_path / "data" / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "data" / "media", QUOTA_BYTES)
    children = Children("core.engines.decoder", forks=True)
    async with looking(library) as looks:
        house = build(library, media, ChildFrameReader(children), ColourEncoder(), looks)
        yield house
        await house.refiner.close()
        await house.foreman.close()
    await children.close()
    await media.close()
    await library.close()


@asynccontextmanager
async def looking(library: SqliteLibrary) -> AsyncIterator[HeldLooks]:
    """Hold a library's looks in memory."""
    with ThreadPoolExecutor(1) as pool:
        looks = HeldLooks(SqliteLooks(library.connections), pool, products, ERROR)
        yield looks
        await looks.close()


def products(rows: Halves, vectors: Floats) -> Floats:
    """Compare exactly."""
    exact: Floats = vectors @ rows.astype(np.float32).T
    return exact


def build(
    library: SqliteLibrary,
    media: MediaFolder,
    reader: ChildFrameReader,
    encoder: EncoderT,
    looks: HeldLooks,
    others: tuple[CopyFetcher, NotingPlotter, Clipper, Framer] | None = None,
) -> House[EncoderT]:
    fetcher, plotter = (others or (CopyFetcher({}), NotingPlotter(), None))[:2]
    clipper = others[2] if others else ChildClipper(reader)
    watch, courtesy = NotingWatch(), Courtesy()
    sampling = Sampling()
    indexer = Indexer(
        library,
        media,
        fetcher,
        reader,
        encoder,
        sampling,
        IndexingLimits(2, 4, save_every_s=0),
        SqliteWorks(library.connections),
        watch,
        courtesy,
    )
    background = Background(encoder, Drawer(), captions())
    judge = Judge(encoder, background)
    searcher = Searcher(library, encoder, sampling, looks, judge)
    answerer = Answerer(searcher, library, media, reader, encoder, plotter)
    ledger = SqliteLedger(library.connections)
    jobs = SqliteJobs(library.connections, ledger.run, time.time, is_bot=True)
    foreman = Foreman(jobs, library, media, Patience(2, 0.01), time.time)
    channels = Channels(ledger, library, media, encoder, foreman, on_by_default=True)
    cooldown = Cooldown(0, time.monotonic)
    renewal = Renewal(library, indexer, searcher, time.monotonic)
    browser = Browser(library, media, answerer, clipper, plotter, cooldown, BrowsingLimits(cut_s=60))
    lull = Lull(0.0)
    glances = Glances(media, reader, encoder, searcher, lull)
    framer = others[3] if others else ChildFramer(reader)
    closer = CloserLook(media, framer, encoder, background, judge, searcher)
    refiner = Refiner(library, encoder, searcher, glances, Hunter(glances, time.monotonic), closer, lull)
    taking = Taking(library, encoder, plotter, indexer, cooldown, foreman)
    examples = Examples(media, ChildPictureReader(reader), encoder, searcher, PICTURE_BYTES)
    inquiry = Inquiry(library, lambda: datetime.now(UTC))
    conversation = Conversation(
        library,
        media,
        encoder,
        taking,
        searcher,
        browser,
        channels,
        cooldown,
        renewal,
        foreman,
        examples=examples,
        inquiry=inquiry,
        presser=Presser(library, searcher, browser, refiner, MOST_MOMENTS),
        watch=watch,
        refiner=refiner,
        courtesy=courtesy,
    )
    parts = (library, ledger, media, encoder, fetcher, plotter, reader, looks, indexer, searcher, conversation)
    return House(*parts, foreman, watch, refiner)
