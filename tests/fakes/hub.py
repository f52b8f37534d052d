"""A small Hugging Face hub on loopback: it speaks the HTTP that the hub's own client uses to download a file.

A large file's address redirects to a store elsewhere, with digest and size in headers, as the hub does for LFS. Pace,
breaks and damage are set by the test.
"""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

COMMIT = "0123456789abcdef0123456789abcdef01234567"
BLOCK = 1 << 16


@dataclass(eq=False)
class FakeHub:
    """What it has, how it behaves, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Content by "org/repo/file"."""
    break_after: int = 0
    """Each answer ends after so many bytes; 0 is never."""
    pause_s: float = 0.0
    """Before each block of 64 KB."""
    damaged: bool = False
    """What is sent is not what the digest says."""
    down: bool = False
    """Every request is answered with 503."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """(method, path, range) of each request."""
    may_send: threading.Event = field(default_factory=threading.Event)
    """Blocks of files are sent only while this is set."""

    def __post_init__(self) -> None:
        self.may_send.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def store(self) -> str:
        """Where large files lie: another host name, as the real one has."""
        return f"http://localhost:{self._server.server_port}/store"

    def ranges(self) -> list[str]:
        """Return the ranges of the downloads, "" for a whole file."""
        return [range_ for method, path, range_ in self.asked if method == "GET" and path.startswith("/store/")]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.may_send.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, hub: FakeHub, *rest: object) -> None:
        self.hub = hub
        super().__init__(*rest)  # type: ignore[arg-type] # the server's own

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - likewise
        pass

    def _answer(self) -> None:
        self.hub.asked.append((self.command, self.path, self.headers.get("Range", "")))
        if self.hub.down:
            self._head(503, {})
        elif self.path.startswith("/store/"):
            self._send(self.path.removeprefix("/store/"))
        else:
            self._resolve()

    def _resolve(self) -> None:
        """Say where a file is, as `/org/repo/resolve/main/file` does."""
        repo, _, rest = self.path.lstrip("/").partition("/resolve/")
        name = f"{repo}/{rest.partition('/')[2]}"
        content = self.hub.files.get(name)
        if content is None:
            self._head(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
            return
        digest = hashlib.sha256(content).hexdigest()
        headers = {"Location": f"{self.hub.store}/{name}", "X-Repo-Commit": COMMIT}
        self._head(302, {**headers, "X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content))})

    def _send(self, name: str) -> None:
        content = self.hub.files[name]
        if self.hub.damaged:
            content = bytes(len(content))
        begin = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
        part = content[begin:]
        headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else {}
        self._head(206 if begin else 200, {**headers, "Content-Length": str(len(part)), "ETag": '"stored"'})
        sent = part[: self.hub.break_after] if self.hub.break_after else part
        for at in range(0, len(sent), BLOCK):
            self.hub.may_send.wait()
            time.sleep(self.hub.pause_s)
            self.wfile.write(sent[at : at + BLOCK])
        if len(sent) < len(part):
            self.close_connection = True
            self.connection.close()

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Length": "0"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
