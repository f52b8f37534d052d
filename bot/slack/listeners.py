"""Which of Slack's events matter, acknowledged first. Owns that; must not know by what transport they come."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from bot.slack import commands, forms, home, posts
from core import actions
from core.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_bolt.async_app import AsyncApp

    from bot.requests import Taken
    from bot.slack.commands import Commands, Wordless
    from bot.slack.desk import Desk
    from bot.slack.forms import Forms

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")
Ack: TypeAlias = "Callable[[], Awaitable[Any]]"

_LEFT = ("member_left_channel", "channel_left", "group_left")
_DELETED = ("channel_deleted", "group_deleted")
_OPENED = ("channel_unarchive", "group_unarchive")

logger = logging.getLogger(__name__)


def listen(app: AsyncApp, desk: Desk, does: Commands, asks: Forms) -> None:
    """Have Bolt call these; it acknowledges events by itself, and all else is acknowledged here."""

    async def find(body: Json, noted: Taken | Wordless) -> None:
        if isinstance(noted, commands.Wordless):
            await asks.ask_after_command(body)
        else:
            await does.command(body, noted)

    for name in ("message", "app_mention"):
        app.event(name)(_message(desk))
    for name in ("app_uninstalled", "tokens_revoked", *_LEFT, *_DELETED, *_OPENED, "member_joined_channel"):
        app.event(name)(_stay(desk))
    app.event("app_home_opened")(_home(desk, asks))
    app.command(commands.FIND)(_noted(does, desk, does.note_find, find))
    app.command(commands.KEATON)(_noted(does, desk, does.note_keaton, does.command))
    app.shortcut(commands.INDEX_MESSAGE)(_noted(does, desk, does.note_index, does.index_message))
    app.shortcut(forms.FIND_FROM_MESSAGE)(_started(desk, asks.ask_about_message))
    app.shortcut(forms.FIND_ANYWHERE)(_started(desk, asks.ask_anywhere))
    app.view(forms.FIND_FROM_MESSAGE)(_noted(does, desk, asks.note_words, asks.find_words))
    app.action(re.compile(f"^(?:{home.FIND}|{home.SWITCH}:[A-Z0-9]+)$"))(_noted(does, desk, asks.note_home, asks.home))
    app.action(re.compile(f"^(?:{actions.PATTERN})$"))(_noted(does, desk, does.note_press, does.press))


def _home(desk: Desk, asks: Forms) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        if installed_in(body) == desk.workspace.team_id and event.get("tab") == "home":
            desk.chores.start(asks.show_home(str(event["user"]), str(event["channel"])))

    return take


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
                await desk.greet(str(event["channel"]))
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
