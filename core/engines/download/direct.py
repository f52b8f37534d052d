"""Downloads one file with an access token, which is sent to the file's own origin only. Runs in the child."""

from __future__ import annotations

import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from email.message import Message
    from http.client import HTTPResponse
    from pathlib import Path
    from typing import IO

_CHUNK_BYTES = 1 << 16
_TIMEOUT_S = 20.0


class LoginPageError(Exception):
    """The site gives a page instead of the file: it does not take the token."""


class ProgressHook(Protocol):
    """Is told how far a download is; may raise."""

    def __call__(self, done_bytes: int, total_bytes: int | None, *, finished: bool) -> None:
        """Take the bytes that are there, and all that will come where the site says so."""
        ...


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and takes the token along to the same origin alone."""

    def __init__(self, url: str, token: str) -> None:
        self._origin = _origin(url)
        self._token = token

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> urllib.request.Request | None:
        request = super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]
        if request is not None and _origin(newurl) == self._origin:
            request.add_unredirected_header("Authorization", f"Bearer {self._token}")
        return request


@dataclass(frozen=True, slots=True)
class Download:
    """One file, from where an earlier attempt ended."""

    url: str
    token: str
    path: Path
    hear: ProgressHook

    def run(self) -> None:
        """Write the file. Raises LoginPageError, OSError (urllib's errors are), and what `hear` raises."""
        have_bytes = self.path.stat().st_size if self.path.exists() else 0
        with self._open(have_bytes) as response:
            if "text/html" in response.headers.get("Content-Type", ""):
                raise LoginPageError(self.url)
            if response.status != HTTPStatus.PARTIAL_CONTENT:
                have_bytes = 0
            self._write(response, have_bytes)

    def _open(self, have_bytes: int) -> HTTPResponse:
        request = urllib.request.Request(self.url, headers={"Accept-Encoding": "identity"})  # noqa: S310 - checked link
        request.add_unredirected_header("Authorization", f"Bearer {self.token}")
        if have_bytes:
            request.add_header("Range", f"bytes={have_bytes}-")
        handlers = (_Redirects(self.url, self.token), urllib.request.ProxyHandler({}))
        response: HTTPResponse = urllib.request.build_opener(*handlers).open(request, timeout=_TIMEOUT_S)
        return response

    def _write(self, response: HTTPResponse, have_bytes: int) -> None:
        length = response.headers.get("Content-Length")
        total_bytes = have_bytes + int(length) if length and length.isdecimal() else None
        done_bytes = have_bytes
        with self.path.open("ab" if have_bytes else "wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                file.write(chunk)
                done_bytes += len(chunk)
                self.hear(done_bytes, total_bytes, finished=False)
        if total_bytes is not None and done_bytes < total_bytes:
            raise ConnectionResetError(f"{done_bytes} of {total_bytes} bytes came")
        self.hear(done_bytes, total_bytes, finished=True)


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port
