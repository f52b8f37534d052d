"""Which of Slack's events matter, acknowledged first. Owns that; must not know by what transport they come."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bot.slack import commands, posts
from core import actions
from core.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.async_app import AsyncApp

    from bot.slack.commands import Commands
    from bot.slack.desk import Desk

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")
Ack: TypeAlias = "Callable[[], Awaitable[Any]]"

_LEFT = ("member_left_channel", "channel_left", "group_left")
_DELETED = ("channel_deleted", "group_deleted")
_OPENED = ("channel_unarchive", "group_unarchive")

logger = logging.getLogger(__name__)


def listen(app: AsyncApp, desk: Desk, does: Commands) -> None:
    """Have Bolt call these; it acknowledges events by itself, and all else is acknowledged here."""
    for name in ("message", "app_mention"):
        app.event(name)(_message(desk))
    for name in ("app_uninstalled", "tokens_revoked", *_LEFT, *_DELETED, *_OPENED, "member_joined_channel"):
        app.event(name)(_stay(desk))
    for command, note in ((commands.FIND, does.note_find), (commands.KEATON, does.note_keaton)):
        app.command(command)(_noted(does, desk, note, does.command))
    app.shortcut(commands.INDEX_MESSAGE)(_noted(does, desk, does.note_index, does.index_message))
    app.shortcut(commands.FIND_FROM_MESSAGE)(_started(desk, does.ask_for_words))
    app.view(commands.FIND_FROM_MESSAGE)(_noted(does, desk, does.note_words, does.find_words))
    app.action(re.compile(f"^(?:{actions.PATTERN})$"))(_noted(does, desk, does.note_press, does.press))


def _stay(desk: Desk) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        if installed_in(body) != desk.workspace.team_id:
            return
        match event["type"]:
            case "app_uninstalled":
                await desk.stays.left()
            case "tokens_revoked":
                if desk.workspace.bot_id in (event.get("tokens") or {}).get("bot", ()):
                    await desk.stays.left()
            case "member_joined_channel" if event.get("user") == desk.workspace.bot_id:
                await desk.stays.back(str(event["channel"]))
            case name if name in _OPENED:
                desk.removals.wake(str(event["channel"]))
            case name if name in _DELETED:
                await desk.stays.deleted(str(event["channel"]))
            case name if name in _LEFT and event.get("user", desk.workspace.bot_id) == desk.workspace.bot_id:
                await desk.stays.left(str(event["channel"]))

    return take


def _message(desk: Desk) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        if installed_in(body) != desk.workspace.team_id:
            logger.warning("an event of another workspace came in, for which there is no token")
            return
        match posts.read(event):
            case posts.Message() as message:
                desk.chores.start(desk.take(message), posts.about(message.channel, message.ts))
            case posts.Deleted() as gone:
                desk.chores.start(desk.forget_message(gone))
            case None:
                pass

    return take


def _started(desk: Desk, work: Callable[[Json], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def take(ack: Ack, body: Json) -> None:
        await ack()
        if _is_ours(desk, body):
            desk.chores.start(_awaited(lambda: work(body)))

    return take


def _noted(
    does: Commands, desk: Desk, note: Callable[[Json], Awaitable[T]], work: Callable[[Json, Any], Awaitable[None]]
) -> Callable[..., Awaitable[None]]:
    """Write down first, then acknowledge, then work: what was acknowledged is done, whatever happens.

    What cannot be written down (the disk is full) is said so.
    """

    async def take(ack: Ack, body: Json) -> None:
        try:
            noted = await note(body) if _is_ours(desk, body) else None
        except AppError as error:
            refused = error
            await ack()
            desk.chores.start(_awaited(lambda: does.refuse(body, refused)))
            return
        await ack()
        if noted is not None:
            desk.chores.start(_awaited(lambda: work(body, noted)))

    return take


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _is_ours(desk: Desk, body: Json) -> bool:
    """Tell whether a command, press or form comes from the workspace that there is a token for."""
    team = str((body.get("view") or {}).get("app_installed_team_id") or "")
    team = team or str((body.get("team") or {}).get("id") or body.get("team_id") or "")
    if team == desk.workspace.team_id:
        return True
    logger.warning("something was asked from another workspace, for which there is no token")
    return False


def installed_in(body: Json) -> str:
    """Give the workspace for which an event came: in a shared channel it may have happened in another."""
    authorizations = body.get("authorizations") or [{}]
    return str(authorizations[0].get("team_id") or body.get("team_id") or "")
