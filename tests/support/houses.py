"""Fixtures for doors in this process: a product over a real library, with a model that knows colours."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest_asyncio

from bot.doors.requests import DoorContext
from core.conversation.channels import Channels
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildClipper, ChildFrameReader
from core.ports.metrics import Unwatched
from core.retention import DepartureGrace
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from storage.retention import SqliteDepartures
from storage.shown_messages import SqliteShownMessages
from tests.core.conftest import CHOICES, QUOTA_BYTES, ColourHouse, build, looking
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from core.app import Options
    from core.model.video import Scope
    from tests.support.disks import SmallDisk


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reader() -> AsyncIterator[ChildFrameReader]:
    children = ChildPool("core.engines.video.worker", forks=True)
    yield ChildFrameReader(children, watch=Unwatched())
    await children.close()


@pytest_asyncio.fixture(loop_scope="session")
async def house(reader: ChildFrameReader, tmp_path: Path) -> AsyncIterator[ColourHouse]:
    async with open_house(reader, tmp_path) as house:
        yield house


@asynccontextmanager
async def open_house(
    reader: ChildFrameReader, tmp_path: Path, choices: Options = CHOICES
) -> AsyncIterator[ColourHouse]:
    library = await SqliteLibrary.open(tmp_path / "data" / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "data" / "media", QUOTA_BYTES)
    async with looking(library) as looks:
        house = build(library, media, reader, ColourEncoder(), looks, choices=choices)
        yield house
        await house.refiner.close()
        await house.runner.close()
    await media.close()
    await library.close()


@pytest_asyncio.fixture(loop_scope="session")
async def cramped(reader: ChildFrameReader, small_disk: SmallDisk) -> AsyncIterator[ColourHouse]:
    """A product whose data folder lies on a small disk."""
    library = await SqliteLibrary.open(small_disk.path / "keaton.sqlite3")
    await library.connections.keep_room()
    media = await MediaFolder.open(small_disk.path / "media", QUOTA_BYTES)
    async with looking(library) as looks:
        house = build(library, media, reader, ColourEncoder(), looks)
        yield house
        await house.refiner.close()
        await house.runner.close()
    await media.close()
    await library.close()


def channels_of(house: ColourHouse) -> Channels:
    """Give the channels of a house, on by default."""
    return Channels(house.ledger, house.library, house.encoder, on_by_default=True)


def parts_of(house: ColourHouse, grace: DepartureGrace | None = None) -> DoorContext:
    """Give what a chat door uses of a house."""
    shown_messages = SqliteShownMessages(house.library.connections)
    return DoorContext(
        house.conversation, channels_of(house), house.ledger, house.runner, grace or grace_of(house), shown_messages
    )


@asynccontextmanager
async def no_clips(house: ColourHouse) -> AsyncIterator[None]:
    """Let no clip be made for now, and say so at once."""
    assert isinstance(house.clipper, ChildClipper)
    async with house.clipper.short, house.clipper.short, house.clipper.long:
        yield


class HeardGrace(DepartureGrace):
    """A grace period that notes what it was told, and tells whoever waits for that."""

    heard: list[tuple[str, Scope]]
    moved: Callable[[], None]

    async def left(self, scope: Scope) -> None:
        await super().left(scope)
        self._note("left", scope)

    async def back(self, scope: Scope) -> None:
        await super().back(scope)
        self._note("back", scope)

    async def gone(self, scope: Scope) -> None:
        await super().gone(scope)
        self._note("gone", scope)

    def _note(self, what: str, scope: Scope) -> None:
        self.heard.append((what, scope))
        self.moved()


def grace_of(house: ColourHouse, moved: Callable[[], None] = lambda: None) -> HeardGrace:
    """Give the grace period of a house, an hour long."""
    grace = HeardGrace(SqliteDepartures(house.library.connections), house.media, time.monotonic, 3600.0, 60.0)
    grace.heard, grace.moved = [], moved
    return grace
