"""The HTTP server of the local chat: start, stop, headers and logging."""

from __future__ import annotations

import errno
import logging
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from aiohttp import web
from aiohttp.http import HttpProcessingError

from bot.doors.desk import BackgroundTasks
from bot.web.connections import OpenConnections
from bot.web.desk import PageDesk, Writes
from bot.web.history import HistoryKeeper
from bot.web.routes import Routes
from bot.web.uploads import Uploads
from core.errors import BadSetting, PortTaken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from bot.doors.delivery import Answering
    from bot.web.config import WebConfig
    from bot.web.desk import Parse
    from bot.web.videos import PageStorage
    from core.model.events import Incoming, Turn
    from core.model.requests import Job
    from core.ports.retention import ShownMessages

logger = logging.getLogger(__name__)

_SHUTDOWN_S = 1.0


class _ServerLog(logging.LoggerAdapter[logging.Logger]):
    """The server's log, in which a request that is no HTTP costs one line: anybody on this machine can send those."""

    def exception(self, msg: object, *args: object, exc_info: object = True, **kwargs: object) -> None:
        """Log what broke: our own faults with where they happened."""
        if isinstance(exc_info, HttpProcessingError):
            self.logger.info("a request was no HTTP (%s)", type(exc_info).__name__)
        elif isinstance(exc_info, web.RequestPayloadError):
            self.logger.debug("the rest of a request cannot be read")  # its handler has said so
        else:
            self.logger.error(msg, *args, exc_info=exc_info, **kwargs)  # type: ignore[arg-type] # as it came


class LocalChat:
    """A chat page on a loopback address. Use as `async with`, or call start and close."""

    def __init__(
        self, conversation: Answering, parse: Parse, config: WebConfig, requests: Writes, storage: PageStorage
    ) -> None:
        self._config = config
        self._storage = storage
        self._desk = PageDesk(conversation, parse, config, requests)
        self._open = AsyncExitStack()
        self._port = config.port

    @property
    def port(self) -> int:
        """The port that the page is at; with port 0 it is known once started."""
        return self._port

    @property
    def url(self) -> str:
        """Where the page is; with port 0 it is known once started."""
        return f"http://{self._config.host}:{self._port}/"

    @property
    def address(self) -> str:
        """Where the page is, with the token that opens it: only for whoever started Keaton."""
        return f"{self.url}?token={self._config.token}"

    def turn(self, name: str = "Keaton") -> Turn:
        """Give a turn in this channel, for events that the program itself announces."""
        return self._desk.turn(name=name)

    def announce(self, text: str, event: Incoming | None = None, suggestions: Sequence[str] = ()) -> None:
        """Post a message by Keaton, answer the event below it with live progress, then offer things to type.

        Returns at once.
        """
        self._desk.announce(text, event, suggestions)

    async def go_on(self, job: Job) -> None:
        """Take up what somebody asked for on the page before a restart."""
        await self._desk.go_on(job)

    def take_back(self, shown_messages: ShownMessages) -> None:
        """Note from now on which videos are shown, and take back what was forgotten; call it once started."""
        self._desk.take_back(shown_messages)

    async def start(self) -> None:
        """Listen.

        Raises PortTaken, or BadSetting when the address cannot be used at all.
        """
        try:
            await self._listen()
        except OSError as error:
            await self.close()
            if error.errno == errno.EADDRINUSE:
                raise PortTaken(self._config.port) from error
            raise BadSetting("KEATON_WEB_PORT", error.strerror or str(error)) from error

    async def _listen(self) -> None:
        folder = self._config.upload_dir
        if folder is None:
            folder = Path(self._open.enter_context(tempfile.TemporaryDirectory(prefix="keaton-upload-")))
        await self._keep_history()
        self._open.push_async_callback(self._desk.close)
        connections = OpenConnections(self._config.connections)
        routes = Routes(self._desk, self._config, Uploads(folder, self._config), self._storage)
        app = routes.app(connections.middleware())
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S, logger=_ServerLog(logger))
        self._open.push_async_callback(runner.cleanup)
        await runner.setup()
        listening = connections.listening(runner, self._config.host, self._config.port)
        self._port = await self._open.enter_async_context(listening)

    async def _keep_history(self) -> None:
        config = self._config
        keeper = HistoryKeeper(
            self._desk.channel, self._desk.shelf, self._storage.history, config.scope, config.log_limit
        )
        await keeper.restore()
        writing = BackgroundTasks()
        writing.start(keeper.run())
        self._open.push_async_callback(writing.close)

    async def close(self) -> None:
        """Hang up on the tabs, stop what is under way and delete posted files."""
        await self._open.aclose()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        await self.close()
