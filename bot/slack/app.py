"""Signs in, keeps the Socket Mode connection, and acknowledges events before they are handled."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.doors.desk import about_message
from bot.doors.messages import take_back
from bot.doors.pace import Pace
from bot.slack import commands, home, messages
from bot.slack.catch_up import SlackCatchUp, refused, signed_in
from bot.slack.commands import SlackCommands
from bot.slack.config import DOOR, SCOPES, SlackConfig, Workspace
from bot.slack.desk import SlackDesk
from bot.slack.home import Forms, Home
from bot.slack.messages import SlackFiles
from bot.slack.pictures import Digestion, Pictures
from bot.slack.refusals import reason_of
from bot.slack.render import MORE
from bot.slack.sender import Paces, Slack
from bot.slack.thumbnails import Thumbnails
from bot.slack.whispers import DirectMessages, Voice
from core.errors import AppError, BadSetting
from core.model import actions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import WSMessage
    from slack_sdk.http_retry.async_handler import AsyncRetryHandler
    from slack_sdk.socket_mode.request import SocketModeRequest
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bot.doors.requests import AcceptedRequest, DoorContext
    from bot.slack.commands import Wordless
    from bot.slack.config import SlackConfig

logger = logging.getLogger(__name__)

T = TypeVar("T")
_API = "https://slack.com/api/"
_RETRY_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
_WRONG_TOKEN = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "no_permission",
    "missing_scope",
}
Json: TypeAlias = dict[str, Any]
Ack: TypeAlias = "Callable[[], Awaitable[Any]]"
_LEFT = ("member_left_channel", "channel_left", "group_left")
_DELETED = ("channel_deleted", "group_deleted")
_OPENED = ("channel_unarchive", "group_unarchive")
_CHECKS = 4


class SlackDoor:
    """Keaton on Slack."""

    def __init__(self, context: DoorContext, config: SlackConfig) -> None:
        self._context = context
        self._config = config
        self._socket: Socket | None = None

    @property
    def connected(self) -> bool:
        """Tell whether Slack tells what happens."""
        return self._socket is not None and self._socket.is_open

    async def run(self) -> None:
        """Serve until cancelled; raises BadSetting when Slack does not accept one of the tokens."""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._config.timeout_s)) as session:
            client = _client(self._config, session)
            workspace = await self._sign_in(client)
            address = await _patiently(lambda: _open(client, self._config.app_token), "SLACK_APP_TOKEN")
            await self._serve(client, session, workspace, address)

    async def _sign_in(self, client: AsyncWebClient) -> Workspace:
        grace, ledger, token = self._context.grace, self._context.ledger, self._config.bot_token
        try:
            workspace = await _patiently(lambda: _sign_in(client), "SLACK_BOT_TOKEN")
        except BadSetting:
            await refused(grace, ledger, token)
            raise
        await signed_in(grace, ledger, token, workspace.team_id)
        return workspace

    async def _serve(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, workspace: Workspace, address: str
    ) -> None:
        config = self._config
        where = self._context.ledger, workspace.team_id
        poster, paces = _client(config, session, patient=False), Paces(Pace(config.posts), Pace(config.updates))
        is_shared = config.pictures == "shared"
        digestion = Digestion(client, config.picture_polls_s, Pace(config.file_looks))
        pictures = Pictures(client, poster, digestion, Pace(config.deletions), *where, shares=is_shared)
        slack = Slack(client, pictures, poster, paces, config.post_again_s)
        files = SlackFiles(client, config.bot_token, config.api_base, workspace.team_id)
        direct = DirectMessages(slack, *where)
        voice = Voice(client, poster, session, direct)
        desk = SlackDesk(self._context, config, workspace, client, slack, files, voice)
        app = _app(client, workspace, config.bot_token)
        notes = self._context.ledger, self._context.shown_messages
        thumbnails = Thumbnails(pictures, direct, *notes, workspace.team_id, config.home_pictures)
        commands, page = SlackCommands(desk), Home(self._context, client, desk.answers.rooms, workspace, thumbnails)
        listen(app, desk, commands, Forms(desk, client, commands, page))
        try:
            catch_up = SlackCatchUp(desk, client, self._context, config, lambda: self.connected)
            await pictures.sweep()
            await catch_up.begin()
            await catch_up.resume()
            desk.tasks.start(catch_up.run())
            here, change = (DOOR.platform, workspace.team_id), desk.answers.change
            desk.tasks.start(take_back(self._context.shown_messages, *here, change, desk.removals))
            self._socket = Socket(app, config, digestion.hear, catch_up.connected)
            await self._socket.run(address)
        finally:
            self._socket = None
            await desk.tasks.close()


def _app(client: AsyncWebClient, workspace: Workspace, token: str) -> AsyncApp:
    """Make Bolt's app; it knows who signed in, and so asks Slack for nothing before it acknowledges the first event."""
    known = AuthorizeResult(
        enterprise_id=None,
        team_id=workspace.team_id,
        bot_user_id=workspace.bot_id,
        bot_id=workspace.bot_profile_id,
        bot_token=token,
    )

    async def authorize() -> AuthorizeResult:
        return known

    nameless = AsyncWebClient(base_url=client.base_url, session=client.session, retry_handlers=client.retry_handlers)
    return AsyncApp(name="keaton", client=nameless, authorize=authorize, request_verification_enabled=False)


def _client(config: SlackConfig, session: aiohttp.ClientSession, *, patient: bool = True) -> AsyncWebClient:
    """Make a client; one that is not patient tries nothing again that Slack may have carried out."""
    base = (config.api_base or _API).rstrip("/") + "/"
    patience: list[AsyncRetryHandler] = [AsyncRateLimitErrorRetryHandler(max_retry_count=5)]
    if patient:
        patience.append(AsyncConnectionErrorRetryHandler(max_retry_count=2))
        patience.append(AsyncServerErrorRetryHandler(max_retry_count=2))
    return AsyncWebClient(config.bot_token, base_url=base, session=session, retry_handlers=patience)


async def _sign_in(client: AsyncWebClient) -> Workspace:
    told = await client.auth_test()
    missing = tuple(sorted(set(SCOPES) - _granted(told)))
    if missing:
        logger.warning("the Slack app lacks these scopes, and what needs them will not work: %s", ", ".join(missing))
    url = str(told["url"]).rstrip("/") + "/"
    logger.info("signed in to Slack as %s in %s", told["user"], told["team"])
    mine = str(told["team_id"]), str(told["user_id"]), str(told["user"])
    return Workspace(*mine, url, missing, str(told.get("bot_id") or ""))


def _granted(told: AsyncSlackResponse) -> set[str]:
    """Return the scopes that Slack says were granted, or all where it does not say."""
    header: Any = told.headers.get("x-oauth-scopes") or told.headers.get("X-OAuth-Scopes")
    return {one.strip() for one in str(header).split(",")} if header else set(SCOPES)


async def _open(client: AsyncWebClient, app_token: str) -> str:
    return str((await client.apps_connections_open(app_token=app_token))["url"])


async def _patiently(ask: Callable[[], Awaitable[T]], setting: str) -> T:
    """Ask until Slack answers; raises BadSetting when it does not accept the token."""
    tries = 0
    while True:
        try:
            return await ask()
        except SlackApiError as error:
            reason = reason_of(error)
            if reason in _WRONG_TOKEN:
                raise BadSetting(setting, f"Slack does not accept it ({reason})") from error
            trouble: object = reason
        except (OSError, TimeoutError, aiohttp.ClientError) as error:
            trouble = error
        delay_s = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
        tries += 1
        logger.warning("Slack cannot be reached (%s); trying again in %d s", trouble, delay_s)
        await asyncio.sleep(delay_s)


def listen(app: AsyncApp, desk: SlackDesk, does: SlackCommands, asks: Forms) -> None:
    """Have Bolt call these; it acknowledges events by itself, and all else is acknowledged here."""

    async def find(body: Json, noted: AcceptedRequest | Wordless) -> None:
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
    app.shortcut(home.FIND_FROM_MESSAGE)(_started(desk, asks.ask_about_message))
    app.shortcut(home.FIND_ANYWHERE)(_started(desk, asks.ask_anywhere))
    app.view(home.FIND_FROM_MESSAGE)(_noted(does, desk, asks.note_words, asks.find_words))
    app.action(re.compile(f"^(?:{home.FIND}|{home.SWITCH}:[A-Z0-9]+)$"))(_noted(does, desk, asks.note_home, asks.home))
    app.action(re.compile(f"^{home.LIST}:[0-9]{{1,6}}$"))(_started(desk, asks.turn_page))
    app.action(re.compile(f"^(?:{actions.PATTERN}|{MORE})$"))(_noted(does, desk, does.note_press, does.press))


def _home(desk: SlackDesk, asks: Forms) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        if installed_in(body) == desk.workspace.team_id and event.get("tab") == "home":
            desk.tasks.start(asks.show_home(str(event["user"]), str(event["channel"])))

    return take


def _stay(desk: SlackDesk) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        presence, team = desk.presence, desk.workspace.team_id
        if installed_in(body) != team:
            return
        match event["type"]:
            case "app_uninstalled":
                await presence.left(team)
            case "tokens_revoked":
                if desk.workspace.bot_id in (event.get("tokens") or {}).get("bot", ()):
                    await presence.left(team)
            case "member_joined_channel" if event.get("user") == desk.workspace.bot_id:
                await presence.back(team, str(event["channel"]))
                desk.removals.wake(str(event["channel"]))
                await desk.greet(str(event["channel"]))
            case name if name in _OPENED:
                desk.removals.wake(str(event["channel"]))
            case name if name in _DELETED:
                await presence.deleted(team, str(event["channel"]))
            case name if name in _LEFT and event.get("user", desk.workspace.bot_id) == desk.workspace.bot_id:
                await presence.left(team, str(event["channel"]))

    return take


def _message(desk: SlackDesk) -> Callable[..., Awaitable[None]]:
    async def take(body: Json, event: Json) -> None:
        if installed_in(body) != desk.workspace.team_id:
            logger.warning("an event of another workspace came in, for which there is no token")
            return
        match messages.read(event):
            case messages.SlackMessage() as message:
                desk.tasks.start(desk.take(message), about_message(message.channel, message.ts))
            case messages.Deleted() as gone:
                desk.tasks.start(desk.forget_message(desk.workspace.scope(gone.channel), gone.ts))
            case None:
                pass

    return take


def _started(desk: SlackDesk, work: Callable[[Json], Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def take(ack: Ack, body: Json) -> None:
        await ack()
        if _is_ours(desk, body):
            desk.tasks.start(_awaited(lambda: work(body)))

    return take


def _noted(
    does: SlackCommands,
    desk: SlackDesk,
    note: Callable[[Json], Awaitable[T]],
    work: Callable[[Json, Any], Awaitable[None]],
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
            desk.tasks.start(_awaited(lambda: does.refuse(body, refused)))
            return
        await ack()
        if noted is not None:
            desk.tasks.start(_awaited(lambda: work(body, noted)))

    return take


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _is_ours(desk: SlackDesk, body: Json) -> bool:
    """Tell whether a command, press or form comes from the workspace that there is a token for."""
    team = str((body.get("view") or {}).get("app_installed_team_id") or "")
    team = team or str((body.get("team") or {}).get("id") or body.get("team_id") or "")
    if team == desk.workspace.team_id:
        return True
    logger.warning("something was asked from another workspace, for which there is no token")
    return False


def installed_in(body: Json) -> str:
    """Return the workspace for which an event came: in a shared channel it may have happened in another."""
    authorizations = body.get("authorizations") or [{}]
    return str(authorizations[0].get("team_id") or body.get("team_id") or "")


class Socket:
    """Listens for as long as it runs."""

    def __init__(
        self, app: AsyncApp, config: SlackConfig, on_message: Callable[[Json], None], on_open: Callable[[], None]
    ) -> None:
        """`on_message` gets each message event, also Keaton's own, which Bolt keeps back; `on_open` each connection."""
        self._on_message = on_message
        self._on_open = on_open
        self._handler = AsyncSocketModeHandler(app, config.app_token, ping_interval=config.ping_every_s)
        self._client = self._handler.client
        self._client.on_message_listeners.append(self._hear)
        self._client.socket_mode_request_listeners.append(self._pass_on)
        self._silence_s = config.silence_s
        self._heard_s = time.monotonic()

    @property
    def is_open(self) -> bool:
        """Tell whether the connection stands and has not fallen silent."""
        session = self._client.current_session
        return session is not None and not session.closed and not self._is_silent()

    async def run(self, address: str) -> None:
        """Connect to that address first, and listen until cancelled."""
        self._client.wss_uri = address
        try:
            await self._client.connect()  # type: ignore[no-untyped-call]
            logger.info("listening to Slack")
            while True:
                await asyncio.sleep(self._silence_s / _CHECKS)
                if self._is_silent():
                    await self._renew()
        finally:
            await self._close()

    async def _hear(self, message: WSMessage) -> None:
        self._heard_s = time.monotonic()
        if (
            message.type == aiohttp.WSMsgType.TEXT
            and '"hello"' in message.data
            and message.json().get("type") == "hello"
        ):
            self._on_open()

    async def _pass_on(self, _client: object, request: SocketModeRequest) -> None:
        event = request.payload.get("event") if request.type == "events_api" else None
        if event and event.get("type") == "message":
            self._on_message(event)

    def _is_silent(self) -> bool:
        """Tell whether nothing came for long, or the library's own watch over the connection has died."""
        monitor = self._client.current_session_monitor
        return time.monotonic() - self._heard_s > self._silence_s or monitor is None or monitor.done()

    async def _renew(self) -> None:
        logger.info("nothing was heard from Slack for %.0f s: connecting anew", time.monotonic() - self._heard_s)
        self._heard_s = time.monotonic()
        try:
            await self._client.connect_to_new_endpoint(force=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next round tries again
            logger.warning("Slack cannot be reached: %s", error)

    async def _close(self) -> None:
        tasks = (self._client.message_processor, self._client.current_session_monitor, self._client.message_receiver)
        await self._client.close()  # type: ignore[no-untyped-call]
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
