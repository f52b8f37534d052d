"""The token in the page's address, which keeps the machine's other users out."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import hdrs

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttp import web

TOKEN_FILE = "page-token"  # noqa: S105 - the name of the file
OPENING_FILE = "page-open.html"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32,}")
_COOKIE_S = 400 * 24 * 3600
"""The longest that browsers keep a cookie."""


def new_token() -> str:
    """Return a token that nobody can guess."""
    return secrets.token_urlsafe(32)


def kept_token(folder: Path) -> str:
    """Return the token of a data folder, making one where there is none: bookmarks work after a restart, too. Blocks.

    Raises OSError.
    """
    path = folder / TOKEN_FILE
    if path.exists():
        with suppress(OSError):  # as on a disk that knows no modes
            path.chmod(0o600)
        token = path.read_text(encoding="ascii", errors="replace").strip()
        if _TOKEN.fullmatch(token):
            return token
        path.unlink()
    token = new_token()
    _write_new(path, token + "\n")
    return token


def opening_page(folder: Path, address: str) -> Path:
    """Write a page that leads on to the chat, for the browser that is started: others see a command line. Blocks.

    Raises OSError.
    """
    path = folder / OPENING_FILE
    path.unlink(missing_ok=True)
    _write_new(path, f'<!doctype html><meta http-equiv="refresh" content="0;url={address}"><title>Keaton</title>\n')
    return path


def shows(request: web.Request, token: str, port: int) -> bool:
    """Tell whether a request shows the token: in its cookie, or as `Authorization: Bearer`."""
    scheme, _, credentials = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    in_header = is_token(credentials if scheme.lower() == "bearer" else "", token)
    return is_token(request.cookies.get(cookie_name(port), ""), token) or in_header


def is_token(shown: str, token: str) -> bool:
    """Compare in a time that says nothing of how much fits."""
    return secrets.compare_digest(shown.encode(errors="replace"), token.encode())


def cookie_name(port: int) -> str:
    """Return the cookie's name; browsers keep cookies of a host together, whatever its port."""
    return f"keaton-{port}"


def remember(response: web.Response, token: str, port: int) -> None:
    """Have the browser show the token from now on, to no script and on no request that another site's page makes."""
    response.set_cookie(cookie_name(port), token, max_age=_COOKIE_S, httponly=True, samesite="Lax", path="/")


def _write_new(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(text)
