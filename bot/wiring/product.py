"""The product, opened and closed. Owns how settings become the core's choices; must not know what a choice does."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.wiring.engines import open_engines
from bot.wiring.kept import open_kept
from core.assembly import Choices, Ports, assemble
from core.courtesy import Courtesy
from core.departures import Grace
from core.intake import IndexingLimits
from core.limits import BrowsingLimits
from core.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.settings import Settings
    from bot.wiring.engines import Engines
    from bot.wiring.kept import Kept
    from core.assembly import Parts
    from core.model import EncoderInfo

_DAY_S = 86400.0
_GRACE_CHECKED_S = 60.0
_LULL_S = 0.7
"""Further looks begin when nobody has asked for anything for so long."""


@dataclass(frozen=True, slots=True)
class Core:
    """A running Keaton, but for its front doors."""

    parts: Parts
    kept: Kept
    engines: Engines
    grace: Grace

    async def warm(self) -> EncoderInfo:
        """Load the model and ready decoder and plotter, so that the first search is as fast as the tenth.

        Raises OperatorError.
        """
        engines = self.engines
        info = await engines.encoder.ready()
        looks = engines.looks.use(await self.parts.searcher.recipe(), info.dim)
        texts = engines.encoder.texts(["a warm start"])
        await asyncio.gather(texts, engines.decoders.warm(), engines.plotter.warm(), looks)
        await self.parts.background.bank()
        return info


@asynccontextmanager
async def open_core(settings: Settings, *, is_bot: bool = False) -> AsyncIterator[Core]:
    """Give the product, ready but for the model, which loads when first needed; raises OperatorError.

    A bot is alone on its data folder, and takes up what an earlier one left.
    """
    async with AsyncExitStack() as stack:
        kept = await open_kept(settings, stack, is_bot=is_bot)
        engines = open_engines(settings, kept.looks, Courtesy(_LULL_S, time.monotonic), stack)
        parts = assemble(_ports(kept, engines), _choices(settings, is_bot=is_bot))
        for part in (parts.foreman, parts.renewal, parts.refiner):
            stack.push_async_callback(part.close)
        grace_s = settings.grace_days * _DAY_S
        yield Core(
            parts, kept, engines, Grace(kept.departures, parts.foreman, time.monotonic, grace_s, _GRACE_CHECKED_S)
        )


def _ports(kept: Kept, engines: Engines) -> Ports:
    return Ports(
        library=kept.library,
        ledger=kept.ledger,
        media=kept.media,
        works=kept.works,
        jobs=kept.jobs,
        keepsakes=kept.keepsakes,
        looks=engines.looks,
        encoder=engines.encoder,
        fetcher=engines.fetcher,
        reader=engines.reader,
        glancer=engines.reader,
        framer=engines.framer,
        pictures=engines.pictures,
        clipper=engines.clipper,
        plotter=engines.plotter,
        watch=engines.watch,
        courtesy=engines.courtesy,
        clock_s=time.monotonic,
        time_s=time.time,
        now=lambda: datetime.now().astimezone(),
    )


def _choices(settings: Settings, *, is_bot: bool) -> Choices:
    return Choices(
        sampling=settings.sampling,
        indexing=IndexingLimits(
            settings.films_at_once,
            settings.batch,
            settings.films_a_space,
            settings.save_every_s,
            file_bytes=settings.fetch_limit_bytes,
        ),
        browsing=BrowsingLimits(settings.cut_limit_s),
        patience=Patience(settings.retries if is_bot else 0, settings.retry_s),
        turns_a_minute=settings.turns_a_minute,
        films_a_person=settings.films_a_user,
        channels_on=settings.channels == "on",
    )
