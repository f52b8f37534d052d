"""The health checks, and `/healthz` and `/metrics` on a loopback address."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiohttp import web

from bot.monitoring.metrics import CONTENT_TYPE
from bot.web.connections import ConnectionLimits, OpenConnections
from bot.web.guard import refuse_strangers
from core.errors import BadSetting, PortTaken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager

    from bot.monitoring.metrics import Metrics

HOST = "127.0.0.1"


_CHECK_S = 5.0


_CONNECTIONS = ConnectionLimits(most=32)


_SHUTDOWN_S = 0.5


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so for Keaton to do its work."""

    name: str
    ask: Callable[[], Awaitable[str]]
    """Returns a sentence that says what is wrong, or "". Raises nothing."""


@dataclass(frozen=True, slots=True)
class Health:
    """Answers whether all is well."""

    checks: Sequence[Check]
    patience_s: float = _CHECK_S
    """How long each of them may take."""

    async def report(self) -> dict[str, str]:
        """Return for each check "ok" or a sentence; one that does not answer in time is wrong too."""
        said = await asyncio.gather(*(self._answer(check) for check in self.checks))
        return dict(zip((check.name for check in self.checks), said, strict=True))

    async def _answer(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self.patience_s):
                return await check.ask() or "ok"
        except TimeoutError:
            return f"The check of the {check.name} does not answer."


@asynccontextmanager
async def serve_watch(port: int, health: Health, metrics: Metrics) -> AsyncIterator[int]:
    """Serve until left; yield the port. Raises PortTaken, BadSetting."""

    async def healthz(_request: web.Request) -> web.Response:
        report = await health.report()
        wrong = [said for said in report.values() if said != "ok"]
        return web.json_response({"ok": not wrong, "wrong": wrong, "checks": report}, status=503 if wrong else 200)

    async def figures(_request: web.Request) -> web.Response:
        return web.Response(body=await asyncio.to_thread(metrics.text), headers={"Content-Type": CONTENT_TYPE})

    connections = OpenConnections(_CONNECTIONS)
    app = web.Application(middlewares=[connections.middleware(), refuse_strangers])
    app.add_routes([web.get("/healthz", healthz), web.get("/metrics", figures)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    try:
        async with AsyncExitStack() as opened:
            yield await _listen(opened, connections.listening(runner, HOST, port), port)
    finally:
        await runner.cleanup()


async def _listen(opened: AsyncExitStack, listening: AbstractAsyncContextManager[int], port: int) -> int:
    try:
        return await opened.enter_async_context(listening)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port, "KEATON_WATCH_PORT") from error
        raise BadSetting("KEATON_WATCH_PORT", error.strerror or str(error)) from error
