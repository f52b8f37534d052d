"""Keeps other sites out: only pages that this very server gave out may talk to it.

Host is checked on every request (a name that somebody points at 127.0.0.1 does not match), Origin on all that
changes something and on the stream (another site's page cannot leave it out or forge it). Must not know any route.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import hdrs, web

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

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
async def refuse_strangers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer 403 to whatever does not come from this server's own page."""
    if request.host.lower() not in allowed_hosts(_port(request)):
        raise web.HTTPForbidden(text="wrong host")
    if not _origin_fits(request):
        raise web.HTTPForbidden(text="wrong origin")
    return await handler(request)


async def harden(request: web.Request, response: web.StreamResponse) -> None:
    """Add the headers that keep the page to itself (a signal handler of aiohttp)."""
    host = request.host if request.host.lower() in allowed_hosts(_port(request)) else "127.0.0.1"
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


def _port(request: web.Request) -> int:
    transport = request.transport
    port = transport.get_extra_info("sockname")[1] if transport is not None else 0
    return int(port)
