"""`keaton index`: indexes files and links one after the other; one that fails does not stop the rest."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import output
from bot.cli.folders import appearing, state_of, videos_in
from bot.cli.local import OPERATOR, exit_code, load, local_scope
from bot.cli.terminal_words import told
from bot.doors.requests import RequestLog
from bot.web.config import DOOR
from bot.wiring.app import open_core
from core.errors import AppError
from core.formatting import one_line
from core.indexing.local_files import check
from core.links import is_link, meant_links
from core.model.events import FilePosted, LinkPosted, Turn
from core.model.requests import MessageKey, Poster
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bot.cli.folders import State
    from bot.settings import Settings
    from bot.wiring.app import Product
    from core.jobs import Work
    from core.model.video import Indexed

logger = logging.getLogger(__name__)

BUG = "Something broke while I read that. KEATON_LOG_LEVEL=debug shows where."


@dataclass(frozen=True, slots=True)
class IndexWish:
    """What `keaton index` was asked for."""

    sources: Sequence[str]
    glob: str
    """Of a folder, only files whose names match it; "" is all videos."""
    watch: bool
    """Go on with what appears in the folders."""


@dataclass(slots=True)
class _Tally:
    """What has come of it so far."""

    prints: bool
    done: list[Indexed] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    code: int = 0

    def add(self, indexed: Indexed) -> None:
        self.done.append(indexed)
        if self.prints:
            output.indexed(indexed)

    def fail(self, source: str, why: str, code: int) -> None:
        self.failed.append((one_line(source), why))
        self.code = max(self.code, code)
        click.echo(": ".join(self.failed[-1]), err=True)


async def index(settings: Settings, wish: IndexWish, space: str, *, as_json: bool) -> int:
    """Index sources one after the other, folders with all below; one that fails does not stop the rest.

    Return the exit code.
    """
    tally = _Tally(prints=not as_json)
    folders = [Path(source) for source in wish.sources if await asyncio.to_thread(os.path.isdir, source)]
    try:
        async with open_core(settings) as core:
            known: dict[str, State] = {}
            async for source in _sources(wish, tally):
                known[source] = await asyncio.to_thread(state_of, source)
                await _one(core, source, space, tally)
            if any(one.frames for one in tally.done):
                await core.parts.background.bank()  # so that the first search need not wait for it
            if wish.watch:
                click.echo(f"Watching {', '.join(map(str, folders))} (Ctrl+C ends it)", err=True)
                async for source in appearing(folders, wish.glob, known):
                    await _one(core, source, space, tally)
    finally:
        output.summed_up(tally.done, tally.failed, as_json=as_json)
    return tally.code


async def _sources(wish: IndexWish, tally: _Tally) -> AsyncIterator[str]:
    """Yield files and links as they are named, and what is in folders."""
    for source in wish.sources:
        if not await asyncio.to_thread(os.path.isdir, source):
            yield source
            continue
        found = await asyncio.to_thread(lambda folder: list(videos_in(Path(folder), wish.glob)), source)
        for path in found:
            yield path
        if not found and not wish.watch:
            tally.fail(source, f"No file in it matches {wish.glob}." if wish.glob else "There is no video in it.", 1)


async def _one(core: Product, source: str, space: str, tally: _Tally) -> None:
    try:
        tally.add(await _take_in(core, source, space))
    except Exception as error:
        if not isinstance(error, AppError):
            logger.exception("a source could not be taken in")
        tally.fail(source, told(error) if isinstance(error, AppError) else BUG, exit_code(error))


async def _take_in(core: Product, source: str, space: str) -> Indexed:
    """Take one video in; what dies meanwhile is taken up by the next `keaton run`, what is interrupted is not."""
    if not await asyncio.to_thread(os.path.lexists, source):
        source = next(iter(meant_links(source)), source)
    if not is_link(source):
        await asyncio.to_thread(check, Path(source), _name(source), core.parts.indexer.file_bytes)
    await load(core, one_line(source))
    scope, requests = local_scope(space), RequestLog(core.parts.runner, core.kept.ledger)
    turn = Turn(DOOR, scope, View.of(scope), OPERATOR, "you", "")
    event = LinkPosted(turn, source) if is_link(source) else FilePosted(turn, _absolute(source), _name(source))
    taken = await requests.take(MessageKey(scope, "", f"command:{secrets.token_hex(8)}"), event)
    if taken is None:
        raise RuntimeError("a request of our own was taken up before")
    work = _work(core, source, Poster(scope, OPERATOR, "you", "", job=taken.job))
    try:
        with output.progress_bar(one_line(source)) as report:
            return await core.parts.runner.carry_out(taken.job, work, report)
    except asyncio.CancelledError:
        await asyncio.shield(requests.drop(taken.job))
        raise
    except Exception as error:
        await core.parts.runner.fail(taken.job, error)
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
