"""`keaton find`: searches, refines before it prints, and writes the pictures of the best moment."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TextIO

import click

from bot.cli import output
from bot.cli.local import OPERATOR, exit_code, load, local_scope
from bot.cli.terminal_words import told
from bot.wiring.app import open_core
from core.conversation.commands import find as read_question
from core.errors import AppError
from core.formatting import one_line
from core.indexing.local_files import read as read_file
from core.model.events import Door, PictureFile, Turn
from core.model.video import View, names
from core.search.verdict import seen_closer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.settings import Settings
    from bot.wiring.app import Product
    from core.model.answer import AnswerView
    from core.model.events import Find
    from core.model.query import Query
    from core.model.reply import PlotStyle, Theme
    from core.model.results import SearchResult

_FRAME_PX = 4096
STDIN = "-"


@dataclass(frozen=True, slots=True)
class FindWish:
    """What `keaton find` was asked for."""

    text: str
    """"-" reads a question a line from standard input."""
    video: str | None
    limit: int
    out: Path | None
    style: PlotStyle
    theme: Theme
    picture: Path | None
    refine: bool
    """Look for better frames between those of the index, which takes seconds."""


async def find(settings: Settings, wish: FindWish, space: str, *, as_json: bool) -> int:
    """Search, draw the best moment where a folder is named, and print; return the exit code."""
    if wish.out:
        output.prepare(wish.out)
    async with open_core(settings) as core:
        if wish.text != STDIN:
            await _answer(core, wish, space, as_json=as_json)
            return 0
        code = number = 0
        async for text in _lines():
            number += 1
            try:
                await _answer(core, _numbered(wish, number, text), space, as_json=as_json)
            except AppError as error:
                click.echo(f"{one_line(text)}: {told(error)}", err=True)
                code = max(code, exit_code(error))
        return code


def _numbered(wish: FindWish, number: int, text: str) -> FindWish:
    """Return the wish for one line of several; its pictures go to a folder of their own."""
    out = wish.out / str(number) if wish.out else None
    if out:
        output.prepare(out)
    return replace(wish, text=text, out=out)


async def _answer(core: Product, wish: FindWish, space: str, *, as_json: bool) -> None:
    await load(core, wish.text)
    query = await core.parts.inquiry.query(_question(wish, space))
    await _renew(core, query)
    result = await core.parts.searcher.search(query, wish.limit)
    result = await refined(core, result) if wish.refine else result
    is_doubtful = not wish.refine and await core.parts.refiner.is_doubtful(query, result.best, result.curve)
    shown = await _draw(core, result, wish) if wish.out else None
    info = await core.engines.encoder.ready()
    called = names(await core.kept.library.videos(query.view))
    files = output.write(shown, wish.out) if shown and wish.out else output.AnswerFiles(None, None, None)
    output.found(result, files, info.logit_scale, called, as_json=as_json, is_doubtful=is_doubtful)


async def _lines() -> AsyncIterator[str]:
    """Yield the lines of standard input that say something, as they come."""
    if not _comes_slowly(sys.stdin):
        for line in sys.stdin:
            if line.strip():
                yield line.strip()
        return
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for raw in reader:
        if text := raw.decode(errors="replace").strip():
            yield text


def _comes_slowly(stream: TextIO) -> bool:
    """Tell whether a stream's lines are typed or piped; those of a file are all there."""
    try:
        mode = os.fstat(stream.fileno()).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stream.isatty()  # not /dev/null: nothing can wait for that


def _picture(path: Path) -> PictureFile:
    async def read(limit_bytes: int) -> bytes:
        return await asyncio.to_thread(read_file, path, path.name, limit_bytes)

    return PictureFile(path.name, read)


def _question(wish: FindWish, space: str) -> Find:
    """Give what was asked as the chat would have it, filters and all; an option counts before a filter."""
    scope = local_scope(space)
    turn = Turn(Door("local", (wish.theme,), 0), scope, View.of(scope), OPERATOR, "you", "")
    asked = read_question(turn, wish.text)
    picture = _picture(wish.picture) if wish.picture else None
    return replace(asked, video=wish.video or asked.video, picture=picture)


async def refined(core: Product, result: SearchResult) -> SearchResult:
    """Look between the looks of the index, and closer: here nobody waits for a first answer."""
    best, *rest = await core.parts.refiner.leading(result.query, result.moments, result.curve)
    best = await core.parts.refiner.close_up(result.query, best, result.curve)
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
            click.echo(f"{posted.video.title} is left out: {told(error)}", err=True)


async def _draw(core: Product, result: SearchResult, wish: FindWish) -> AnswerView:
    return await core.parts.answerer.show(
        result.query, result.moments, 1, wish.style, (wish.theme,), _FRAME_PX, result.curve
    )
