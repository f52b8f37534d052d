"""Files of a small Discord, under signed addresses that expire, and a site with videos. Knows no message's meaning."""

from __future__ import annotations

import time
from mimetypes import guess_type
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from tests.fakes import discord_world as world

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from tests.fakes.discord_world import Json, Message


class Cdn:
    """Serves files."""

    def __init__(self) -> None:
        self.url = ""
        self._files: dict[str, Path] = {}
        self._site: dict[str, Path] = {}
        self.fetched: list[str] = []
        self.dead_links = 0
        self.life_s = 3600.0
        """How long a posted file's first address works."""
        self.gates: dict[str, asyncio.Event] = {}
        """Videos that are given out only once their event is set, by name."""

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/attachments/{channel}/{file}/{name}", self._attachment)
        app.router.add_get("/site/{name}", self._video)

    def publish(self, video: Path, name: str = "") -> str:
        """Put a video onto the site; give its link."""
        self._site[name or video.name] = video
        return f"{self.url}/site/{name or video.name}"

    def take(self, file: Path, channel_id: int) -> Json:
        """Keep an attachment; give it as messages show it."""
        file_id = str(world.new_id())
        self._files[file_id] = file
        path = f"{self.url}/attachments/{channel_id}/{file_id}/{file.name}"
        size = file.stat().st_size
        made = {"id": file_id, "filename": file.name, "size": size, "url": path, "proxy_url": path}
        return self.signed({**made, "content_type": guess_type(file.name)[0] or "video/mp4"}, self.life_s)

    def signed(self, attachment: Json, life_s: float = 3600.0) -> Json:
        """Give an attachment with a fresh address."""
        plain = str(attachment["url"]).split("?", 1)[0]
        signed = f"{plain}?ex={int(time.time() + life_s):x}&is=1&hm=2"
        return {**attachment, "url": signed, "proxy_url": signed}

    def place(self, message: Message) -> None:
        """Give the pictures of a card addresses, as Discord does."""
        for part in world.walk(message.components):
            for item in part.get("items", []):
                name = str(item["media"]["url"]).removeprefix("attachment://")
                url = f"{self.url}/shown/{message.id}/{name}"
                item["media"] |= {"url": url, "proxy_url": url, "width": 1, "height": 1, "content_type": "image/jpeg"}
                item["name"] = name

    async def _attachment(self, request: web.Request) -> web.StreamResponse:
        ends_s = int(parse_qs(urlsplit(str(request.url)).query).get("ex", ["0"])[0], 16)
        if ends_s < time.time():
            self.dead_links += 1
            raise web.HTTPNotFound(text="This content is no longer available.")
        return await self._give(self._files.get(request.match_info["file"]), request)

    async def _video(self, request: web.Request) -> web.StreamResponse:
        return await self._give(self._site.get(request.match_info["name"]), request)

    async def _give(self, file: Path | None, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if file is None:
            raise web.HTTPNotFound
        if request.method == "GET":
            self.fetched.append(name)
        if name in self.gates:
            await self.gates[name].wait()
        return web.FileResponse(file)
