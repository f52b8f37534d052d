"""`keaton index`: indexes files and links one after the other; one that fails does not stop the rest."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import output
from bot.cli.local import OPERATOR, exit_code, load, local_scope
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
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import Settings
    from bot.wiring.app import Product
    from core.jobs import Work
    from core.model.video import Indexed

logger = logging.getLogger(__name__)

BUG = "Something broke while I read that. KEATON_LOG_LEVEL=debug shows where."


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
                code = max(code, exit_code(error))
                click.echo(": ".join(failed[-1]), err=True)
    output.indexed(done, failed, as_json=as_json)
    return code


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
