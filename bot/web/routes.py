"""The HTTP requests of the local chat, and uploads of files within limits.

Every request returns at once; answers come by the event stream.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import secrets
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar
from weakref import WeakSet

from aiohttp import WSCloseCode, hdrs, web
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from bot.doors.messages import is_picture
from bot.web.access import is_token, remember, shows
from bot.web.guard import ask_for, bear_breaks, harden, port_of, refuse_strangers
from bot.web.render import content_type
from core.errors import DiskFull, StorageUnusable
from core.limits import PICTURE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttp import StreamReader
    from aiohttp.typedefs import Middleware
    from multidict import istr

    from bot.web.config import WebConfig
    from bot.web.desk import PageDesk

log = logging.getLogger(__name__)


PAGE = Path(__file__).parent / "page"


_BODY_LIMIT_BYTES = 64_000


_HEARTBEAT_S = 20.0


_MOST_TEXT = 4000


Tab = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


Body = TypeVar("Body", bound=BaseModel)


class Said(BaseModel):
    """Body of a message."""

    client: Tab
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
    about: int | None = None
    """The message with the answer whose question these words refine."""


class Pressed(BaseModel):
    """Body of the press of a button."""

    client: Tab
    message: int
    id: Annotated[str, StringConstraints(min_length=1, max_length=100)]


@dataclass(slots=True)
class Routes:
    """Handlers of the requests."""

    desk: PageDesk
    config: WebConfig
    uploads: Uploads
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    """Tells a page whether the server it comes back to is the one that it knew."""
    _sockets: WeakSet[web.WebSocketResponse] = field(default_factory=WeakSet)

    def app(self, outermost: Middleware) -> web.Application:
        """Give the application with all routes."""
        guards = [outermost, refuse_strangers, bear_breaks, ask_for(self.config.token, _is_open)]
        app = web.Application(middlewares=guards, client_max_size=_BODY_LIMIT_BYTES)
        app.router.add_get("/", self.front)
        app.router.add_get("/page/{name}", self.page)
        app.router.add_get("/api/stream", self.stream)
        app.router.add_get("/media/{message}/{picture}", self.picture)
        app.router.add_post("/api/messages", self.message)
        app.router.add_post("/api/files", self.file)
        app.router.add_post("/api/actions", self.action)
        app.on_response_prepare.append(harden)
        app.on_shutdown.append(self._hang_up)
        return app

    async def front(self, request: web.Request) -> web.StreamResponse:
        """Give the page to whoever knows the token, and take the token out of the address."""
        token, port = self.config.token, port_of(request)
        if is_token(request.query.get("token", ""), token):
            response = web.Response(status=303, headers={hdrs.LOCATION: "/"})
            remember(response, token, port)
            return response
        if not shows(request, token, port):
            return web.FileResponse(PAGE / "locked.html", status=403)
        return web.FileResponse(PAGE / "index.html")

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Give a part of the page."""
        name = request.match_info["name"]
        if name not in {file.name for file in PAGE.iterdir()}:
            raise web.HTTPNotFound
        return web.FileResponse(PAGE / name)

    async def message(self, request: web.Request) -> web.Response:
        """Take a message."""
        said = await _body(request, Said)
        if said.about is not None and said.about in self.desk.channel:
            await self.desk.refine(said.text, said.about, said.client)
        else:
            await self.desk.say(said.text, said.client)
        return _accepted()

    async def action(self, request: web.Request) -> web.Response:
        """Take the press of a button."""
        pressed = await _body(request, Pressed)
        if pressed.message not in self.desk.channel:
            raise web.HTTPNotFound
        await self.desk.press(pressed.message, pressed.id, pressed.client)
        return _accepted()

    async def file(self, request: web.Request) -> web.Response:
        """Take a file: the body is its content, `?name=` its name; `?text=` beside a picture is what is asked."""
        tab = _tab(request)
        name = plain_name(request.query.get("name", ""))
        asks = is_picture(name, "")
        limit_bytes = min(self.config.upload_limit_bytes, PICTURE_BYTES) if asks else self.config.upload_limit_bytes
        try:
            path = await self.uploads.receive(request, name, limit_bytes)
        except StorageUnusable as error:
            await self.desk.refuse(error, tab, name)
            return _accepted()
        if asks:
            await self.desk.take_picture(path, name, request.query.get("text", "")[:_MOST_TEXT].strip(), tab)
        else:
            await self.desk.take_file(path, name, path.stat().st_size, tab)
        return _accepted()

    async def picture(self, request: web.Request) -> web.Response:
        """Return a picture. No browser may keep it: what is forgotten here must be forgotten there."""
        image = self.desk.shelf.find(request.match_info["picture"], request.query.get("theme", "light"))
        if image is None:
            raise web.HTTPNotFound
        headers = {hdrs.CACHE_CONTROL: "no-store", hdrs.ACCEPT_RANGES: "bytes"}
        if hdrs.RANGE in request.headers:
            return _part(request, image, headers)
        return web.Response(body=image, content_type=content_type(image), headers=headers)

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Send the log to a tab, then each change; `?run=` and `?since=` say what it knows already."""
        tab = _tab(request)
        since = _number(request.query.get("since")) if request.query.get("run") == self.run else 0
        socket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S)
        await socket.prepare(request)
        self._sockets.add(socket)
        feeding = asyncio.create_task(self._feed(socket, tab, since))
        try:
            async for _ in socket:
                pass  # a tab says nothing here; reading notices that it is gone
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
        return socket

    async def _feed(self, socket: web.WebSocketResponse, tab: str, since: int) -> None:
        try:
            await self._send_changes(socket, tab, since)
        except ConnectionError:
            log.debug("a tab went away")
        except Exception:
            log.exception("the stream of a tab broke")
        finally:
            await socket.close()

    async def _send_changes(self, socket: web.WebSocketResponse, tab: str, since: int) -> None:
        limit_bytes = self.config.upload_limit_bytes
        await socket.send_json({"run": self.run, "notice": self.config.notice, "upload_limit_bytes": limit_bytes})
        while not socket.closed:
            changes = self.desk.channel.changes(tab, since)
            since = changes.clock
            await socket.send_json({"clock": since, "oldest": changes.oldest, "messages": changes.messages})
            await self.desk.channel.moved(since)

    async def _hang_up(self, _app: web.Application) -> None:
        for socket in set(self._sockets):
            await socket.close(code=WSCloseCode.GOING_AWAY)


def _is_open(request: web.Request) -> bool:
    """Tell whether a request asks for what says nothing of anybody, or looks after the token by itself."""
    return request.method in {"GET", "HEAD"} and (request.path == "/" or request.path.startswith("/page/"))


async def _body(request: web.Request, kind: type[Body]) -> Body:
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType
    try:
        return kind.model_validate_json(await request.read())
    except ValidationError as error:
        raise web.HTTPBadRequest(text=str(error.error_count())) from error


def _part(request: web.Request, image: bytes, headers: dict[istr, str]) -> web.Response:
    """Give the part that a player asks for: it may jump about in what it plays only if it can have parts."""
    try:
        start, stop, _ = request.http_range.indices(len(image))
    except ValueError:
        start = stop = len(image)
    if start >= stop:
        refused = {hdrs.CONTENT_RANGE: f"bytes */{len(image)}"}
        raise web.HTTPRequestRangeNotSatisfiable(headers=refused)
    headers = {**headers, hdrs.CONTENT_RANGE: f"bytes {start}-{stop - 1}/{len(image)}"}
    return web.Response(status=206, body=image[start:stop], content_type=content_type(image), headers=headers)


def _tab(request: web.Request) -> str:
    try:
        return TypeAdapter(Tab).validate_python(request.query.get("client"))
    except ValidationError as error:
        raise web.HTTPBadRequest(text="client") from error


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and text.isascii() else 0


def _accepted() -> web.Response:
    return web.Response(status=202)


logger = logging.getLogger(__name__)


_CHUNK_BYTES = 1 << 20


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class UploadLimits(Protocol):
    """How much may be posted."""

    @property
    def uploads(self) -> int:
        """How many files may be on their way, or wait to be looked at."""
        ...

    @property
    def uploads_limit_bytes(self) -> int:
        """How large these may be together."""
        ...

    @property
    def upload_timeout_s(self) -> float:
        """How long one may be on its way."""
        ...


class Uploads:
    """A folder for posted files, bounded in their number, their size together, and the time that each takes."""

    def __init__(self, folder: Path, limits: UploadLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._bytes: dict[Path, int] = {}
        """How large each file is that lies here; of one on its way, how large it will be as far as known."""
        self._under_way: set[Path] = set()

    async def receive(self, request: web.Request, name: str, limit_bytes: int) -> Path:
        """Write the body of a request to a new file in the folder; nothing is left there when that fails.

        Raises HTTPRequestEntityTooLarge when it is larger than the limit, HTTPTooManyRequests when as much as may
        be posted lies here, HTTPRequestTimeout when it takes too long, one of `guard.BROKEN` when it breaks off, and
        StorageUnusable (DiskFull) when the folder cannot take it.
        """
        length_bytes = request.content_length or 0
        if length_bytes > limit_bytes:
            raise web.HTTPRequestEntityTooLarge(limit_bytes, length_bytes)
        self._count_what_lies()
        if len(self._bytes) >= self._limits.uploads:
            raise web.HTTPTooManyRequests(text=f"{len(self._bytes)} files wait already")
        path = self._folder / f"{uuid.uuid4().hex}{_suffix(name)}"
        self._under_way.add(path)
        try:
            self._grow(path, length_bytes)
            await self._write(request, path, limit_bytes)
        except BaseException:
            self._bytes.pop(path, None)
            path.unlink(missing_ok=True)
            raise
        finally:
            self._under_way.discard(path)
        return path

    def _count_what_lies(self) -> None:
        """Leave out what was looked at, and so deleted."""
        for path in [path for path in self._bytes if path not in self._under_way and not path.exists()]:
            del self._bytes[path]

    def _grow(self, path: Path, size_bytes: int) -> None:
        self._bytes[path] = max(size_bytes, self._bytes.get(path, 0))
        if sum(self._bytes.values()) > self._limits.uploads_limit_bytes:
            raise web.HTTPTooManyRequests(text="the files that wait already are too large together with this one")

    async def _write(self, request: web.Request, path: Path, limit_bytes: int) -> None:
        try:
            async with asyncio.timeout(self._limits.upload_timeout_s):
                await self._copy(request.content, path, limit_bytes)
        except TimeoutError as error:
            logger.info("an upload was given up after %.0f s", self._limits.upload_timeout_s)
            raise web.HTTPRequestTimeout from error

    async def _copy(self, content: StreamReader, path: Path, limit_bytes: int) -> None:
        with _disk(path.parent):
            file = await asyncio.to_thread(path.open, "xb")
        try:
            written_bytes = 0
            async for chunk in content.iter_chunked(_CHUNK_BYTES):
                written_bytes += len(chunk)
                if written_bytes > limit_bytes:
                    raise web.HTTPRequestEntityTooLarge(limit_bytes, written_bytes)
                self._grow(path, written_bytes)
                with _disk(path.parent):
                    await asyncio.to_thread(file.write, chunk)
        finally:
            with _disk(path.parent):
                await asyncio.to_thread(file.close)  # what is still buffered may not fit either


def plain_name(name: str) -> str:
    """Give a file's name without folders and control characters, at most 120 characters of it."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[-120:] or "video"


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Turn what the disk does wrong into StorageUnusable; a connection that breaks off is no matter of the disk."""
    try:
        yield
    except OSError as error:
        kind = DiskFull if error.errno in _NO_ROOM else StorageUnusable
        raise kind(str(folder), error.strerror or str(error)) from error


def _suffix(name: str) -> str:
    match = re.search(r"\.[A-Za-z0-9]{1,8}$", name)
    return match.group().lower() if match else ""
