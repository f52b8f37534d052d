"""Builds the concrete parts and closes them. The only place that knows which engine stands behind which port."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.metrics import Metrics
from bot.requests import Requests
from bot.settings import GIGABYTE
from bot.web.config import DOOR as LOCAL
from bot.web.config import WebConfig
from core.answering import Answerer
from core.background import Background, captions
from core.browsing import Browser
from core.channels import Channels
from core.closer import CloserLook
from core.conversation import MOST_MOMENTS, Conversation
from core.cooldown import Cooldown
from core.courtesy import Courtesy
from core.departures import Grace
from core.engines import children, clips, held, plot, presets, threads, watched
from core.engines.checkup import check_cage, check_decoder, describe_torch
from core.engines.framing import ChildFramer
from core.engines.picturing import ChildPictureReader
from core.examples import Examples
from core.foreman import Foreman, Patience
from core.glancing import Glances
from core.hunter import Hunter
from core.indexing import Indexer, IndexingLimits
from core.inquiry import Inquiry
from core.judging import Judge
from core.ledger import Errand
from core.limits import PICTURE_BYTES, BrowsingLimits
from core.lull import Lull
from core.model import Scope, View
from core.pressing import Presser
from core.refining import Refiner
from core.renewal import Renewal
from core.search import Searcher
from core.taking import Taking
from core.talk import FilePosted, Turn
from storage.archive import SqliteArchive
from storage.boundary import disk
from storage.departures import SqliteDepartures
from storage.jobs import SqliteJobs
from storage.keepsakes import FolderOfKeepsakes
from storage.ledger import SqliteLedger
from storage.library import SqliteLibrary
from storage.lock import alone
from storage.looks import SqliteLooks
from storage.media import MediaFolder
from storage.repair import Repaired, repair
from storage.showcase import SqliteShowcase
from storage.soundness import complaints
from storage.works import SqliteWorks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager

    from bot.settings import Settings
    from core.engines import scanning
    from core.engines.clip import Clip
    from core.looks import Halves
    from core.model import EncoderInfo, Floats
    from core.texts import RememberingEncoder

__all__ = [
    "DEMO_FOLDER",
    "Core",
    "Mended",
    "Repaired",
    "check_cage",
    "check_database",
    "check_decoder",
    "describe_torch",
    "load_model",
    "mend",
    "model_choice",
    "open_core",
    "run_alone",
]

DEMO_FOLDER = Path(str(files("demo")))

DAY_S = 86400.0
GRACE_CHECKED_S = 60.0
_LULL_S = 0.7
"""Further looks begin when nobody has asked for anything for so long."""
_TEXTS_REMEMBERED = 4096
"""8 MB for vectors of 512."""


@dataclass(frozen=True, slots=True)
class Pools:
    """The threads; torch itself spreads the work of each over the cores."""

    queries: Executor
    films: Executor
    """For films alone: it gives way to all others."""
    drawing: Executor


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair came to."""

    repaired: Repaired
    deleted: int
    """How many media files no film led to."""
    aside: Path | None
    """Where media files lie that this library knows nothing of."""
    queued: int
    """How many of them the next run looks at anew."""


@dataclass(frozen=True, slots=True)
class Core:
    """The parts of a running Keaton that front doors use."""

    library: SqliteLibrary
    ledger: SqliteLedger
    media: MediaFolder
    encoder: RememberingEncoder
    indexer: Indexer
    searcher: Searcher
    answerer: Answerer
    channels: Channels
    conversation: Conversation
    plotter: plot.MatplotlibPlotter
    decoders: children.Children
    renewal: Renewal
    looks: held.HeldLooks
    background: Background
    foreman: Foreman
    watch: Metrics
    clipper: clips.ChildClipper
    inquiry: Inquiry
    examples: Examples
    refiner: Refiner
    grace: Grace
    archive: SqliteArchive
    showcase: SqliteShowcase

    async def warm(self) -> EncoderInfo:
        """Load the model and ready decoder and plotter, so that the first search is as fast as the tenth.

        Raises OperatorError.
        """
        info = await self.encoder.ready()
        looks = self.looks.use(await self.searcher.recipe(), info.dim)
        await asyncio.gather(self.encoder.texts(["a warm start"]), self.decoders.warm(), self.plotter.warm(), looks)
        await self.background.bank()
        return info


@asynccontextmanager
async def open_core(settings: Settings, *, is_bot: bool = False) -> AsyncIterator[Core]:
    """Give the product, ready but for the model, which loads when first needed; raises OperatorError.

    A bot is alone on its data folder, and takes up what an earlier one left.
    """
    async with AsyncExitStack() as stack:
        library = await SqliteLibrary.open(settings.database)
        stack.push_async_callback(library.close)
        media = await MediaFolder.open(_media_folder(settings), int(settings.media_quota_gb * GIGABYTE))
        stack.push_async_callback(media.close)
        decoders = children.Children("core.engines.decoder", forks=sys.platform == "linux")
        stack.push_async_callback(decoders.close)
        watch = Metrics()
        pools = Pools(
            _pool(stack, "compute", 1, partial(watch.took, "compute")),
            _pool(stack, "films", 1, partial(watch.took, "compute")),
            _pool(stack, "draw", 1, partial(watch.took, "plot")),
        )
        holding = _pool(stack, "looks", 1, partial(watch.took, "scan"))
        budget_bytes = settings.looks_memory_gb * GIGABYTE
        scan = _Scan()
        stack.callback(scan.close)
        store = SqliteLooks(library.connections)
        looks = watched.WatchedLooks(store, holding, scan, held.ERROR, budget_bytes, watch)
        stack.push_async_callback(looks.close)
        load = partial(_load, settings, scan)
        core = _assemble(settings, library, media, decoders, looks, pools, watch, load, is_bot=is_bot)
        stack.push_async_callback(core.foreman.close)
        stack.push_async_callback(core.renewal.close)
        stack.push_async_callback(core.refiner.close)
        yield core


def run_alone(settings: Settings) -> AbstractContextManager[None]:
    """Be the one bot on the data folder; entering raises DataFolderInUse, StorageUnusable."""
    return alone(settings.data_dir)


def check_database(settings: Settings) -> tuple[str, ...]:
    """Give what is wrong with the pages and the references of the database, at most twenty things; blocks.

    Raises StorageUnusable.
    """
    with disk(settings.database):
        return complaints(settings.database) if settings.database.exists() else ()


async def mend(settings: Settings) -> Mended:
    """Repair the database, then drop media files that no film leads to; where it is another library now, keep them.

    Raises DataFolderInUse where anybody works on the folder, StorageUnusable.
    """
    with alone(settings.data_dir):
        with MediaFolder.alone(_media_folder(settings)):
            repaired = await repair(settings.database)
        async with open_core(settings) as core:
            aside = await core.foreman.set_aside() if repaired.is_another else None
            # Who may see them is lost too: only where one person alone uses Keaton that is no question.
            queued = await _queue(core, aside) if aside and not settings.has_token else 0
            return Mended(repaired, await core.foreman.tidy(), aside, queued)


async def _queue(core: Core, folder: Path) -> int:
    """Have the films in a folder looked at by the next run, for the local page; count them."""
    page, requests = WebConfig(), Requests(core.foreman, core.ledger)
    scope = Scope(LOCAL.platform, page.space, page.channel)
    turn = Turn(LOCAL, scope, View.of(scope), "you", "you", "")
    films = sorted(await asyncio.to_thread(lambda: list(folder.iterdir())))
    for number, path in enumerate(films, 1):
        event = FilePosted(turn, path, f"Film {number} of {folder.name}{path.suffix}")
        await requests.take(Errand(scope, "", f"{folder.name}:{path.name}"), event)
    return len(films)


def model_choice(settings: Settings) -> presets.ModelChoice:
    """Give the model that the settings name; raises UnknownModel."""
    return presets.choose(settings.model, DEMO_FOLDER / "model")


def _assemble(
    settings: Settings,
    library: SqliteLibrary,
    media: MediaFolder,
    decoders: children.Children,
    looks: held.HeldLooks,
    pools: Pools,
    watch: Metrics,
    load: Callable[[], Clip],
    *,
    is_bot: bool,
) -> Core:
    clock_s = time.monotonic
    reader = watched.WatchedReader(decoders, settings.film_limits, watch=watch, clock_s=clock_s)
    clipper = clips.ChildClipper(reader)
    sampling = settings.sampling
    limits = IndexingLimits(settings.films_at_once, settings.batch, settings.films_a_space, settings.save_every_s)
    threaded = watched.WatchedEncoder(load, pools.queries, pools.films, watch, clock_s)
    encoder = watched.WatchedTexts(threaded, _TEXTS_REMEMBERED, watch)
    fetcher = watched.WatchedFetcher(settings.allowed_hosts, settings.fetch_limits, watch=watch)
    plotter = plot.MatplotlibPlotter(pools.drawing)
    works, courtesy = SqliteWorks(library.connections), Courtesy()
    indexer = Indexer(library, media, fetcher, reader, encoder, sampling, limits, works, watch, courtesy)
    background = Background(encoder, FolderOfKeepsakes(settings.data_dir / "kept"), captions())
    judge = Judge(encoder, background)
    searcher = Searcher(library, encoder, sampling, looks, judge)
    answerer = Answerer(searcher, library, media, reader, encoder, plotter)
    ledger = SqliteLedger(library.connections)
    jobs = SqliteJobs(library.connections, ledger.run, time.time, is_bot=is_bot)
    foreman = Foreman(jobs, library, media, Patience(settings.retries if is_bot else 0, settings.retry_s), time.time)
    channels = Channels(ledger, library, media, encoder, foreman, on_by_default=settings.channels == "on")
    cooldown = Cooldown(settings.turns_a_minute, time.monotonic, settings.films_a_user)
    renewal = Renewal(library, indexer, searcher, time.monotonic)
    browsing = BrowsingLimits(settings.cut_limit_s)
    browser = Browser(library, media, answerer, clipper, plotter, cooldown, browsing)
    examples = Examples(media, ChildPictureReader(reader), encoder, searcher, PICTURE_BYTES)
    inquiry = Inquiry(library, lambda: datetime.now().astimezone())
    lull = Lull(_LULL_S)
    glances = Glances(media, reader, encoder, searcher, lull)
    closer = CloserLook(media, ChildFramer(reader), encoder, background, judge, searcher)
    refiner = Refiner(library, encoder, searcher, glances, Hunter(glances, clock_s), closer, lull)
    taking = Taking(library, encoder, plotter, indexer, cooldown, foreman)
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
    parts = (library, ledger, media, encoder, indexer, searcher, answerer, channels, conversation)
    shared = _shared(settings, library, media)
    views = (looks, background, foreman, watch, clipper, inquiry, examples, refiner)
    return Core(*parts, plotter, decoders, renewal, *views, *shared)


def _shared(
    settings: Settings, library: SqliteLibrary, media: MediaFolder
) -> tuple[Grace, SqliteArchive, SqliteShowcase]:
    """Give what spaces with several people need."""
    departures = SqliteDepartures(library.connections)
    grace = Grace(departures, media, time.monotonic, settings.grace_days * DAY_S, GRACE_CHECKED_S)
    return grace, SqliteArchive(library.connections), SqliteShowcase(library.connections)


def _load(settings: Settings, scan: _Scan) -> Clip:
    clip = load_model(settings)
    scan.start()
    return clip


def load_model(settings: Settings) -> Clip:
    """Load the model on this thread; raises UnknownModel, WeightsUnavailable, EncoderBroken."""
    from core.engines import clip  # noqa: PLC0415 - torch takes seconds, and the page should not wait for it

    whole = settings.look_at == "whole"
    options = clip.ClipOptions(
        model_choice(settings),
        settings.device,
        settings.model_cache,
        whole,
        settings.backend,
        settings.precision,
        compiled=settings.compiled == "on",
        converted_dir=(settings.model_cache or settings.data_dir) / "converted",
    )
    return clip.load(options)


class _Scan:
    """Compares looks with vectors; the threads for it start with the model, when nothing else uses torch."""

    def __init__(self) -> None:
        self._scanners: scanning.Scanners | None = None

    def start(self) -> None:
        if self._scanners is None:
            from core.engines import scanning  # noqa: PLC0415 - torch takes seconds, and the page should not wait

            self._scanners = scanning.Scanners(os.cpu_count() or 1)

    def __call__(self, rows: Halves, vectors: Floats) -> Floats:
        self.start()
        assert self._scanners is not None  # noqa: S101 - start() has just seen to it
        return self._scanners(rows, vectors)

    def close(self) -> None:
        if self._scanners is not None:
            self._scanners.close()


def _media_folder(settings: Settings) -> Path:
    return settings.data_dir / "media"


def _pool(stack: AsyncExitStack, name: str, size: int, took: Callable[[float], None]) -> threads.CarryingPool:
    """Give threads that nobody waits for at the end: a model that loads for minutes cannot be interrupted."""
    pool = threads.CarryingPool(size, name, took, time.monotonic)
    stack.callback(pool.shutdown, wait=False, cancel_futures=True)
    return pool
