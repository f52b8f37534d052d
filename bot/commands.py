"""The commands of the command line, but for `run` and `doctor`. Owns their course; `bot.printing` owns their looks."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import printing
from bot.exporting import Exporter
from bot.requests import Requests
from bot.settings import misspelt
from bot.web.config import DOOR
from bot.wiring.product import open_core
from core.archive import choose
from core.closer import seen_closer
from core.commands import find as read_question
from core.errors import AppError, OperatorError
from core.forgetting import forget as take_back
from core.intake import Poster
from core.ledger import Errand
from core.links import is_link
from core.local_files import check
from core.local_files import read as read_file
from core.model import Scope, View
from core.naming import names, pick
from core.replies import TRIAL_COMMAND
from core.sentences import sentence
from core.shown import Progress
from core.talk import Door, FilePosted, LinkPosted, PictureFile, Turn
from core.words import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import Settings
    from bot.wiring.product import Core
    from core.answering import Shown
    from core.foreman import Work
    from core.found import Query, SearchResult
    from core.intake import Indexed
    from core.plot_ports import PlotStyle, Theme
    from core.talk import Find

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


def tell_misspelt(settings: Settings) -> None:
    """Say on stderr which settings do not exist."""
    for name, nearest in misspelt(settings):
        click.echo(
            f"{name} is no setting, so it does nothing.{f' Did you mean {nearest}?' if nearest else ''}", err=True
        )


def tell_trial(settings: Settings) -> None:
    """Say on stderr that this is the demo model, where nobody has chosen another."""
    if settings.trial:
        click.echo(TRIAL_COMMAND, err=True)


async def index(settings: Settings, sources: Sequence[str], space: str, *, as_json: bool) -> int:
    """Take films in one after the other; one that fails does not stop the rest. Give the exit code."""
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
    printing.indexed(done, failed, as_json=as_json)
    return code


async def _take_in(core: Core, source: str, space: str) -> Indexed:
    """Take one film in; what dies meanwhile is taken up by the next `keaton run`, what is interrupted is not."""
    if not is_link(source):
        await asyncio.to_thread(check, Path(source), _name(source), core.parts.indexer.file_bytes)
    await _load(core, one_line(source))
    scope, requests = local_scope(space), Requests(core.parts.foreman, core.kept.ledger)
    turn = Turn(DOOR, scope, View.of(scope), OPERATOR, "you", "")
    event = LinkPosted(turn, source) if is_link(source) else FilePosted(turn, _absolute(source), _name(source))
    taken = await requests.take(Errand(scope, "", f"command:{secrets.token_hex(8)}"), event)
    if taken is None:
        raise RuntimeError("a request of our own was taken up before")
    work = _work(core, source, Poster(scope, OPERATOR, "you", "", job=taken.job))
    try:
        with printing.progress_bar(one_line(source)) as report:
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


def _work(core: Core, source: str, poster: Poster) -> Work:
    if is_link(source):
        return lambda report: core.parts.indexer.link(source, poster, report)
    return lambda report: core.parts.indexer.file(Path(source), _name(source), "", poster, report)


async def _load(core: Core, label: str) -> None:
    with printing.progress_bar(label) as report:
        report(Progress("loading", None))
        await core.engines.encoder.ready()


async def find(settings: Settings, wish: FindWish, space: str, *, as_json: bool) -> int:
    """Search, draw the best moment where a folder is named, and print. Give the exit code."""
    if wish.out:
        printing.prepare(wish.out)
    async with open_core(settings) as core:
        await _load(core, wish.text)
        picture = await core.parts.examples.of(_picture(wish.picture)) if wish.picture else None
        query = await core.parts.inquiry.query(_question(wish, space), picture)
        await _renew(core, query)
        result = await _refined(core, await core.parts.searcher.search(query, wish.top))
        shown = await _draw(core, result, wish) if wish.out else None
        info = await core.engines.encoder.ready()
        called = names(await core.kept.library.videos(query.view))
    files = printing.write(shown, wish.out) if shown and wish.out else printing.Files(None, None, None)
    printing.found(result, files, info.logit_scale, called, as_json=as_json)
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


async def _refined(core: Core, result: SearchResult) -> SearchResult:
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


async def _renew(core: Core, query: Query) -> None:
    """Look anew at films that only another model has looked at; say which could not be."""
    for posted in await core.parts.renewal.stale(query):
        try:
            with printing.progress_bar(f"{posted.video.title} (new model)") as report:
                await core.parts.indexer.again(posted, report)
        except AppError as error:
            click.echo(f"{posted.video.title} is left out: {sentence(error)}", err=True)


async def _draw(core: Core, result: SearchResult, wish: FindWish) -> Shown:
    return await core.parts.answerer.show(
        result.query, result.moments, 1, wish.style, (wish.theme,), _FRAME_PX, result.curve
    )


async def videos(settings: Settings, space: str, *, as_json: bool) -> int:
    """List the films. Give the exit code."""
    async with open_core(settings) as core:
        printing.listed(await core.kept.library.videos(View.of(local_scope(space))), as_json=as_json)
    return 0


async def forget(settings: Settings, name: str, space: str) -> int:
    """Take a film back. Give the exit code."""
    view = View.of(local_scope(space))
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(view), name).video
        await take_back(core.kept.library, core.parts.foreman, video.id, view)
    printing.forgotten(video)
    return 0


async def spaces(settings: Settings, *, as_json: bool) -> int:
    """List the spaces that films are known from. Give the exit code."""
    async with open_core(settings) as core:
        printing.spaces(await core.kept.archive.holdings(), as_json=as_json)
    return 0


async def export(settings: Settings, name: str, platform: str | None, out: Path) -> int:
    """Write all that is kept of a space into a folder. Give the exit code."""
    async with open_core(settings) as core:
        space = choose(await core.kept.archive.holdings(), name, platform)
        count = await Exporter(core.kept.archive, core.kept.library, core.kept.media, out).export(space)
    click.echo(f"{count} films of {space.platform} {space.name} are in {out}.", err=True)
    return 0


def _code(error: Exception) -> int:
    return 1 if isinstance(error, AppError) and not isinstance(error, OperatorError) else 3
