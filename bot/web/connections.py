"""The connections that a server on this machine has open: so many at most, and none that stands idle for long.

Any user of the machine can connect, without the token. Each connection takes a descriptor of the whole process, so that
the number is bounded well below the process's own limit, and what asks for nothing in time is hung up on.
"""

from __future__ import annotations

import asyncio
import resource
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.typedefs import Handler, Middleware

_OPEN_FILES = 8192
_SHARE = 4
"""Of all descriptors that the process may have, one in so many is for the connections of one server."""


def raise_open_files() -> int:
    """Have as many descriptors as the system grants for the asking, up to 8,192; return how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS bounds it closer than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much strangers may hold."""

    most: int = 256
    idle_s: float = 10.0
    """How long a connection may be without a whole request: before the first one, and between two."""
    sending_s: float = 60.0
    """How long a reply may take to be fetched, the stream excepted."""


class SentFile(web.FileResponse):
    """A file that its handler sends by `prepare`: only so its sending counts as part of the request.

    aiohttp prepares each response once more after the handler, and would send a file a second time.
    """

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the file, once."""
        return self._payload_writer if self.prepared else await super().prepare(request)


@dataclass(eq=False)
class OpenConnections:
    """The open connections of one server."""

    limits: ConnectionLimits
    _open: dict[asyncio.BaseTransport, _Connection] = field(default_factory=dict)

    def middleware(self) -> Middleware:
        """Return the outermost middleware: while it runs, its connection is not idle."""

        @web.middleware
        async def keep(request: web.Request, handler: Handler) -> web.StreamResponse:
            connection = self._open.get(request.transport) if request.transport else None
            if connection is None:
                return await handler(request)
            connection.requests += 1
            try:
                return await self._sent(request, await handler(request))
            finally:
                connection.requests -= 1
                connection.idle_since_s = asyncio.get_running_loop().time()

        return keep

    async def _sent(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Send a response here and not after the middlewares, so that its sending counts as part of the request.

        Files would be sent twice; those that the page is made of are small enough to be fetched within `idle_s`. Larger
        ones are sent by their handlers, for as long as they are fetched (`SentFile`).
        """
        if not response.prepared and not isinstance(response, web.FileResponse):
            try:
                async with asyncio.timeout(self.limits.sending_s):
                    await response.prepare(request)
                    await response.write_eof()
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
                raise ConnectionResetError("the reply was not fetched") from None
        return response

    @asynccontextmanager
    async def listening(self, runner: web.AppRunner, host: str, port: int) -> AsyncIterator[int]:
        """Accept connections for a runner that was set up; give the port. Raises OSError."""
        handlers, loop = runner.server, asyncio.get_running_loop()
        if handlers is None:
            raise RuntimeError("the runner was not set up")
        server = await loop.create_server(lambda: _Connection(self, handlers()), host, port)
        sweeping = asyncio.create_task(self._sweep())
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            sweeping.cancel()
            server.close()

    def admit(self, connection: _Connection, transport: asyncio.Transport) -> bool:
        """Note a new connection, in place of the one that is idle for longest when there are too many.

        Return whether there is room.
        """
        if len(self._open) >= self._most:
            idle = [one for one in self._open.values() if not one.requests]
            if not idle:
                return False
            min(idle, key=lambda one: one.idle_since_s).hang_up()
        self._open[transport] = connection
        return True

    def forget(self, transport: asyncio.BaseTransport) -> None:
        """Note that a connection is no more."""
        self._open.pop(transport, None)

    @property
    def _most(self) -> int:
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return self.limits.most if soft == resource.RLIM_INFINITY else min(self.limits.most, max(1, soft // _SHARE))

    async def _sweep(self) -> None:
        """Hang up on what is idle for too long."""
        while True:
            await asyncio.sleep(self.limits.idle_s / 10)
            late_s = asyncio.get_running_loop().time() - self.limits.idle_s
            for connection in tuple(self._open.values()):
                if not connection.requests and connection.idle_since_s < late_s:
                    connection.hang_up()


class _Connection(asyncio.Protocol):
    """Passes all that happens on to the server's own handler, if there is room for it."""

    def __init__(self, connections: OpenConnections, handler: asyncio.Protocol) -> None:
        self.requests = 0
        """That are being answered."""
        self.idle_since_s = asyncio.get_running_loop().time()
        self._connections = connections
        self._handler = handler
        self._transport: asyncio.Transport | None = None
        self._is_admitted = False

    def hang_up(self) -> None:
        """Close at once; what was not sent yet is dropped."""
        if self._transport is not None:
            self._connections.forget(self._transport)
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or end it."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("no stream")
        self._transport = transport
        self._is_admitted = self._connections.admit(self, transport)
        if self._is_admitted:
            self._handler.connection_made(transport)
        else:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Pass it on."""
        if self._is_admitted:
            self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._handler.eof_received() if self._is_admitted else None

    def pause_writing(self) -> None:
        """Pass it on."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._handler.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._transport is not None:
            self._connections.forget(self._transport)
        if self._is_admitted:
            self._handler.connection_lost(exc)
