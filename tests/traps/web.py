"""A loopback web of traps, and a canary that nobody may ever reach."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from tests.traps import videos

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

INTERNAL = "127.0.0.2"
"""An address of this machine that no setting allows."""
_BOMB_BYTES = 6_000_000_000
_LIE_BYTES = 10_000_000_000


@dataclass(eq=False)
class Canary:
    """Listens on every address of this machine; each connection is a hit."""

    port: int = 0
    hits: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://{INTERNAL}:{self.port}"

    async def met(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.hits.append(str(writer.get_extra_info("sockname")))
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Canary]:
    canary = Canary()
    four = await asyncio.start_server(canary.met, "0.0.0.0", 0)
    canary.port = four.sockets[0].getsockname()[1]
    six = await asyncio.start_server(canary.met, "::", canary.port)
    async with four, six:
        yield canary


def bomb() -> bytes:
    """Give some megabytes of gzip that unpack to gigabytes: one block of nothing, again and again."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 26)
    first, second = (packer.compress(start + block) + packer.flush(zlib.Z_FULL_FLUSH) for start in (b"<html>", b""))
    return first + second * (_BOMB_BYTES >> 26)


@dataclass(eq=False)
class Traps:
    """The web of traps: a path each."""

    folder: Path
    canary: Canary
    bomb: bytes
    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each request."""
    done: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.path, request.headers.get("Range", "")))
        name = request.path.strip("/")
        if name in self.moves:
            raise web.HTTPFound(self.moves[name])
        if name in self.texts:
            body, kind = self.texts[name]
            return web.Response(body=body, content_type=kind)
        if name.startswith("circles"):
            raise web.HTTPFound(f"/circles{int(name.removeprefix('circles') or 0) + 1}")
        acts = {"lie": self.lie, "drip": self.drip, "bomb": self.burst, "endless": self.endless, "halves": self.halves}
        if (act := acts.get(name.removesuffix(".mp4"))) is not None:
            return await act(request)
        if (self.folder / name).is_file():
            return web.FileResponse(self.folder / name)
        raise web.HTTPNotFound

    @property
    def moves(self) -> dict[str, str]:
        """Redirects to where nobody may go."""
        port = self.canary.port
        return {
            "metadata.mp4": "http://169.254.169.254/latest/meta-data/",
            "moved.mp4": self.canary.address + "/film.mp4",
            "decimal.mp4": f"http://2130706434:{port}/film.mp4",
            "octal.mp4": f"http://0177.0.0.02:{port}/film.mp4",
            "hex.mp4": f"http://0x7f.0x0.0x0.0x2:{port}/film.mp4",
            "six.mp4": f"http://[::1]:{port}/film.mp4",
            "mapped.mp4": f"http://[::ffff:{INTERNAL}]:{port}/film.mp4",
            "userinfo.mp4": f"http://films.example@{INTERNAL}:{port}/film.mp4",
            "any.mp4": f"http://0.0.0.0:{port}/film.mp4",
            "tofile.mp4": "file:///etc/hostname",
        }

    @property
    def texts(self) -> dict[str, tuple[bytes, str]]:
        """Playlists, manifests and pages that name the canary."""
        inside = self.canary.address
        lists = videos.playlists(inside)
        master = f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{inside}/low.m3u8\n".encode()
        key = f'#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXT-X-KEY:METHOD=AES-128,URI="{inside}/key"\n'
        page = f'<html><title>A video</title><video src="{inside}/a.mp4"></video></html>'
        frame = f'<html><title>A video</title><iframe src="{inside}/embed/1"></iframe><meta property="og:video" '
        hls, mp4, html = "application/vnd.apple.mpegurl", "video/mp4", "text/html"
        return {
            "segments.m3u8": (lists["m3u8"], hls),
            "file.m3u8": (lists["file"], hls),
            "master.m3u8": (master, hls),
            "key.m3u8": (f"{key}#EXTINF:5,\n/colours.mp4\n#EXT-X-ENDLIST\n".encode(), hls),
            "dash.mpd": (lists["mpd"], "application/dash+xml"),
            "smil.smil": (lists["smil"], "application/smil"),
            "page": (page.encode(), html),
            "frame": (f'{frame}content="{inside}/v.mp4"></html>'.encode(), html),
            **{f"renamed-{name}.mp4": (body, mp4) for name, body in lists.items()},
        }

    async def burst(self, request: web.Request) -> web.StreamResponse:
        """Give little that unpacks to much."""
        kind = "video/mp4" if request.path.endswith(".mp4") else "text/html"
        return web.Response(body=self.bomb, content_type=kind, headers={"Content-Encoding": "gzip"})

    async def lie(self, request: web.Request) -> web.StreamResponse:
        """Announce ten gigabytes."""
        response = web.StreamResponse(headers={"Content-Type": "video/mp4", "Content-Length": str(_LIE_BYTES)})
        await response.prepare(request)
        await response.write(bytes(1_000_000))
        await self.done.wait()
        return response

    async def drip(self, request: web.Request) -> web.StreamResponse:
        """Give a byte now and then, so that no socket ever times out."""
        kind = "video/mp4" if request.path.endswith(".mp4") else "text/html"
        response = web.StreamResponse(headers={"Content-Type": kind})
        await response.prepare(request)
        while not self.done.is_set():
            await response.write(b"<")
            await asyncio.sleep(0.05)
        return response

    async def endless(self, request: web.Request) -> web.StreamResponse:
        """Give a page that never ends."""
        response = web.StreamResponse(headers={"Content-Type": "text/html"})
        await response.prepare(request)
        while not self.done.is_set():
            await response.write(b"<p>" * 100_000)
        return response

    async def halves(self, request: web.Request) -> web.StreamResponse:
        """Break off after half of what is asked for, as long as that is much."""
        data = (self.folder / "colours.mp4").read_bytes()
        start = request.http_range.start or 0
        left = data[start:]
        sent = left[: len(left) // 2] if len(left) > len(data) // 8 else left
        length, shown = str(len(left)), f"bytes {start}-{len(data) - 1}/{len(data)}"
        headers = {"Content-Type": "video/mp4", "Content-Length": length, "Accept-Ranges": "bytes"}
        extra = {"Content-Range": shown} if start else {}
        response = web.StreamResponse(status=206 if start else 200, headers={**headers, **extra})
        await response.prepare(request)
        await response.write(sent)
        if len(sent) < len(left) and request.transport is not None:
            request.transport.close()
        return response


@asynccontextmanager
async def serving(traps: Traps) -> AsyncIterator[Traps]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", traps.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    traps.port = runner.addresses[0][1]
    try:
        yield traps
    finally:
        traps.done.set()
        await runner.cleanup()
