"""Refuses requests of other users (no token) and of other sites' pages (Host and Origin).

Host is checked on every request, since a foreign name may point to 127.0.0.1; Origin on all that changes something and
on the event stream, since another site's page can neither omit nor forge it.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from aiohttp import ClientError, hdrs, web
from aiohttp.http import HttpProcessingError

from bot.web.access import shows

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.typedefs import Handler, Middleware

logger = logging.getLogger(__name__)

BROKEN = (ClientError, HttpProcessingError, web.RequestPayloadError, ConnectionError, EOFError)
"""What reading the body of a request raises where it does not come whole."""
_HARMLESS = frozenset({"GET", "HEAD"})
_POLICY = (
    "default-src 'self'; img-src 'self' blob: data:; connect-src 'self' ws://{host}; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def allowed_hosts(port: int) -> frozenset[str]:
    """Give the Host headers that a browser on this machine may send."""
    names = ("127.0.0.1", "localhost", "[::1]")
    with_port = {f"{name}:{port}" for name in names}
    return frozenset(with_port | set(names) if port == 80 else with_port)  # browsers leave 80 out


@web.middleware
async def refuse_strangers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to whatever does not come from this server's own page."""
    if request.host.lower() not in allowed_hosts(port_of(request)):
        raise web.HTTPForbidden(text="wrong host")
    if not _origin_fits(request):
        raise web.HTTPForbidden(text="wrong origin")
    return await handler(request)


@web.middleware
async def bear_breaks(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a request whose body breaks off, or is no HTTP, with 400 and a line of log: anybody can send those."""
    try:
        return await handler(request)
    except BROKEN as error:
        if request.method in _HARMLESS:
            raise
        logger.info("a request broke off (%s)", type(error).__name__)
        raise web.HTTPBadRequest(text="it broke off") from error


def ask_for(token: str, is_open: Callable[[web.Request], bool]) -> Middleware:
    """Return a middleware that answers 403 where the token is not shown, but for requests that are open to all."""

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not is_open(request) and not shows(request, token, port_of(request)):
            raise web.HTTPForbidden(text="no token: open the address that Keaton printed at its start")
        return await handler(request)

    return refuse


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that keep the page to itself (a signal handler of aiohttp)."""
    host = request.host if request.host.lower() in allowed_hosts(port_of(request)) else "127.0.0.1"
    response.headers[hdrs.CONTENT_SECURITY_POLICY] = _POLICY.format(host=host)
    response.headers[hdrs.X_CONTENT_TYPE_OPTIONS] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers.setdefault(hdrs.CACHE_CONTROL, "no-cache")


def _origin_fits(request: web.Request) -> bool:
    origin = request.headers.get(hdrs.ORIGIN)
    if origin is None:
        return request.method in _HARMLESS and hdrs.UPGRADE not in request.headers
    return origin.lower() == f"http://{request.host}".lower()


def port_of(request: web.Request) -> int:
    """Return the port that a request came to."""
    transport = request.transport
    port = transport.get_extra_info("sockname")[1] if transport is not None else 0
    return int(port)
