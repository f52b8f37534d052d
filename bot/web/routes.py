"""The HTTP requests of the local chat.

Every request returns at once; answers come by the event stream.
"""

from __future__ import annotations

import asyncio
import logging
import math
import mimetypes
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from weakref import WeakSet

from aiohttp import WSCloseCode, hdrs, web
from pydantic import BaseModel, StringConstraints, TypeAdapter, ValidationError

from bot.doors.messages import is_picture
from bot.web.access import is_token, remember, shows
from bot.web.connections import SentFile
from bot.web.guard import ask_for, bear_breaks, harden, port_of, refuse_strangers
from bot.web.render import content_type
from bot.web.uploads import plain_name
from core.errors import StorageUnusable
from core.limits import PICTURE_BYTES

if TYPE_CHECKING:
    from aiohttp.typedefs import Middleware
    from multidict import istr

    from bot.web.banner import Banner
    from bot.web.config import WebConfig
    from bot.web.desk import PageDesk
    from bot.web.uploads import Uploads
    from bot.web.videos import PageStorage

log = logging.getLogger(__name__)


PAGE = Path(__file__).parent / "page"


_BODY_LIMIT_BYTES = 64_000


_HEARTBEAT_S = 20.0


_MOST_TEXT = 4000


Tab = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]


Body = TypeVar("Body", bound=BaseModel)


class FromTab(BaseModel):
    """Body of what needs no more than to come from the page."""

    client: Tab


class Said(BaseModel):
    """Body of a message."""

    client: Tab
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=_MOST_TEXT)]
    about: int | None = None
    """The message with the answer whose question these words refine."""


class Dropped(BaseModel):
    """Body of a video's removal from the gallery."""

    client: Tab
    video: Annotated[str, StringConstraints(min_length=1, max_length=200)]


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
    storage: PageStorage
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
        app.router.add_get("/videos/{video}", self.video)
        app.router.add_get("/thumbs/{video}", self.thumbnail)
        app.router.add_get("/api/videos", self.gallery)
        app.router.add_get("/api/suggestions", self.suggestions)
        app.router.add_post("/api/messages", self.message)
        app.router.add_post("/api/files", self.file)
        app.router.add_post("/api/actions", self.action)
        app.router.add_post("/api/banner", self.banner)
        app.router.add_post("/api/forget", self.forget)
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

    async def banner(self, request: web.Request) -> web.Response:
        """Take a press of the banner's button."""
        await _body(request, FromTab)
        self.config.banner.press()
        return _accepted()

    async def forget(self, request: web.Request) -> web.Response:
        """Forget a video that the gallery shows."""
        dropped = await _body(request, Dropped)
        await self.desk.forget(dropped.video, dropped.client)
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
        key, theme = request.match_info["picture"], request.query.get("theme", "light")
        message = _number(request.match_info["message"])
        image = self.desk.shelf.find(key, theme) or await self.storage.history.picture(message, key, theme)
        if image is None:
            raise web.HTTPNotFound
        headers = {hdrs.CACHE_CONTROL: "no-store", hdrs.ACCEPT_RANGES: "bytes"}
        if hdrs.RANGE in request.headers:
            return _part(request, image, headers)
        return web.Response(body=image, content_type=content_type(image), headers=headers)

    async def video(self, request: web.Request) -> web.StreamResponse:
        """Return the kept file of a video, or the part of it that a player asks for. No browser may keep it."""
        path = await self.storage.videos.file(request.match_info["video"])
        if path is None:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(path.name)[0] or ""
        headers = {hdrs.CACHE_CONTROL: "no-store"}
        # A player goes by what the file holds; anything else must not be taken for a page.
        headers[hdrs.CONTENT_TYPE] = kind if kind.startswith(("video/", "audio/")) else "video/mp4"
        response = SentFile(path, headers=headers)
        await response.prepare(request)
        return response

    async def thumbnail(self, request: web.Request) -> web.Response:
        """Return the small picture of a video that is nearest to `?at=` seconds; `?from=` and `?to=` bound it."""
        at_s, start_s, end_s = (_seconds(request.query.get(name)) for name in ("at", "from", "to"))
        span_s = (start_s, end_s) if start_s is not None and end_s is not None else None
        jpeg = await self.storage.videos.thumbnail(request.match_info["video"], at_s, span_s)
        if jpeg is None:
            raise web.HTTPNotFound
        return web.Response(body=jpeg, content_type="image/jpeg", headers={hdrs.CACHE_CONTROL: "no-store"})

    async def gallery(self, _request: web.Request) -> web.Response:
        """Return all videos that are posted here."""
        return web.json_response(
            {"videos": await self.storage.videos.listed()}, headers={hdrs.CACHE_CONTROL: "no-store"}
        )

    async def suggestions(self, request: web.Request) -> web.Response:
        """Return how the message in `?text=` may go on."""
        found = await self.storage.videos.suggested(request.query.get("text", "")[:_MOST_TEXT])
        return web.json_response({"suggestions": found}, headers={hdrs.CACHE_CONTROL: "no-store"})

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
            shown, limit_bytes = self.config.banner.banner, self.config.upload_limit_bytes
            await socket.send_json({"run": self.run, "banner": shown.body(), "upload_limit_bytes": limit_bytes})
            async with asyncio.TaskGroup() as both:
                both.create_task(self._send_banners(socket, shown))
                both.create_task(self._send_changes(socket, tab, since))
        except* ConnectionError:
            log.debug("a tab went away")
        except* Exception:
            log.exception("the stream of a tab broke")
        finally:
            await socket.close()

    async def _send_banners(self, socket: web.WebSocketResponse, shown: Banner) -> None:
        while not socket.closed:
            shown = await self.config.banner.changed(shown)
            await socket.send_json({"banner": shown.body()})

    async def _send_changes(self, socket: web.WebSocketResponse, tab: str, since: int) -> None:
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


def _seconds(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _accepted() -> web.Response:
    return web.Response(status=202)
