"""The product over a real library, a real media folder and real decoding; only the model and the web are fakes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

import pytest_asyncio

from core.app import Clocks, Engines, Options, Storage, assemble
from core.concurrency import ForegroundPriority
from core.engines.index.index import VectorIndex
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildClipper, ChildFramer, ChildFrameReader, ChildPictureReader
from core.jobs import RetryPolicy
from core.limits import BrowsingLimits, IndexingLimits
from core.model import actions
from core.model.events import Door, Turn
from core.model.requests import Poster
from core.model.video import Sampling, Scope, View
from core.ports.library import Encoder
from core.ports.metrics import Unwatched
from storage.checkpoints import SqliteCheckpoints
from storage.embeddings import SqliteEmbeddings
from storage.jobs import SqliteJobs
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from storage.messages import SqliteLedger
from tests.support.fakes import ColourEncoder, CopyFetcher, Drawer, NotingPlotter, NotingWatch
from tests.support.relays import Relay, Relays

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    import pytest

    from core.conversation.conversation import Conversation
    from core.indexing.indexer import Indexer
    from core.indexing.reindex import Renewal
    from core.jobs import JobRunner
    from core.model.answer import Answer
    from core.model.events import Incoming
    from core.model.reply import Progress, Reply
    from core.ports.video import Clipper, Framer
    from core.refinement.refiner import Refiner
    from core.retention import Forgetting
    from core.search.searcher import Searcher

QUOTA_BYTES = 10**9
CHOICES = Options(
    sampling=Sampling(),
    indexing=IndexingLimits(2, 4, save_every_s=0),
    browsing=BrowsingLimits(cut_s=60),
    patience=RetryPolicy(2, 0.01),
    turns_a_minute=0,
    videos_a_person=0,
    channels_on=True,
)


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
    index: VectorIndex
    indexer: Indexer
    searcher: Searcher
    conversation: Conversation
    runner: JobRunner
    watch: NotingWatch
    refiner: Refiner
    priority: ForegroundPriority
    renewal: Renewal
    clipper: Clipper
    forgetting: Forgetting
    relays: Relays
    """Through these the product reaches its ports: a test exchanges an implementation there."""

    @property
    def jobs(self) -> SqliteJobs:
        """The jobs of the run that is under way."""
        jobs: SqliteJobs = self.relays.jobs.target
        return jobs

    def begin_run(self, time_s: Callable[[], float] = time.time) -> None:
        """Let a new run begin: what the one before took up is left as a kill leaves it."""
        ledger = SqliteLedger(self.library.connections)
        self.relays.ledger.target = ledger
        self.relays.jobs.target = SqliteJobs(self.library.connections, ledger.run, time_s, is_bot=True)

    def stored(self) -> list[Path]:
        """Return the videos that are kept as files."""
        return [path for path in self.media_folder.iterdir() if path.is_file()]

    @property
    def media_folder(self) -> Path:
        """The folder below which all media lie."""
        return self.media.inbox.parent

    async def say(self, event: Incoming) -> list[Reply]:
        return [reply async for reply in self.conversation.handle(event)]

    async def last(self, event: Incoming) -> Reply:
        return (await self.say(event))[-1]


ColourHouse: TypeAlias = House[ColourEncoder]


async def remembered(house: ColourHouse, reply: Reply) -> Answer:
    """Return the answer under a card as it is kept by now."""
    wish = actions.read(reply.buttons[0].id)
    assert isinstance(wish, actions.Show)
    answer = await house.library.answer(wish.answer_id)
    assert answer is not None
    return answer


def turn(channel: str = "main", space: str = "home", platform: str = "local") -> Turn:
    scope = Scope(platform, space, channel)
    return Turn(Door(platform, ("light", "dark"), 25), scope, View.of(scope), "u1", "Ada", "")


def poster(channel: str = "main") -> Poster:
    return Poster(Scope("local", "home", channel), "u1", "Ada", "")


def ignore(_progress: Progress) -> None:
    """Take a report and do nothing."""


@pytest_asyncio.fixture
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ColourHouse]:
    """Open a house with the choices that a test gives it by an indirect parameter, or else with the usual ones."""
    async with opened(tmp_path, choices=getattr(request, "param", CHOICES)) as house:
        yield house


@asynccontextmanager
async def opened(
    tmp_path: Path,
    priority: ForegroundPriority | None = None,
    choices: Options = CHOICES,
    budget_bytes: float = float("inf"),
) -> AsyncIterator[ColourHouse]:
    """Open a product over a data folder below the given one."""
    library = await SqliteLibrary.open(tmp_path / "data" / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "data" / "media", QUOTA_BYTES)
    children = ChildPool("core.engines.video.worker", forks=True, priority=priority)
    async with looking(library, budget_bytes) as index:
        house = build(
            library, media, ChildFrameReader(children, watch=Unwatched()), ColourEncoder(), index, choices=choices
        )
        yield house
        await house.refiner.close()
        await house.runner.close()
    await children.close()
    await media.close()
    await library.close()


@asynccontextmanager
async def looking(library: SqliteLibrary, budget_bytes: float = float("inf")) -> AsyncIterator[VectorIndex]:
    """Hold a library's index in memory."""
    with ThreadPoolExecutor(1) as pool:
        index = VectorIndex(SqliteEmbeddings(library.connections), pool, NotingWatch(), budget_bytes)
        yield index
        await index.close()


_STORED = ("library", "ledger", "media", "checkpoints", "jobs")


def _stored(library: SqliteLibrary, ledger: SqliteLedger, media: MediaFolder) -> dict[str, Any]:
    """Return what stands behind the ports of storage, each so that a test can exchange it."""
    jobs = SqliteJobs(library.connections, ledger.run, time.time, is_bot=True)
    behind = library, ledger, media, SqliteCheckpoints(library.connections), jobs
    return dict(zip(_STORED, map(Relay, behind), strict=True))


def build(
    library: SqliteLibrary,
    media: MediaFolder,
    reader: ChildFrameReader,
    encoder: EncoderT,
    index: VectorIndex,
    others: tuple[CopyFetcher, NotingPlotter, Clipper, Framer] | None = None,
    choices: Options = CHOICES,
) -> House[EncoderT]:
    own = CopyFetcher({}), NotingPlotter(), ChildClipper(reader), ChildFramer(reader)
    fetcher, plotter, clipper, framer = others or own
    ledger, watch = SqliteLedger(library.connections), NotingWatch()
    priority = reader.children.priority or ForegroundPriority(0.0, time.monotonic)
    relays = Relays(
        **_stored(library, ledger, media),
        fetcher=Relay(fetcher),
        reader=Relay(reader),
        plotter=Relay(plotter),
        watch=Relay(watch),
    )
    storage = Storage(**{name: getattr(relays, name) for name in _STORED}, blobs=Drawer())
    engines = Engines(
        index=index,
        encoder=encoder,
        fetcher=relays.fetcher,
        reader=relays.reader,
        extra_frames=reader,
        framer=framer,
        pictures=ChildPictureReader(reader),
        clipper=clipper,
        plotter=relays.plotter,
        watch=relays.watch,
        priority=priority,
    )
    clocks = Clocks(monotonic_s=time.monotonic, unix_s=time.time, now=lambda: datetime.now(UTC))
    parts = assemble(storage, engines, clocks, choices)
    course = (parts.indexer, parts.searcher, parts.conversation, parts.runner, watch, parts.refiner, priority)
    near = (library, relays.ledger, media, encoder, fetcher, plotter, reader, index)
    return House(*near, *course, parts.renewal, clipper, parts.forgetting, relays)
