"""The engines with their threads and child processes, and loading the model.

torch is imported only when the model is needed: that takes seconds, and the page should not wait.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from bot.monitoring.metrics import Metrics
from bot.settings import GIGABYTE
from bot.wiring.model_watch import ModelStatus, ModelWatch
from core.app import Engines
from core.engines.clip import presets
from core.engines.clip.encoder import CarryingPool, RememberingEncoder, ThreadedEncoder
from core.engines.download.fetcher import ChildFetcher
from core.engines.index.index import VectorIndex
from core.engines.plot.plotter import MatplotlibPlotter
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildClipper, ChildFramer, ChildFrameReader, ChildPictureReader
from core.errors import UnknownModel, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AsyncExitStack

    from bot.settings import Settings
    from core.concurrency import ForegroundPriority
    from core.engines.clip.model import ClipModel
    from core.ports.index import EmbeddingStore
    from core.ports.metrics import Stage

_TEXTS_REMEMBERED = 4096
"""8 MB for vectors of 512."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenEngines(Engines):
    """The engines of a running product, each timed."""

    watch: Metrics
    model: ModelWatch
    priority: ForegroundPriority
    """Heeded by what nobody waits for."""
    decoders: ChildPool
    encoder: RememberingEncoder
    index: VectorIndex
    reader: ChildFrameReader
    extra_frames: ChildFrameReader
    framer: ChildFramer
    pictures: ChildPictureReader
    clipper: ChildClipper
    fetcher: ChildFetcher
    plotter: MatplotlibPlotter


@dataclass(frozen=True, slots=True)
class _Pools:
    """Threads that nobody waits for at the end: a model that loads for minutes cannot be interrupted."""

    stack: AsyncExitStack
    watch: Metrics

    def one(self, name: str, stage: Stage) -> CarryingPool:
        """Give a pool of one thread: torch itself spreads the work of each over the cores."""
        pool = CarryingPool(1, name, partial(self.watch.took, stage), time.monotonic)
        self.stack.callback(pool.shutdown, wait=False, cancel_futures=True)
        return pool


def open_engines(
    settings: Settings,
    store: EmbeddingStore,
    priority: ForegroundPriority,
    stack: AsyncExitStack,
    *,
    images_later: bool,
) -> OpenEngines:
    """Return the engines, which begin nothing by themselves, until the stack closes.

    With `images_later` the model's image tower is left alone until a picture comes.
    """
    watch, model = Metrics(), ModelWatch()
    decoders = ChildPool("core.engines.video.worker", forks=sys.platform == "linux", priority=priority)
    stack.push_async_callback(decoders.close)
    pools = _Pools(stack, watch)
    encoder = _encoder(pools, priority, partial(load_model, settings, model, images_later=images_later))
    plotter = MatplotlibPlotter(pools.one("draw", "plot"))
    index = _index(settings, store, pools)
    reader = ChildFrameReader(decoders, settings.video_limits, watch=watch)
    fetcher = ChildFetcher(settings.allowed_hosts, settings.fetch_limits, watch=watch)
    return OpenEngines(
        watch=watch,
        model=model,
        priority=priority,
        decoders=decoders,
        encoder=encoder,
        index=index,
        reader=reader,
        extra_frames=reader,
        framer=ChildFramer(reader),
        pictures=ChildPictureReader(reader),
        clipper=ChildClipper(reader),
        fetcher=fetcher,
        plotter=plotter,
    )


def _encoder(pools: _Pools, priority: ForegroundPriority, load: Callable[[], ClipModel]) -> RememberingEncoder:
    """Give the encoder, with a pool for videos alone: that one gives way to all others."""
    queries, videos = pools.one("compute", "compute"), pools.one("videos", "compute")
    threaded = ThreadedEncoder(load, queries, videos, priority, pools.watch)
    return RememberingEncoder(threaded, _TEXTS_REMEMBERED, pools.watch)


def _index(settings: Settings, store: EmbeddingStore, pools: _Pools) -> VectorIndex:
    pool = pools.one("looks", "scan")
    index = VectorIndex(store, pool, pools.watch, settings.embeddings_memory_gb * GIGABYTE)
    pools.stack.push_async_callback(index.close)
    return index


DEMO_FOLDER = Path(str(files("demo")))


def model_choice(settings: Settings) -> presets.ModelChoice:
    """Return the model that the settings name; raises UnknownModel."""
    return presets.choose(settings.model, DEMO_FOLDER / "model")


def model_names() -> dict[str, str]:
    """Return what there is to choose from by a short name, and what each is."""
    known = {name: preset.about for name, preset in presets.PRESETS.items()}
    return {**known, presets.DEMO: "the bundled toy, which knows only drawn scenes"}


def check_model(settings: Settings) -> None:
    """Raise UnknownModel where there is no such model, or no such folder."""
    from core.engines.clip.open_clip_models import check_name  # noqa: PLC0415 - see above

    choice = model_choice(settings)
    check_name(choice)
    if choice.folder is not None and not choice.folder.is_dir():
        raise UnknownModel(choice.preset, "there is no such folder")


def weights_here(settings: Settings) -> bool:
    """Tell whether nothing has to be downloaded from the hub; blocks for a moment. Raises UnknownModel."""
    from core.engines.clip.open_clip_models import hub_weights  # noqa: PLC0415 - see above

    weights = hub_weights(model_choice(settings))
    return weights is None or weights.here(settings.model_cache) is not None


def weights_begun(settings: Settings) -> tuple[int, int] | None:
    """Return how many bytes of the weights an unfinished download has brought, and of how many; None without one.

    Raises UnknownModel.
    """
    from core.engines.clip.open_clip_models import hub_weights  # noqa: PLC0415 - see above

    weights = hub_weights(model_choice(settings))
    return weights.begun(settings.model_cache) if weights else None


def hub_trouble(settings: Settings) -> str:
    """Return why the weights cannot be downloaded now, or ""; asks the hub. Raises UnknownModel."""
    from core.engines.clip.open_clip_models import hub_weights  # noqa: PLC0415 - see above

    weights = hub_weights(model_choice(settings))
    return weights.trouble() if weights else ""


def fetch_weights(settings: Settings, watch: ModelWatch) -> Path:
    """Download the model's weights, going on where an earlier download broke off; blocks. Return the file.

    Raises UnknownModel, WeightsUnavailable.
    """
    from core.engines.clip import open_clip_models  # noqa: PLC0415 - see above

    choice = model_choice(settings)
    path = open_clip_models.fetch(choice, settings.model_cache, watch.fetching)
    if choice.preset != presets.BASE and open_clip_models.needs_files(choice):
        open_clip_models.create_tokenizer(choice)
    watch.tell(ModelStatus("ready"))
    return path


def load_model(settings: Settings, watch: ModelWatch | None = None, *, images_later: bool = False) -> ClipModel:
    """Load the model on this thread; where nobody chose one and the hub cannot be reached, the demo model stands in.

    Raises UnknownModel, WeightsUnavailable, EncoderBroken, BadSetting.
    """
    told = watch or ModelWatch()
    told.tell(ModelStatus("loading"))
    try:
        model = _load(settings, model_choice(settings), told, images_later=images_later)
    except WeightsUnavailable as error:
        if not settings.may_try_demo:
            raise
        model = _load(settings, presets.choose(presets.DEMO, DEMO_FOLDER / "model"), told, images_later=images_later)
        told.tell(ModelStatus("trial", reason=error.reason))
    else:
        told.tell(ModelStatus("ready"))
    return model


def _load(settings: Settings, choice: presets.ModelChoice, told: ModelWatch, *, images_later: bool) -> ClipModel:
    from core.engines.clip import model as clip  # noqa: PLC0415 - see above

    options = clip.ClipOptions(
        choice,
        settings.device,
        settings.model_cache,
        settings.frame_area == "whole",
        settings.backend,
        converted_dir=(settings.model_cache or settings.data_dir) / "converted",
        images_later=images_later,
        report=told.fetching,
    )
    return clip.load(options)
