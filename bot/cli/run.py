"""`keaton run`: opens the doors that are configured, keeps them open, and closes them."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import threading
import time
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Protocol

import click

from bot.cli.pages import open_browser, page_token
from bot.cli.real_model import until_real
from bot.doors.requests import DoorContext, RequestLog
from bot.monitoring.health import HOST, serve_watch
from bot.settings import GIGABYTE
from bot.web.banner import BannerBoard
from bot.web.config import WebConfig
from bot.web.connections import raise_open_files
from bot.web.desk import PageDesk
from bot.web.server import LocalChat
from bot.web.videos import PageStorage, PageVideos
from bot.wiring.app import open_core, run_alone
from bot.wiring.diagnostics import add_gauges, health_of
from bot.wiring.engines import DEMO_FOLDER
from core.conversation.commands import parse_words
from core.errors import OperatorError
from core.model.events import FilePosted
from core.model.query import Query
from core.model.video import View
from core.wording.errors import sentence
from core.wording.replies import SUGGESTIONS, WELCOME

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping, Sequence

    from bot.discord.client import DiscordDoor
    from bot.settings import Settings
    from bot.slack.app import SlackDoor
    from bot.wiring.app import Product

logger = logging.getLogger(__name__)
LONGEST_STOP_S = 9.0
WELCOMED = "local:welcome:home"
"""The name of the note that the demo video was put into the channel."""
DEMO_TITLE = "Keaton's demo video"


REOPEN_S = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0)
"""When a door that died is opened again, each time that it dies soon after."""
SETTLED_S = 120.0
"""A door that stood open for so long had been set up rightly, and its next death counts as a first one."""


async def run(settings: Settings) -> int:
    """Run until the process is told to stop, or the model turns out not to load; give the exit code.

    Raises OperatorError.
    """
    stopped = _stop_signal()
    raise_open_files()
    with run_alone(settings):
        port = await _run(settings, stopped)
        while not stopped.is_set():
            # A trial ends by opening everything anew: vectors of two models never meet, and requests outlive it.
            port = await _run(settings, stopped, port)
    logger.info("stopped")
    return 0


async def _run(settings: Settings, stopped: asyncio.Event, port: int | None = None) -> int | None:
    """Run until told to stop, or until a trial ends; return the page's port, at which it is opened again then."""
    board = BannerBoard()
    async with open_core(settings, is_bot=True) as core, AsyncExitStack() as opened:
        await core.parts.runner.tidy()
        if settings.opens_page:
            port = await _open_local_chat(settings, core, opened, board, port)
        else:
            await _finish_local(core, opened)
        doors = _doors(settings, core)
        if settings.watch_port is not None:
            await _open_watch(settings.watch_port, core, doors, opened)
        kept = [keep_open(name, door, is_only=len(doors) == 1) for name, door in doors.items()]
        real = asyncio.Event()
        model = [_load(settings, core), _end_trial(settings, core, board, real)]
        await _until((stopped, real), [*model, core.grace.run(), *kept])
    return port


async def _end_trial(settings: Settings, core: Product, board: BannerBoard, real: asyncio.Event) -> None:
    """Set the event once the real model can take the place of the demo model that stands in."""
    if await until_real(settings, core.engines.model, board):
        real.set()


def _doors(settings: Settings, core: Product) -> dict[str, DiscordDoor | SlackDoor]:
    doors: dict[str, DiscordDoor | SlackDoor] = {}
    mine, kept = core.parts, core.kept
    parts = DoorContext(mine.conversation, mine.channels, kept.ledger, mine.runner, core.grace, kept.shown_messages)
    if settings.discord_token:
        doors["Discord"] = _discord(settings.discord_token.get_secret_value(), settings, parts)
    if settings.slack_bot_token or settings.slack_app_token:
        doors["Slack"] = _slack(settings, parts)
    return doors


async def _open_watch(
    port: int, core: Product, doors: Mapping[str, DiscordDoor | SlackDoor], opened: AsyncExitStack
) -> None:
    add_gauges(core)
    served = await opened.enter_async_context(serve_watch(port, health_of(core, doors), core.engines.watch))
    logger.info("health and figures are at http://%s:%d/healthz and /metrics", HOST, served)


async def _until(ends: Iterable[asyncio.Event], works: Iterable[Coroutine[None, None, None]]) -> None:
    """Run works side by side until one of the events is set, or until one work fails: then raise its error."""
    stop = asyncio.create_task(_any(ends))
    tasks = {asyncio.create_task(work) for work in works}
    try:
        left: set[asyncio.Task[None]] = set(tasks)
        while not stop.done():
            done, _ = await asyncio.wait({stop, *left}, return_when=asyncio.FIRST_COMPLETED)
            left -= done
            for task in done & tasks:
                task.result()
    finally:
        for task in (stop, *tasks):
            task.cancel()
        await asyncio.gather(stop, *tasks, return_exceptions=True)


async def _any(events: Iterable[asyncio.Event]) -> None:
    """Wait until one of some events is set."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def _discord(token: str, settings: Settings, parts: DoorContext) -> DiscordDoor:
    from bot.discord.client import DiscordDoor  # noqa: PLC0415 - likewise
    from bot.discord.config import DiscordConfig  # noqa: PLC0415 - who has no token needs no client

    return DiscordDoor(parts, DiscordConfig(token, settings.discord_api_base, settings.discord_gateway))


def _slack(settings: Settings, parts: DoorContext) -> SlackDoor:
    from bot.slack.app import SlackDoor  # noqa: PLC0415 - likewise
    from bot.slack.config import SlackConfig  # noqa: PLC0415 - who has no token needs no client

    bot, app = settings.slack_tokens
    return SlackDoor(parts, SlackConfig(bot, app, settings.slack_api_base, pictures=settings.slack_pictures))


async def _load(settings: Settings, core: Product) -> None:
    logger.info("loading the model %r", settings.model)
    info = await core.warm()
    logger.info("the model %s (%s) is ready on %s", info.model, info.weights, info.device)
    if settings.may_try_demo:  # what the demo model has seen is seen anew by the real one, or the other way round
        core.parts.renewal.start(await core.parts.renewal.stale(Query("", WebConfig().view)))


async def _open_local_chat(
    settings: Settings, core: Product, doors: AsyncExitStack, board: BannerBoard, port: int | None
) -> int:
    """Serve the page, at the port that it had before if it had one; return its port."""
    limit_bytes = settings.fetch_limit_bytes
    config = WebConfig(
        port=settings.web_port if port is None else port,
        token=await asyncio.to_thread(page_token, settings),
        banner=board,
        upload_limit_bytes=limit_bytes,
        uploads=settings.uploads,
        uploads_limit_bytes=max(limit_bytes, int(settings.uploads_limit_gb * GIGABYTE)),
        upload_timeout_s=settings.upload_timeout_s,
        upload_dir=core.kept.media.inbox,
    )
    requests = RequestLog(core.parts.runner, core.kept.ledger)
    storage = PageStorage(PageVideos(core.kept.library, core.kept.media, config.view), core.kept.history)
    chat = await doors.enter_async_context(LocalChat(core.parts.conversation, parse_words, config, requests, storage))
    chat.take_back(core.kept.shown_messages)
    if port is None:
        click.echo(f"Keaton is at {chat.address} (Ctrl+C stops it)")
    if port is None and settings.opens_browser:
        # Some browsers run in the terminal until they are left, and nothing here waits for that.
        threading.Thread(target=open_browser, args=(settings, chat.address), daemon=True).start()
    await _welcome(core, chat)
    for job in await core.parts.runner.jobs.left("local"):
        await chat.go_on(job)
    return chat.port


async def _finish_local(core: Product, opened: AsyncExitStack) -> None:
    """Go on with what was left by the command line, or by the page of an earlier run, though no page shows it now."""
    desk = PageDesk(core.parts.conversation, parse_words, WebConfig(), RequestLog(core.parts.runner, core.kept.ledger))
    opened.push_async_callback(desk.close)
    for job in await core.parts.runner.jobs.left("local"):
        await desk.go_on(job)


async def _welcome(core: Product, chat: LocalChat) -> None:
    """Put the demo video into the channel once, unless this is somebody's own library: it stays away when forgotten."""
    turn = chat.turn()
    if await core.kept.ledger.recall(WELCOMED):
        return
    if not await core.kept.library.videos(View.of(turn.scope)):
        await core.kept.ledger.remember(WELCOMED, "yes")
        video = FilePosted(turn, DEMO_FOLDER / "film.mp4", f"{DEMO_TITLE}.mp4")
        chat.announce(WELCOME, video, SUGGESTIONS)


def _stop_signal() -> asyncio.Event:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        """Stop in order, and in time; a second signal has its usual, harder effect."""
        stopped.set()
        hurry = threading.Timer(LONGEST_STOP_S, _give_up)
        hurry.daemon = True
        hurry.start()
        for number in numbers:
            loop.remove_signal_handler(number)

    for number in numbers:
        with suppress(NotImplementedError):
            loop.add_signal_handler(number, stop)
    return stopped


def _give_up() -> None:
    """End at once: all that matters is in the database, and the next start takes it up."""
    logger.warning("stopping took longer than %.0f s, so it was cut short", LONGEST_STOP_S)
    os._exit(0)


class SupervisedDoor(Protocol):
    """A way in for people."""

    async def run(self) -> None:
        """Serve until cancelled. May raise OperatorError where a setting is wrong."""
        ...


async def keep_open(
    name: str,
    door: SupervisedDoor,
    *,
    is_only: bool,
    reopen_s: Sequence[float] = REOPEN_S,
    settled_s: float = SETTLED_S,
) -> None:
    """Serve by a door until cancelled, and open it again whenever it dies.

    Raises OperatorError where it could not be opened at all, or is the only one: then whoever runs Keaton must act. A
    token that is taken back while other doors are open is tried again now and then.
    """
    deaths = 0
    while True:
        opened_s = time.monotonic()
        why = "it ended by itself"
        try:
            await door.run()
        except OperatorError as error:
            if is_only or (deaths == 0 and time.monotonic() - opened_s < settled_s):
                raise
            why = sentence(error)
        except Exception as error:
            logger.exception("the door to %s died", name)
            why = type(error).__name__
        deaths = 1 if time.monotonic() - opened_s >= settled_s else deaths + 1
        wait_s = reopen_s[min(deaths, len(reopen_s)) - 1]
        logger.error("the door to %s is shut (%s); it is opened again in %.0f s", name, why, wait_s)
        await asyncio.sleep(wait_s)
