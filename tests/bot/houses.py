"""Fixtures for doors in this process: a product over a real library, with a model that knows colours."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest_asyncio

from core.channels import Channels
from core.departures import Grace
from core.engines.children import Children
from core.engines.frames import ChildFrameReader
from storage.departures import SqliteDepartures
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import QUOTA_BYTES, ColourHouse, build, looking
from tests.core.fakes import ColourEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader() -> AsyncIterator[ChildFrameReader]:
    children = Children("core.engines.decoder", forks=True)
    yield ChildFrameReader(children)
    await children.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house(reader: ChildFrameReader, tmp_path: Path) -> AsyncIterator[ColourHouse]:
    library = await SqliteLibrary.open(tmp_path / "data" / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "data" / "media", QUOTA_BYTES)
    async with looking(library) as looks:
        yield build(library, media, reader, ColourEncoder(), looks)
    await media.close()
    await library.close()


def channels_of(house: ColourHouse) -> Channels:
    """Give the channels of a house, on by default."""
    return Channels(house.ledger, house.library, house.media, house.encoder, house.foreman, on_by_default=True)


def grace_of(house: ColourHouse, grace_s: float = 60.0, clock_s: Callable[[], float] = time.monotonic) -> Grace:
    """Give the grace period of a house."""
    return Grace(SqliteDepartures(house.library.connections), house.media, clock_s, grace_s, 0.05)
