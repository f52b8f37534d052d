"""Each command but `run`, `export`'s files and `doctor`: its steps and its exit code."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bot.cli import output
from bot.cli.exporter import Exporter
from bot.doors.requests import RequestLog
from bot.settings import misspelt, outdated, retired
from bot.web.config import DOOR
from bot.wiring.app import open_core
from core.answers.card import cut_name, size
from core.conversation.commands import find as read_question
from core.errors import AppError, OperatorError, VideoGone, called
from core.formatting import clock, one_line
from core.indexing.local_files import check
from core.indexing.local_files import read as read_file
from core.links import is_link, meant_links
from core.model.events import Door, FilePosted, LinkPosted, PictureFile, Turn
from core.model.reply import Progress
from core.model.requests import MessageKey, Poster
from core.model.video import Scope, View
from core.ports.retention import choose
from core.ports.video import ClipWish
from core.refinement.close_up import seen_closer
from core.retention import forget as take_back
from core.search.resolve import names, pick
from core.wording.errors import sentence
from core.wording.replies import TRIAL_COMMAND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.settings import Settings
    from bot.wiring.app import Product
    from core.jobs import Work
    from core.model.answer import AnswerView
    from core.model.events import Find
    from core.model.query import Query
    from core.model.reply import PlotStyle, Theme
    from core.model.results import SearchResult
    from core.model.video import Indexed, Video
    from core.ports.video import Clip

CHANNEL = "main"


BUG = "Something broke while I read that. KEATON_LOG_LEVEL=debug shows where."


OPERATOR = "operator"


_FRAME_PX = 4096


logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FindWish:
    """What `keaton find` was asked for."""

    text: str
    video: str | None
    top: int
    out: Path | None
    style: PlotStyle
    theme: Theme
    picture: Path | None


def local_scope(space: str) -> Scope:
    """Give the channel that the command line shares with the local chat."""
    return Scope("local", space, CHANNEL)


def tell_misspelt(settings: Settings, say: Callable[[str], None]) -> None:
    """Say which settings do not exist or no longer do, and which are set under an old name."""
    for name, nearest in misspelt(settings):
        say(f"{name} is no setting, so it does nothing.{f' Did you mean {nearest}?' if nearest else ''}")
    for name, why in retired(settings):
        say(f"{name} is no setting any more, so it does nothing: {why}.")
    for old, new in outdated(settings):
        say(f"{old} is called {new} now. The old name still works.")


def tell_trial(settings: Settings) -> None:
    """Say on stderr that this is the demo model, where nobody has chosen another."""
    if settings.trial:
        click.echo(TRIAL_COMMAND, err=True)


async def index(settings: Settings, sources: Sequence[str], space: str, *, as_json: bool) -> int:
    """Take videos in one after the other; one that fails does not stop the rest. Give the exit code."""
    done: list[Indexed] = []
    failed: list[tuple[str, str]] = []
    code = 0
    async with open_core(settings) as core:
        for source in sources:
            try:
                done.append(await _take_in(core, source, space))
            except Exception as error:
                if not isinstance(error, AppError):
                    logger.exception("a source could not be taken in")
                failed.append((one_line(source), sentence(error) if isinstance(error, AppError) else BUG))
                code = max(code, _code(error))
                click.echo(": ".join(failed[-1]), err=True)
    output.indexed(done, failed, as_json=as_json)
    return code


async def _take_in(core: Product, source: str, space: str) -> Indexed:
    """Take one video in; what dies meanwhile is taken up by the next `keaton run`, what is interrupted is not."""
    if not await asyncio.to_thread(os.path.lexists, source):
        source = next(iter(meant_links(source)), source)
    if not is_link(source):
        await asyncio.to_thread(check, Path(source), _name(source), core.parts.indexer.file_bytes)
    await _load(core, one_line(source))
    scope, requests = local_scope(space), RequestLog(core.parts.foreman, core.kept.ledger)
    turn = Turn(DOOR, scope, View.of(scope), OPERATOR, "you", "")
    event = LinkPosted(turn, source) if is_link(source) else FilePosted(turn, _absolute(source), _name(source))
    taken = await requests.take(MessageKey(scope, "", f"command:{secrets.token_hex(8)}"), event)
    if taken is None:
        raise RuntimeError("a request of our own was taken up before")
    work = _work(core, source, Poster(scope, OPERATOR, "you", "", job=taken.job))
    try:
        with output.progress_bar(one_line(source)) as report:
            return await core.parts.foreman.carry_out(taken.job, work, report)
    except asyncio.CancelledError:
        await asyncio.shield(requests.drop(taken.job))
        raise
    except Exception as error:
        await core.parts.foreman.fail(taken.job, error)
        raise
    finally:
        await requests.end(taken)


def _name(source: str) -> str:
    """Return a file's name as text, whatever bytes it is made of."""
    return one_line(Path(source).name)


def _absolute(source: str) -> Path:
    """Give a path that a later run understands, wherever it is started."""
    return Path(source).absolute()


def _work(core: Product, source: str, poster: Poster) -> Work:
    if is_link(source):
        return lambda report: core.parts.indexer.link(source, poster, report)
    return lambda report: core.parts.indexer.file(Path(source), _name(source), "", poster, report)


async def _load(core: Product, label: str) -> None:
    with output.progress_bar(label) as report:
        report(Progress("loading", None))
        await core.engines.encoder.ready()


async def find(settings: Settings, wish: FindWish, space: str, *, as_json: bool) -> int:
    """Search, draw the best moment where a folder is named, and print. Give the exit code."""
    if wish.out:
        output.prepare(wish.out)
    async with open_core(settings) as core:
        await _load(core, wish.text)
        picture = await core.parts.examples.of(_picture(wish.picture)) if wish.picture else None
        query = await core.parts.inquiry.query(_question(wish, space), picture)
        await _renew(core, query)
        result = await _refined(core, await core.parts.searcher.search(query, wish.top))
        shown = await _draw(core, result, wish) if wish.out else None
        info = await core.engines.encoder.ready()
        called = names(await core.kept.library.videos(query.view))
    files = output.write(shown, wish.out) if shown and wish.out else output.AnswerFiles(None, None, None)
    output.found(result, files, info.logit_scale, called, as_json=as_json)
    return 0


def _picture(path: Path) -> PictureFile:
    async def read(limit_bytes: int) -> bytes:
        return await asyncio.to_thread(read_file, path, path.name, limit_bytes)

    return PictureFile(path.name, read)


def _question(wish: FindWish, space: str) -> Find:
    """Give what was asked as the chat would have it, filters and all; an option counts before a filter."""
    scope = local_scope(space)
    turn = Turn(Door("local", (wish.theme,), 0), scope, View.of(scope), OPERATOR, "you", "")
    asked = read_question(turn, wish.text)
    return replace(asked, video=wish.video or asked.video)


async def _refined(core: Product, result: SearchResult) -> SearchResult:
    """Look between the looks of the index, and closer: here nobody waits for a first answer."""
    best, *rest = await core.parts.refiner.leading(result.query, result.moments, result.curve)
    best = await core.parts.refiner.closer(result.query, best, result.curve)
    others = list(await core.parts.refiner.moments(result.query, rest))
    curve = result.curve
    if result.query.asked.form == "one":
        best, *others = sorted((best, *others), key=lambda one: (one.video_id in result.absent, -one.score))
        if best.video_id != curve.video.id:
            curve = await core.parts.searcher.curve(result.query, best.video_id) or curve
    curve = seen_closer(curve, [best], await core.engines.encoder.ready())
    return replace(result, moments=(best, *others), curve=curve)


async def _renew(core: Product, query: Query) -> None:
    """Look anew at videos that only another model has looked at; say which could not be."""
    for posted in await core.parts.renewal.stale(query):
        try:
            with output.progress_bar(f"{posted.video.title} (new model)") as report:
                await core.parts.indexer.again(posted, report)
        except AppError as error:
            click.echo(f"{posted.video.title} is left out: {sentence(error)}", err=True)


async def _draw(core: Product, result: SearchResult, wish: FindWish) -> AnswerView:
    return await core.parts.answerer.show(
        result.query, result.moments, 1, wish.style, (wish.theme,), _FRAME_PX, result.curve
    )


async def videos(settings: Settings, space: str, *, as_json: bool) -> int:
    """List the videos. Give the exit code."""
    async with open_core(settings) as core:
        output.listed(await core.kept.library.videos(View.of(local_scope(space))), as_json=as_json)
    return 0


async def forget(settings: Settings, name: str, space: str) -> int:
    """Take a video back. Give the exit code."""
    view = View.of(local_scope(space))
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(view), name).video
        await take_back(core.kept.library, core.parts.foreman, video.id, view)
    output.forgotten(video)
    return 0


async def spaces(settings: Settings, *, as_json: bool) -> int:
    """List the spaces that videos are known from. Give the exit code."""
    async with open_core(settings) as core:
        output.spaces(await core.kept.archive.holdings(), as_json=as_json)
    return 0


async def export(settings: Settings, name: str, platform: str | None, out: Path) -> int:
    """Write all that is kept of a space into a folder. Give the exit code."""
    async with open_core(settings) as core:
        space = choose(await core.kept.archive.holdings(), name, platform)
        count = await Exporter(core.kept.archive, core.kept.library, core.kept.media, out).export(space)
    click.echo(f"{count} videos of {space.platform} {space.name} are in {out}.", err=True)
    return 0


def _code(error: Exception) -> int:
    return 1 if isinstance(error, AppError) and not isinstance(error, OperatorError) else 3


_MOST_BYTES = 200_000_000


_MOST_PX = 4096


_GIF_PX, _GIF_FPS = 480, 12.0


_MOST_FPS = 60.0


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """What `keaton clip` was asked for."""

    video: str
    start_s: float
    end_s: float
    out: Path | None


async def clip(settings: Settings, order: ClipOrder, space: str) -> int:
    """Write a stretch of a video as MP4 or GIF, exactly from frame to frame. Give the exit code."""
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(View.of(local_scope(space))), order.video).video
        order = _within(order, video)
        made = await _made(core, video, order)
    path = order.out or Path(cut_name(video.title, order.start_s, order.end_s))
    output.save(path, made.data)
    click.echo(f"{path}: {made.width_px} x {made.height_px} px, {size(len(made.data))}")
    return 0


async def sheet(settings: Settings, name: str, tiles: int, out: Path, space: str) -> int:
    """Write the contact sheet of a whole video. Give the exit code."""
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(View.of(local_scope(space))), name).video
        thumbnails = await core.kept.library.thumbnails(video.id)
        if not thumbnails:
            raise VideoGone(video.title)
        jpeg = await core.engines.plotter.sheet(thumbnails, (), tiles)
    output.save(out, jpeg)
    click.echo(str(out))
    return 0


def _within(order: ClipOrder, video: Video) -> ClipOrder:
    """End an order with its video; raises BadParameter where it begins after that."""
    if order.start_s >= video.duration_s:
        raise click.BadParameter(f"{video.title} is {clock(video.duration_s)} long.", param_hint="--from")
    return replace(order, end_s=min(order.end_s, video.duration_s))


async def _made(core: Product, video: Video, order: ClipOrder) -> Clip:
    path = await core.kept.media.path(video.id)
    if path is None:
        raise VideoGone(video.title)
    with called(video.title), output.progress_bar(video.title) as report:
        return await core.engines.clipper.clip(path, _wish(order), lambda share: report(Progress("cutting", share)))


def _wish(order: ClipOrder) -> ClipWish:
    form: Literal["mp4", "gif"] = "gif" if order.out and order.out.suffix.lower() == ".gif" else "mp4"
    max_px, max_fps = (_GIF_PX, _GIF_FPS) if form == "gif" else (_MOST_PX, _MOST_FPS)
    return ClipWish(order.start_s, order.end_s, form, max_px, max_fps, _MOST_BYTES, sound=form == "mp4")
