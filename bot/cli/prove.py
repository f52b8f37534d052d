"""`keaton prove`: the notebook's experiment beside Keaton's answers, on one video, in turns, with one model."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from bot.cli import output
from bot.cli.find import refined
from bot.cli.local import follow_model, local_scope
from bot.cli.proof import FoundFrame, PictureProof, Proof, QueryProof, Speed, apart, jpeg, summary
from bot.cli.proof_page import page
from bot.cli.terminal_words import told
from bot.wiring.app import open_core
from bot.wiring.diagnostics import describe_machine
from bot.wiring.engines import DEMO_FOLDER, fetch_weights, weights_here
from bot.wiring.model_watch import ModelWatch
from bot.wiring.notebook import open_notebook
from core.errors import AppError, WeightsUnavailable
from core.indexing.indexer import Downloads
from core.indexing.local_files import check
from core.links import is_link, meant_links
from core.model.events import Address, PictureFile
from core.model.query import Query
from core.model.reply import Progress
from core.model.requests import Poster
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from bot.settings import Settings
    from bot.wiring.app import Product
    from bot.wiring.notebook import LoopFrame, LoopRun, Notebook
    from core.model.reply import Theme
    from core.model.results import Moment, Verdict
    from core.model.video import Floats, FrameIndex

MODEL = "openai"
VIDEO = "https://www.youtube.com/watch?v=frYIj2FGmMA"
QUERIES = (
    "A man hanging from a boom barrier",
    "A man sitting on the front of a train",
    "A woman in water",
    "A man on a collapsing car",
    "A woman and man hanging in front of a waterfall",
)
LABELS = ("dog", "cat", "red green yellow")
DEMO = "demo"
DEMO_QUERIES = 5
DEMO_TITLE = "Keaton's demo video"
_MOMENTS, _COMPARED, _PLOT_PX = 5, 24, 1280
_SCOPE = local_scope("proof")


@dataclass(frozen=True, slots=True)
class ProveWish:
    """What `keaton prove` was asked for."""

    source: str | None
    queries: tuple[str, ...]
    labels: tuple[str, ...]
    full: bool
    frames: int
    turns: int
    model: str | None
    picture: Path | None
    out: Path

    @classmethod
    def of(cls, source: str | None, queries: Path | None, labels: Sequence[str], **how: object) -> ProveWish:
        """Read the file of queries; mend a link with a slip; raises BadParameter without a query."""
        try:
            lines = queries.read_text(encoding="utf-8-sig").splitlines() if queries else []
        except UnicodeDecodeError as error:
            raise click.BadParameter(f"{queries} is no text in UTF-8.", param_hint="--queries") from error
        texts = tuple(line.strip() for line in lines if line.strip())
        if queries and not texts:
            raise click.BadParameter(f"{queries} holds no query.", param_hint="--queries")
        if source and not Path(source).exists():
            source = next(iter(meant_links(source)), source)
        return cls(source, texts, tuple(labels), **how)  # type: ignore[arg-type] # click has checked their types


@dataclass(frozen=True, slots=True)
class _Ground:
    """What both are tried on."""

    settings: Settings
    notebook: Notebook
    video: Path
    title: str
    source: str
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """What Keaton answered to one query."""

    moment: Moment
    verdict: Verdict | None
    plots: Mapping[Theme, bytes]
    seconds: float


@dataclass(frozen=True, slots=True)
class _Turn:
    """How Keaton indexed the video in one turn."""

    seconds: float
    frames: int
    duration_s: float
    model: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What Keaton found."""

    answers: tuple[_Answer, ...]
    index: FrameIndex
    shares: tuple[float, ...]
    """Of the picture, if there is one."""


async def prove(settings: Settings, wish: ProveWish) -> int:
    """Compare, print a summary, write the page and the figures; return 1 where the loop found a better frame."""
    output.prepare(wish.out)
    with tempfile.TemporaryDirectory(prefix="keaton-prove-") as home:
        proof = await _compare(await _ground(settings, wish, Path(home)), wish)
    for line in summary(proof):
        click.echo(line)
    figures = json.dumps(proof.document(), indent=2, ensure_ascii=False) + "\n"
    for name, text in (("proof.html", page(proof)), ("proof.json", figures)):
        output.save(wish.out / name, text.encode())
        click.echo(str(wish.out / name))
    return 1 if proof.worse else 0


async def _ground(settings: Settings, wish: ProveWish, home: Path) -> _Ground:
    """Load the model and fetch the video; with nothing named and no way to the weights, these are the demo's."""
    chosen = _with_model(settings, wish.model or settings.model_name or MODEL, home)
    if wish.source and not is_link(wish.source):
        await _named(wish.source, chosen)  # before the model is downloaded
    try:
        notebook = await _loaded(chosen)
    except WeightsUnavailable as error:
        if wish.model or settings.model_name or wish.source:
            raise
        click.echo(f"{told(error)}\nSo this compares on the demo video, with the demo model.", err=True)
        chosen = _with_model(settings, DEMO, home)
        notebook = await _loaded(chosen)
    is_demo = chosen.model == DEMO
    source = wish.source or (str(DEMO_FOLDER / "film.mp4") if is_demo else VIDEO)
    queries = wish.queries or (_demo_queries() if is_demo else QUERIES)
    try:
        path, title = await _fetched(chosen, source, home) if is_link(source) else await _named(source, chosen)
    except AppError:
        if not wish.source:
            click.echo("If you have the video as a file, name it: keaton prove FILE", err=True)
        raise
    title = title if wish.source or not is_demo else DEMO_TITLE
    return _Ground(chosen, notebook, path, title, source, queries)


def _with_model(settings: Settings, model: str, home: Path) -> Settings:
    return settings.model_copy(update={"model_name": model, "data_dir": home / "data"})


async def _loaded(settings: Settings) -> Notebook:
    watch = ModelWatch()
    with output.progress_bar("The notebook") as report:
        following = asyncio.create_task(follow_model(watch, report))
        try:
            if not await asyncio.to_thread(weights_here, settings):
                await asyncio.to_thread(fetch_weights, settings, watch)
            report(Progress("loading", None))
            return await asyncio.to_thread(open_notebook, settings)
        finally:
            following.cancel()


def _demo_queries() -> tuple[str, ...]:
    """Return the first query of some scenes of the demo video, spread over it."""
    scenes = json.loads((DEMO_FOLDER / "film.json").read_text(encoding="utf-8"))["scenes"]
    step = max(1, len(scenes) // DEMO_QUERIES)
    return tuple(scene["queries"][0] for scene in scenes[::step][:DEMO_QUERIES])


async def _fetched(settings: Settings, link: str, home: Path) -> tuple[Path, str]:
    folder = home / "video"
    folder.mkdir()
    async with open_core(settings) as core:
        with output.progress_bar(link) as report:
            fetched = await Downloads(core.engines.fetcher).video(Address(link), report, folder)
    return fetched.path, fetched.title


async def _named(source: str, settings: Settings) -> tuple[Path, str]:
    path = Path(source)
    await asyncio.to_thread(check, path, path.name, settings.fetch_limit_bytes)
    return path, path.stem


async def _compare(ground: _Ground, wish: ProveWish) -> Proof:
    """Let both take turns, then compare what they found."""
    count = await asyncio.to_thread(ground.notebook.frames_in, ground.video)
    every = 1 if wish.full else max(1, -(-count // wish.frames))
    runs: list[LoopRun] = []
    turns: list[_Turn] = []
    for turn in range(wish.turns):
        runs.append(await _loop(ground, every, (every * turn) % max(1, count), turn, wish))
        async with _opened(ground, turn) as core:
            turns.append(await _indexed(core, ground, turn))
            found = await _found(core, ground, wish) if turn == wish.turns - 1 else None
    if found is None:
        raise ValueError("there is at least one turn")
    last = turns[-1]
    loop_s, keaton_s = tuple(run.whole_video_s for run in runs), tuple(turn.seconds for turn in turns)
    encoded = sum(len(run.vectors) for run in runs)
    queries, differences = await _side_by_side(ground, runs, found)
    return Proof(
        ground.title,
        ground.source,
        last.duration_s,
        last.model,
        queries,
        Speed(loop_s, keaton_s, encoded, max(run.frames_in_video for run in runs), last.frames),
        differences,
        await _picture(ground, wish, found.shares),
        describe_machine(),
        datetime.now().astimezone().isoformat(timespec="seconds"),
    )


async def _loop(ground: _Ground, every: int, first: int, turn: int, wish: ProveWish) -> LoopRun:
    """Run the published loop over this turn's part of its frames from the first on, spread over the video."""
    with output.progress_bar(f"The notebook, turn {turn + 1}") as report:
        return await asyncio.to_thread(
            ground.notebook.run,
            ground.video,
            every=every * wish.turns,
            first=first,
            colours_right=True,
            told=_in_loop(asyncio.get_running_loop(), lambda share: report(Progress("looking", share))),
        )


def _in_loop(loop: asyncio.AbstractEventLoop, report: Callable[[float], None]) -> Callable[[float], None]:
    """Return what another thread can report to."""

    def told(share: float) -> None:
        loop.call_soon_threadsafe(report, share)

    return told


def _opened(ground: _Ground, turn: int) -> AbstractAsyncContextManager[Product]:
    """Return Keaton over a library of its own for each turn, since a video that is known is not indexed again."""
    return open_core(ground.settings.model_copy(update={"data_dir": ground.settings.data_dir / str(turn)}))


async def _indexed(core: Product, ground: _Ground, turn: int) -> _Turn:
    """Index the video with a model that stands ready, as the loop's does."""
    info = await core.warm()
    size = info.preprocess.size_px
    await core.engines.encoder.images(np.zeros((16, size, size, 3), np.uint8))
    poster = Poster(_SCOPE, "you", "you", "")
    with output.progress_bar(f"Keaton, turn {turn + 1}") as report:
        began_s = time.perf_counter()
        done = await core.parts.indexer.file(ground.video, ground.video.name, "", poster, report)
        taken_s = time.perf_counter() - began_s
    model = f"{info.model} ({info.weights}), {info.precision} on {info.device}"
    return _Turn(taken_s, done.frames, done.video.duration_s, model)


async def _found(core: Product, ground: _Ground, wish: ProveWish) -> _Found:
    answers = [await _asked(core, text) for text in ground.queries]
    index = await core.parts.searcher.index(View.of(_SCOPE), answers[0].moment.video_id)
    if index is None:
        raise RuntimeError("the video was indexed a moment ago")
    return _Found(tuple(answers), index, await _shares(core, wish))


async def _asked(core: Product, text: str) -> _Answer:
    """Ask as people do; then have the best frame refined, as an answer is after it was shown."""
    query = Query(text, View.of(_SCOPE))
    began_s = time.perf_counter()
    result = await core.parts.searcher.search(query, _MOMENTS)
    seconds = time.perf_counter() - began_s
    result = await refined(core, result)
    shown = await core.parts.answerer.show(
        query, result.moments, 1, "similarity", ("light", "dark"), _PLOT_PX, result.curve, with_still=False
    )
    return _Answer(result.best, result.verdict, shown.plots, seconds)


async def _shares(core: Product, wish: ProveWish) -> tuple[float, ...]:
    if wish.picture is None:
        return ()
    path = wish.picture

    async def read(_limit_bytes: int) -> bytes:
        return await asyncio.to_thread(path.read_bytes)

    example = await core.parts.examples.of(PictureFile(path.name, read))
    texts = await core.engines.encoder.texts(list(wish.labels or LABELS))
    logits = (await core.engines.encoder.ready()).logit_scale * (texts @ example.vector)
    shares = np.exp(logits - logits.max())
    return tuple((shares / shares.sum()).tolist())


async def _side_by_side(
    ground: _Ground, runs: Sequence[LoopRun], ours: _Found
) -> tuple[tuple[QueryProof, ...], tuple[float, ...]]:
    """Cut the frames that both found out of the video in one reading, and give each the loop's own score."""
    vectors, times_s = np.concatenate([run.vectors for run in runs]), np.concatenate([run.times_s for run in runs])
    texts = await asyncio.to_thread(ground.notebook.texts, ground.queries)
    scores = texts @ vectors.T
    best = scores.argmax(axis=1)
    theirs_s = [float(times_s[place]) for place in best]
    ours_s = [answer.moment.peak_s for answer in ours.answers]
    sampled_s, sampled = _some(ours.index)
    frames = await asyncio.to_thread(ground.notebook.at, ground.video, [*theirs_s, *ours_s, *sampled_s])
    count = len(ground.queries)
    queries = [
        QueryProof(
            text,
            _best(frames[place], float(scores[place].max()), texts[place]),
            _best(frames[count + place], answer.moment.score, texts[place]),
            answer.verdict,
            answer.plots,
            answer.seconds,
        )
        for place, (text, answer) in enumerate(zip(ground.queries, ours.answers, strict=True))
    ]
    again = frames[2 * count :]
    return tuple(queries), apart(sampled, np.stack([frame.vector for frame in again]))


def _best(frame: LoopFrame, said: float, text: Floats) -> FoundFrame:
    return FoundFrame(frame.time_s, said, float(frame.vector @ text), jpeg(frame.pixels))


def _some(index: FrameIndex) -> tuple[list[float], Floats]:
    """Return times and vectors of some sampled frames, spread over the video."""
    places = np.unique(np.linspace(0, len(index) - 1, min(_COMPARED, len(index))).astype(int))
    rows = index.vectors[places].astype(np.float32)
    return index.times_s[places].tolist(), rows / np.linalg.norm(rows, axis=1, keepdims=True)


async def _picture(ground: _Ground, wish: ProveWish, shares: tuple[float, ...]) -> PictureProof | None:
    if wish.picture is None:
        return None
    path, texts = wish.picture, wish.labels or LABELS
    seen = await asyncio.to_thread(ground.notebook.picture, path)
    theirs = await asyncio.to_thread(ground.notebook.shares, seen.vector, texts)
    return PictureProof(path.name, jpeg(seen.pixels), texts, tuple(theirs), shares)
