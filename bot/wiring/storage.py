"""Opens the storage behind the ports of one data folder."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.settings import GIGABYTE
from core.app import Storage
from storage.checkpoints import SqliteCheckpoints
from storage.data_folder import FolderBlobCache, Owners, disk, tighten
from storage.embeddings import SqliteEmbeddings
from storage.history import SqliteHistory
from storage.jobs import SqliteJobs
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from storage.messages import SqliteLedger
from storage.retention import SqliteArchive, SqliteDepartures
from storage.shown_messages import SqliteShownMessages

if TYPE_CHECKING:
    from contextlib import AsyncExitStack
    from pathlib import Path

    from bot.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageBundle(Storage):
    """One data folder."""

    library: SqliteLibrary
    media: MediaFolder
    embeddings: SqliteEmbeddings
    checkpoints: SqliteCheckpoints
    ledger: SqliteLedger
    jobs: SqliteJobs
    departures: SqliteDepartures
    archive: SqliteArchive
    shown_messages: SqliteShownMessages
    history: SqliteHistory
    blobs: FolderBlobCache


async def open_kept(settings: Settings, stack: AsyncExitStack, *, is_bot: bool) -> StorageBundle:
    """Open a data folder until the stack closes; raises OperatorError. A bot takes up what an earlier one left."""
    with disk(settings.data_dir):
        await asyncio.to_thread(settings.data_dir.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(tighten, settings.data_dir)
    library = await SqliteLibrary.open(settings.database)
    stack.push_async_callback(library.close)
    media = await MediaFolder.open(media_folder(settings), int(settings.media_quota_gb * GIGABYTE))
    stack.push_async_callback(media.close)
    rows = library.connections
    if is_bot:
        await rows.keep_room()
    ledger = SqliteLedger(rows)
    stack.enter_context(Owners.of(settings.database).alive(ledger.run))
    return StorageBundle(
        library=library,
        media=media,
        embeddings=SqliteEmbeddings(rows),
        checkpoints=SqliteCheckpoints(rows),
        ledger=ledger,
        jobs=SqliteJobs(rows, ledger.run, time.time, is_bot=is_bot),
        departures=SqliteDepartures(rows),
        archive=SqliteArchive(rows),
        shown_messages=SqliteShownMessages(rows),
        history=SqliteHistory(rows),
        blobs=FolderBlobCache(settings.data_dir / "kept"),
    )


def media_folder(settings: Settings) -> Path:
    """Give the folder of the kept media files."""
    return settings.data_dir / "media"
