"""Assembles the core: which part works with which, for the product and for tests alike.

What stands behind the ports is chosen by the caller (`bot.wiring`, or a test).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.answers.browser import Browser
from core.answers.view import Answerer
from core.conversation.channels import Channels, Invitations
from core.conversation.conversation import Conversation
from core.conversation.posts import Posts
from core.conversation.presses import PressHandler
from core.conversation.questions import AnswerMaker, Inquiry, Questions
from core.indexing.indexer import Indexer
from core.indexing.reindex import Renewal
from core.jobs import JobRunner
from core.limits import PICTURE_BYTES
from core.rate_limit import RateLimit
from core.refinement.best_frame import BestFrameFinder
from core.refinement.close_up import CloseUp
from core.refinement.extra_frames import Examples, ExtraFrames
from core.refinement.refiner import Refiner
from core.retention import Forgetting
from core.search.judge import Background, Judge, captions
from core.search.searcher import Searcher
from core.wording.lists import VideoList

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.concurrency import ForegroundPriority
    from core.jobs import RetryPolicy
    from core.limits import BrowsingLimits, IndexingLimits
    from core.model.video import Sampling
    from core.ports.index import EmbeddingIndex
    from core.ports.jobs import Checkpoints, Jobs, Ledger
    from core.ports.library import BlobCache, Encoder, Library, Media
    from core.ports.metrics import Watch
    from core.ports.video import Clipper, ExtraFrameReader, Fetcher, Framer, FrameReader, PictureReader, Plotter


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """Where things are kept."""

    library: Library
    ledger: Ledger
    media: Media
    checkpoints: Checkpoints
    jobs: Jobs
    blobs: BlobCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Engines:
    """What is slow, or outside."""

    index: EmbeddingIndex
    encoder: Encoder
    fetcher: Fetcher
    reader: FrameReader
    extra_frames: ExtraFrameReader
    framer: Framer
    pictures: PictureReader
    clipper: Clipper
    plotter: Plotter
    watch: Watch
    priority: ForegroundPriority
    """The one that the engines heed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clocks:
    """What tells the time."""

    monotonic_s: Callable[[], float]
    unix_s: Callable[[], float]
    now: Callable[[], datetime]
    """The time of day where Keaton runs, with its zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an operator may choose."""

    sampling: Sampling
    indexing: IndexingLimits
    browsing: BrowsingLimits
    patience: RetryPolicy
    turns_a_minute: int
    """Of one person; 0 for any number."""
    videos_a_person: int
    """Waiting at once; 0 for any number."""
    channels_on: bool
    """Whether a channel that nobody switched is indexed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The core, put together."""

    conversation: Conversation
    channels: Channels
    runner: JobRunner
    forgetting: Forgetting
    indexer: Indexer
    renewal: Renewal
    inquiry: Inquiry
    examples: Examples
    searcher: Searcher
    answerer: Answerer
    refiner: Refiner
    background: Background


def assemble(
    storage: Storage,
    engines: Engines,
    clocks: Clocks,
    options: Options,
    judge_of: Callable[[Encoder, Background], Judge] = Judge,
) -> Core:
    """Return the core over these ports; refiner, renewal and runner are to be closed in the end, in this order.

    A measurement may bring another judge, to tell what verdicts cost.
    """
    library, media, encoder = storage.library, storage.media, engines.encoder
    watch, priority, most = engines.watch, engines.priority, options.browsing.moments
    background = Background(encoder, storage.blobs, captions())
    judge = judge_of(encoder, background)
    searcher = Searcher(library, encoder, options.sampling, engines.index, judge)
    extra = ExtraFrames(media, engines.extra_frames, encoder, searcher, priority)
    closer = CloseUp(media, engines.framer, encoder, background, judge, searcher)
    finder = BestFrameFinder(extra, priority.quiet_s)
    refiner = Refiner(library, encoder, searcher, extra, finder, closer, priority)
    examples = Examples(media, engines.pictures, encoder, searcher, extra, PICTURE_BYTES)
    inquiry = Inquiry(library, examples, clocks.now)

    runner = JobRunner(storage.jobs, library, media, options.patience, clocks.unix_s)
    forgetting = Forgetting(library, media, runner, storage.jobs)
    indexer = _indexer(storage, engines, options)
    renewal = Renewal(library, indexer, searcher, clocks.monotonic_s)

    rate_limit = RateLimit(options.turns_a_minute, clocks.monotonic_s, options.videos_a_person)
    answerer = Answerer(searcher, library, media, engines.reader, encoder, engines.plotter, extra, options.sampling)
    browser = Browser(
        library, media, answerer, engines.clipper, engines.plotter, rate_limit, options.browsing, refiner.is_checking
    )
    maker = AnswerMaker(library, searcher, browser, refiner, priority, watch, most)
    questions = Questions(inquiry, renewal, searcher, maker, encoder, rate_limit, priority)
    invitations = Invitations(storage.ledger, clocks.unix_s)
    presses = PressHandler(library, searcher, browser, refiner, questions, invitations, priority, most)
    posts = Posts(library, storage.ledger, encoder, engines.plotter, indexer, rate_limit, runner)
    channels = Channels(storage.ledger, library, encoder, on_by_default=options.channels_on)
    videos = VideoList(library)
    return Core(
        conversation=Conversation(posts, questions, presses, channels, forgetting, videos, runner, rate_limit, watch),
        channels=channels,
        runner=runner,
        forgetting=forgetting,
        indexer=indexer,
        renewal=renewal,
        inquiry=inquiry,
        examples=examples,
        searcher=searcher,
        answerer=answerer,
        refiner=refiner,
        background=background,
    )


def _indexer(storage: Storage, engines: Engines, options: Options) -> Indexer:
    return Indexer(
        storage.library,
        storage.media,
        engines.fetcher,
        engines.reader,
        engines.encoder,
        options.sampling,
        options.indexing,
        storage.checkpoints,
        engines.watch,
        engines.priority,
    )
