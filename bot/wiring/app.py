"""Opens and closes the product: from settings to the core's options, ports and parts. Also repairs a data folder."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.doors.requests import RequestLog
from bot.web.config import DOOR as LOCAL
from bot.web.config import WebConfig
from bot.wiring.engines import open_engines
from bot.wiring.storage import media_folder, open_kept
from core.app import Clocks, Options, assemble
from core.concurrency import ForegroundPriority
from core.jobs import RetryPolicy
from core.limits import BrowsingLimits, IndexingLimits
from core.model.events import FilePosted, Turn
from core.model.requests import MessageKey
from core.model.video import Scope, View
from core.retention import DepartureGrace
from storage.data_folder import alone
from storage.media import MediaFolder
from storage.repair import repair

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bot.settings import Settings
    from bot.wiring.engines import OpenEngines
    from bot.wiring.storage import StorageBundle
    from core.app import Core
    from core.model.video import EncoderInfo
    from storage.repair import Repaired


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair came to."""

    repaired: Repaired
    deleted: int
    """How many media files no video led to."""
    aside: Path | None
    """Where media files lie that this library knows nothing of."""
    queued: int
    """How many of them the next run looks at anew."""


def run_alone(settings: Settings) -> AbstractContextManager[None]:
    """Be the one bot on the data folder; entering raises DataFolderInUse, StorageUnusable."""
    return alone(settings.data_dir)


async def mend(settings: Settings) -> Mended:
    """Repair the database, then drop media files that no video leads to; where it is another library now, keep them.

    Raises DataFolderInUse where anybody works on the folder, StorageUnusable.
    """
    with alone(settings.data_dir):
        with MediaFolder.alone(media_folder(settings)):
            repaired = await repair(settings.database)
        if repaired.outcome == "left":  # it cannot tell which media files are needed
            return Mended(repaired, 0, None, 0)
        async with open_core(settings) as core:
            runner = core.parts.runner
            may_lack = repaired.is_another or repaired.lost or await core.kept.library.has_loss()
            aside = await runner.set_aside() if may_lack else None
            # Who may see them is lost too: only where one person alone uses Keaton that is no question.
            queued = await _queue(core, aside) if aside and not settings.has_token else 0
            deleted = await runner.tidy()
            await core.kept.library.put_losses_away()
            return Mended(repaired, deleted, aside, queued)


async def _queue(core: Product, folder: Path) -> int:
    """Have the videos in a folder looked at by the next run, for the local page; count them."""
    page, requests = WebConfig(), RequestLog(core.parts.runner, core.kept.ledger)
    scope = Scope(LOCAL.platform, page.space, page.channel)
    turn = Turn(LOCAL, scope, View.of(scope), "you", "you", "")
    videos = sorted(await asyncio.to_thread(lambda: list(folder.iterdir())))
    for number, path in enumerate(videos, 1):
        event = FilePosted(turn, path, f"Video {number} of {folder.name}{path.suffix}")
        await requests.take(MessageKey(scope, "", f"{folder.name}:{path.name}"), event)
    return len(videos)


_DAY_S = 86400.0


_GRACE_CHECKED_S = 60.0


_LULL_S = 0.7
"""Further looks begin when nobody has asked for anything for so long."""


@dataclass(frozen=True, slots=True)
class Product:
    """A running Keaton, but for its front doors."""

    parts: Core
    kept: StorageBundle
    engines: OpenEngines
    grace: DepartureGrace

    async def warm(self) -> EncoderInfo:
        """Load the model and ready decoder and plotter, so that the first search is as fast as the tenth.

        Raises OperatorError.
        """
        engines = self.engines
        info = await engines.encoder.ready()
        looks = engines.index.use(await self.parts.searcher.recipe(), info.dim)
        texts = engines.encoder.texts(["a warm start"])
        await asyncio.gather(texts, engines.decoders.warm(), engines.plotter.warm(), looks)
        await self.parts.background.bank()
        return info


@asynccontextmanager
async def open_core(settings: Settings, *, is_bot: bool = False) -> AsyncIterator[Product]:
    """Give the product, ready but for the model, which loads when first needed; raises OperatorError.

    A bot is alone on its data folder, and takes up what an earlier one left.
    """
    async with AsyncExitStack() as stack:
        kept = await open_kept(settings, stack, is_bot=is_bot)
        priority = ForegroundPriority(_LULL_S, time.monotonic)
        engines = open_engines(settings, kept.embeddings, priority, stack, images_later=not is_bot)
        clocks = Clocks(monotonic_s=time.monotonic, unix_s=time.time, now=lambda: datetime.now().astimezone())
        parts = assemble(kept, engines, clocks, options_of(settings, is_bot=is_bot))
        for part in (parts.runner, parts.renewal, parts.refiner):
            stack.push_async_callback(part.close)
        grace_s = settings.grace_days * _DAY_S
        yield Product(
            parts,
            kept,
            engines,
            DepartureGrace(kept.departures, parts.runner, time.monotonic, grace_s, _GRACE_CHECKED_S),
        )


def options_of(settings: Settings, *, is_bot: bool) -> Options:
    """Return what the settings choose for the core."""
    return Options(
        sampling=settings.sampling,
        indexing=IndexingLimits(
            settings.videos_at_once,
            settings.batch,
            settings.videos_per_space,
            settings.save_every_s,
            file_bytes=settings.fetch_limit_bytes,
        ),
        browsing=BrowsingLimits(settings.cut_limit_s),
        patience=RetryPolicy(settings.retries if is_bot else 0, settings.retry_s),
        turns_a_minute=settings.turns_a_minute,
        videos_a_person=settings.videos_per_user,
        channels_on=settings.channels == "on",
    )
