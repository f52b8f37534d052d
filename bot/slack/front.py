"""The Slack door: signs in, connects, and keeps connected. Must not know what passes through."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.web.async_client import AsyncWebClient

from bot.pace import Pace
from bot.showing import take_back
from bot.slack import stays
from bot.slack.commands import Commands
from bot.slack.config import DOOR, SCOPES, SlackConfig, Workspace
from bot.slack.desk import Desk
from bot.slack.files import Files
from bot.slack.forms import Forms
from bot.slack.home import Home
from bot.slack.listeners import listen
from bot.slack.lookback import Lookback
from bot.slack.pictures import Pictures
from bot.slack.refusals import reason_of
from bot.slack.socket import Socket
from bot.slack.speaking import Paces, Slack
from bot.slack.whispers import DirectMessages, Voice
from core.errors.running import BadSetting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slack_sdk.http_retry.async_handler import AsyncRetryHandler
    from slack_sdk.web.async_slack_response import AsyncSlackResponse

    from bot.doors import Parts

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


class SlackDoor:
    """Keaton on Slack."""

    def __init__(self, parts: Parts, config: SlackConfig) -> None:
        self._parts = parts
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
        grace, ledger, token = self._parts.grace, self._parts.ledger, self._config.bot_token
        try:
            workspace = await _patiently(lambda: _sign_in(client), "SLACK_BOT_TOKEN")
        except BadSetting:
            await stays.refused(grace, ledger, token)
            raise
        await stays.signed_in(grace, ledger, token, workspace.team_id)
        return workspace

    async def _serve(
        self, client: AsyncWebClient, session: aiohttp.ClientSession, workspace: Workspace, address: str
    ) -> None:
        config = self._config
        where = self._parts.ledger, workspace.team_id
        poster, paces = _client(config, session, patient=False), Paces(Pace(config.posts), Pace(config.updates))
        is_shared = config.pictures == "shared"
        pictures = Pictures(client, poster, config.picture_polls_s, *where, shares=is_shared)
        slack = Slack(client, pictures, poster, paces, config.post_again_s)
        files = Files(client, config.bot_token, config.api_base, workspace.team_id)
        voice = Voice(client, session, DirectMessages(client, self._parts.ledger, workspace.team_id))
        desk = Desk(self._parts, config, workspace, client, slack, files, voice)
        app = _app(client, workspace, config.bot_token)
        commands, page = Commands(desk), Home(self._parts, client, desk.answers.rooms, workspace)
        listen(app, desk, commands, Forms(desk, client, commands, page))
        try:
            lookback = Lookback(desk, client, self._parts.ledger, workspace, config.alive_every_s)
            await pictures.sweep()
            await lookback.resume()
            desk.chores.start(lookback.run())
            here, change = (DOOR.platform, workspace.team_id), desk.answers.change
            desk.chores.start(take_back(self._parts.showcase, *here, change, desk.removals))
            self._socket = Socket(app, config)
            await self._socket.run(address)
        finally:
            self._socket = None
            await desk.chores.close()


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
    """Give the scopes that Slack says were granted, or all where it does not say."""
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
