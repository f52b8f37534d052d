"""Assembles the core: which part works with which, for the product and for tests alike.

What stands behind the ports is chosen by the caller (`bot.wiring`, or a test).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.answers.browser import Browser
from core.answers.presses import Presser
from core.answers.view import Answerer
from core.conversation.channels import Channels, Invitations
from core.conversation.conversation import MOST_MOMENTS, Conversation
from core.indexing.indexer import Indexer
from core.indexing.intake import Intake
from core.indexing.reindex import Renewal
from core.jobs import JobRunner
from core.limits import PICTURE_BYTES
from core.rate_limit import RateLimit
from core.refinement.best_frame import BestFrameFinder
from core.refinement.close_up import CloserLook
from core.refinement.extra_frames import Examples, ExtraFrames
from core.refinement.refiner import Refiner
from core.retention import Forgetting
from core.search.judge import Background, Judge, captions
from core.search.resolve import Inquiry
from core.search.searcher import Searcher
from core.wording.lists import VideoList

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from core.concurrency import ForegroundPriority
    from core.jobs import RetryPolicy
    from core.limits import BrowsingLimits, IndexingLimits
    from core.model.video import Sampling
    from core.ports.index import Looks
    from core.ports.jobs import Checkpoints, Jobs, Ledger
    from core.ports.library import BlobCache, Encoder, Library, Media
    from core.ports.metrics import Watch
    from core.ports.video import Clipper, Fetcher, Framer, FrameReader, Glancer, PictureReader, Plotter


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What stands behind each port."""

    library: Library
    ledger: Ledger
    media: Media
    works: Checkpoints
    jobs: Jobs
    keepsakes: BlobCache
    looks: Looks
    encoder: Encoder
    fetcher: Fetcher
    reader: FrameReader
    glancer: Glancer
    framer: Framer
    pictures: PictureReader
    clipper: Clipper
    plotter: Plotter
    watch: Watch
    courtesy: ForegroundPriority
    """The one that the engines heed."""
    clock_s: Callable[[], float]
    """Seconds that never go back."""
    time_s: Callable[[], float]
    """Unix seconds."""
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
    """Whether a channel that nobody switched is looked at."""


@dataclass(frozen=True, slots=True)
class Core:
    """The core, put together."""

    conversation: Conversation
    channels: Channels
    foreman: JobRunner
    indexer: Indexer
    renewal: Renewal
    inquiry: Inquiry
    examples: Examples
    searcher: Searcher
    answerer: Answerer
    refiner: Refiner
    background: Background


@dataclass(frozen=True, slots=True)
class _Finding:
    """What answers questions, and what makes its answers better later."""

    inquiry: Inquiry
    examples: Examples
    searcher: Searcher
    answerer: Answerer
    refiner: Refiner
    background: Background


@dataclass(frozen=True, slots=True)
class _Intake:
    """What takes videos in."""

    cooldown: RateLimit
    indexer: Indexer
    foreman: JobRunner
    channels: Channels


def assemble(ports: Ports, choices: Options) -> Core:
    """Give the core over these ports; refiner, renewal and foreman are to be closed in the end, in this order."""
    finding, intake = _finding(ports, choices), _intake(ports, choices)
    renewal = Renewal(ports.library, intake.indexer, finding.searcher, ports.clock_s)
    return Core(
        _conversation(ports, choices, finding, intake, renewal),
        intake.channels,
        intake.foreman,
        intake.indexer,
        renewal,
        finding.inquiry,
        finding.examples,
        finding.searcher,
        finding.answerer,
        finding.refiner,
        finding.background,
    )


def _finding(ports: Ports, choices: Options) -> _Finding:
    background = Background(ports.encoder, ports.keepsakes, captions())
    judge = Judge(ports.encoder, background)
    searcher = Searcher(ports.library, ports.encoder, choices.sampling, ports.looks, judge)
    closer = CloserLook(ports.media, ports.framer, ports.encoder, background, judge, searcher)
    glances = ExtraFrames(ports.media, ports.glancer, ports.encoder, searcher, ports.courtesy)
    return _Finding(
        Inquiry(ports.library, ports.now),
        Examples(ports.media, ports.pictures, ports.encoder, searcher, glances, PICTURE_BYTES),
        searcher,
        Answerer(
            searcher, ports.library, ports.media, ports.reader, ports.encoder, ports.plotter, glances, choices.sampling
        ),
        _refiner(ports, searcher, glances, closer),
        background,
    )


def _refiner(ports: Ports, searcher: Searcher, glances: ExtraFrames, closer: CloserLook) -> Refiner:
    courtesy = ports.courtesy
    hunter = BestFrameFinder(glances, courtesy.quiet_s)
    return Refiner(ports.library, ports.encoder, searcher, glances, hunter, closer, courtesy)


def _intake(ports: Ports, choices: Options) -> _Intake:
    library, media = ports.library, ports.media
    cooldown = RateLimit(choices.turns_a_minute, ports.clock_s, choices.videos_a_person)
    foreman = JobRunner(ports.jobs, library, media, choices.patience, ports.time_s)
    channels = Channels(ports.ledger, library, media, ports.encoder, foreman, on_by_default=choices.channels_on)
    return _Intake(cooldown, _indexer(ports, choices), foreman, channels)


def _indexer(ports: Ports, choices: Options) -> Indexer:
    return Indexer(
        ports.library,
        ports.media,
        ports.fetcher,
        ports.reader,
        ports.encoder,
        choices.sampling,
        choices.indexing,
        ports.works,
        ports.watch,
        ports.courtesy,
    )


def _conversation(ports: Ports, choices: Options, finding: _Finding, intake: _Intake, renewal: Renewal) -> Conversation:
    library, media, cooldown, searcher = ports.library, ports.media, intake.cooldown, finding.searcher
    limits, is_checking = choices.browsing, finding.refiner.is_checking
    browser = Browser(library, media, finding.answerer, ports.clipper, ports.plotter, cooldown, limits, is_checking)
    return Conversation(
        library,
        Forgetting(library, intake.foreman, ports.jobs),
        ports.encoder,
        Intake(library, ports.encoder, ports.plotter, intake.indexer, cooldown, intake.foreman),
        searcher,
        browser,
        intake.channels,
        cooldown,
        renewal,
        intake.foreman,
        examples=finding.examples,
        inquiry=finding.inquiry,
        presser=Presser(library, searcher, browser, finding.refiner, finding.examples, MOST_MOMENTS),
        watch=ports.watch,
        refiner=finding.refiner,
        courtesy=ports.courtesy,
        invitations=Invitations(ports.ledger, ports.time_s),
        catalogue=VideoList(library),
    )
