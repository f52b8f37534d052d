"""Delivers a stream of replies: posts the first, edits it for later ones, and simplifies what a platform refuses.

`refusal` of a door says of an error what an admin can do about it, or None for what may pass; the latter is raised
(`NotNow` for a 5xx) and tried again by `deliver`. What is refused even as bare words raises `Refused`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from core.model.reply import Reply
from core.wording.replies import parked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence

    from bot.doors.pace import PaceTurns
    from core.model.events import Incoming

logger = logging.getLogger(__name__)

T = TypeVar("T")
STOPPING = "Keaton is being stopped"
"""The message of cancellations at the end of the program: work is not given up, but goes on at the next start."""
_PARTING_S = 3.0
RETRY_S = (1.0, 5.0, 20.0, 60.0, 300.0, 900.0, *[3600.0] * 23)
"""When a last reply that could not be shown is tried again: nothing comes after it that would say the same.

Outages of chat platforms last from seconds to hours. After a day the next start of the program takes the request up.
"""
_BUG_TRIES = 4
"""So often a last reply is tried again where no outage explains the failure: that rarely passes by waiting."""
_MOST_WORDS = 1000


class Answering(Protocol):
    """What a front door needs of the product."""

    def handle(self, event: Incoming) -> AsyncIterator[Reply]:
        """Answer one event; each reply replaces the one before it. Only bugs escape."""
        ...


class ReplyTarget(Protocol):
    """One place on a platform where the replies of one turn appear.

    What its methods raise is logged and tried again with the next reply, or after a while where that was the last: a
    chat that hiccups stops no work. `Refused` is what no further try would change.
    """

    async def post(self, reply: Reply) -> None:
        """Show the first reply of the turn."""
        ...

    async def edit(self, reply: Reply) -> None:
        """Show this reply in place of the one before it."""
        ...


def broken(bug_id: str) -> Reply:
    """Say that something broke, and under which id whoever runs Keaton finds it."""
    text = f"Something broke on my side. Whoever runs me finds it in the log under {bug_id}."
    return Reply(text=text, tone="error", private=True)


async def deliver(
    replies: AsyncIterator[Reply],
    shown: ReplyTarget,
    min_gap_s: float,
    turns: PaceTurns | None = None,
    retry_s: Sequence[float] = RETRY_S,
) -> bool:
    """Show replies until the stream ends, and return whether the last one stands (or was refused for good).

    False means that the request has no answer yet and must not be ended. The stream never waits for the platform.

    The first and the last reply are shown at once, and at most one in `min_gap_s` between them; where others draw in
    the same place, each in its turn, with those first that are no progress. A reply that looks like the one shown is
    skipped. Cancelling ends the stream too; with the message STOPPING, what stands there as under way is said to go on
    later. A bug in the stream becomes a last reply.
    """
    board, screen = _Board(), _Screen(shown)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_collect(replies, board))
            group.create_task(_show(board, screen, min_gap_s, turns))
        return await _insist(board, screen, retry_s, turns)
    except asyncio.CancelledError as error:
        if STOPPING in error.args:
            await screen.part()
        screen.drop()
        raise


async def sent_whole(sending: Coroutine[None, None, T]) -> T:
    """Wait for a message to be sent, to its end though cancelled: it may stand there, and must not be lost sight of."""
    task = asyncio.ensure_future(sending)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await task
        raise


class _Board:
    """The newest reply, and whether it is the last."""

    def __init__(self) -> None:
        self.latest: Reply | None = None
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()
        self.answered = asyncio.Event()
        """Set once there is more to show than how far the work is, and when it has ended."""

    def put(self, reply: Reply) -> None:
        self.latest = reply
        self.changed.set()
        if reply.progress is None:
            self.answered.set()
        else:
            self.answered.clear()

    def end(self) -> None:
        self.ended.set()
        self.answered.set()
        self.changed.set()


async def _collect(replies: AsyncIterator[Reply], board: _Board) -> None:
    try:
        async for reply in replies:
            board.put(reply)
    except Exception:
        bug_id = secrets.token_hex(3).upper()
        logger.exception("bug %s", bug_id)
        board.put(broken(bug_id))
    finally:
        board.end()


async def _show(board: _Board, screen: _Screen, min_gap_s: float, turns: PaceTurns | None) -> None:
    ended = False
    while not ended:
        await board.changed.wait()
        if turns is not None and board.latest is not None and screen.would_change(board.latest):
            await _turn(board, turns)
        board.changed.clear()
        ended = board.ended.is_set()
        if board.latest is not None and await screen.show(board.latest) and not ended:
            with suppress(TimeoutError):
                await asyncio.wait_for(board.ended.wait(), min_gap_s)


async def _turn(board: _Board, turns: PaceTurns) -> None:
    """Wait for a turn; a status that is followed by an answer meanwhile waits no longer than that would."""
    while _is_status(board):
        mine = asyncio.ensure_future(turns.wait(urgent=False))
        changes = asyncio.ensure_future(board.answered.wait())
        try:
            await asyncio.wait({mine, changes}, return_when=asyncio.FIRST_COMPLETED)
            if mine.done():
                return
        finally:
            mine.cancel()
            changes.cancel()
    await turns.wait(urgent=True)


def _is_status(board: _Board) -> bool:
    return board.latest is not None and board.latest.progress is not None and not board.answered.is_set()


async def _insist(board: _Board, screen: _Screen, retry_s: Sequence[float], turns: PaceTurns | None) -> bool:
    """Show the last reply after all, where the platform was out of order when it came; return whether that is done."""
    for tries, wait_s in enumerate(retry_s):
        if board.latest is None or screen.has_settled(board.latest):
            return True
        if tries >= _BUG_TRIES and not screen.may_pass:
            break
        await asyncio.sleep(wait_s)
        if turns is not None:  # an outage ends for many at once
            await turns.wait(urgent=True)
        await screen.show(board.latest)
    if board.latest is None or screen.has_settled(board.latest):
        return True
    logger.warning("of what was asked for no answer stands yet: it is given after the next start")
    return False


class _Screen:
    """Knows what stands on the platform, and so whether to post, edit or leave it."""

    def __init__(self, shown: ReplyTarget) -> None:
        self._shown = shown
        self._visible: Reply | None = None
        self._sending: asyncio.Task[None] | None = None
        self._refused: Reply | None = None
        self.may_pass = False
        """Whether an outage explains why the newest reply does not stand there."""

    def would_change(self, reply: Reply) -> bool:
        """Tell whether a reply looks different from what stands there."""
        return self._visible is None or _look(self._visible) != _look(reply)

    def has_settled(self, reply: Reply) -> bool:
        """Tell whether a reply stands there, or was refused for good."""
        return self._refused is reply or not self.would_change(reply)

    async def show(self, reply: Reply) -> bool:
        """Show a reply; tell whether the platform was asked to."""
        if not self.would_change(reply):
            return False
        self._sending = asyncio.create_task(self._send(reply))
        await asyncio.shield(self._sending)
        return True

    def drop(self) -> None:
        """Show nothing more."""
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self, reply: Reply) -> None:
        self.may_pass = False
        try:
            await (self._shown.post(reply) if self._visible is None else self._shown.edit(reply))
            self._visible = reply
        except Refused as error:
            self._refused = reply
            logger.warning("a reply could not be shown in any form: %s", error.advice)
        except (NotNow, OSError) as error:  # OSError: also timeouts, and what aiohttp cannot connect to
            self.may_pass = True
            logger.warning("a reply could not be shown for now (%s): %s", type(error).__name__, error)
        except Exception:
            logger.exception("a reply could not be shown")

    async def part(self) -> None:
        """Say that what stands there as under way goes on after a restart, as far as that is quickly said."""
        with suppress(Exception):
            await asyncio.wait_for(self._part(), _PARTING_S)

    async def _part(self) -> None:
        if self._sending is not None:
            await self._sending
        if self._visible is not None and self._visible.progress is not None:
            await self._shown.edit(parked(self._visible))


def _look(reply: Reply) -> tuple[object, ...]:
    return tuple(getattr(reply, field.name) for field in fields(reply))


class Refused(Exception):
    """A platform takes no form of a reply."""

    def __init__(self, advice: str) -> None:
        super().__init__(advice)
        self.advice = advice
        """Says to the person who asked what happened and what an admin can do."""


class NotNow(Exception):
    """A platform is out of order for a while; `deliver` tries the last reply again, for hours if need be."""


async def show_somehow(
    reply: Reply, draw: Callable[[Reply], Awaitable[None]], refusal: Callable[[Exception], str | None]
) -> None:
    """Show a reply; where that is refused without its pictures, and then its words alone, saying why.

    Raises Refused, and what `refusal` gives None for.
    """
    advice = ""
    for shape in shapes(reply):
        try:
            await draw(_saying(shape, advice))
        except Exception as error:
            found = refusal(error)
            if found is None:
                raise
            logger.warning("a reply was refused (%s): %s", type(error).__name__, found)
            advice = found
        else:
            return
    raise Refused(advice)


def shapes(reply: Reply) -> Iterator[Reply]:
    """Yield a reply as it is, then simpler and simpler."""
    yield reply
    if reply.pictures:
        yield replace(reply, pictures=())
    if reply.buttons or reply.links or reply.title or reply.entries or len(reply.text) > _MOST_WORDS:
        words = "\n".join(part for part in (reply.title, reply.text) if part)
        yield replace(reply, text=words[:_MOST_WORDS], title="", entries=(), pictures=(), buttons=(), links=())


def _saying(reply: Reply, advice: str) -> Reply:
    return replace(reply, text=f"{reply.text}\n{advice}".strip()) if advice else reply
