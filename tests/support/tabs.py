"""A browser tab as the server sees it, without the browser."""

from __future__ import annotations

import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from bot.web.config import WebConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import aiohttp

CONFIG = WebConfig(port=0, min_gap_s=0)


class Served(Protocol):
    """Whatever serves the page."""

    @property
    def url(self) -> str:
        """Give the page's address, without the token."""
        ...

    @property
    def address(self) -> str:
        """Give the page's address, with the token."""
        ...


class Tab:
    """One browser tab as the server sees it: a stream, and what it made of it."""

    def __init__(self, chat: Served, session: aiohttp.ClientSession, name: str) -> None:
        self.chat = chat
        self.session = session
        self.name = name
        self.origin = chat.url.rstrip("/")
        self.key = {"Authorization": f"Bearer {chat.address.partition('?token=')[2]}"}
        self.messages: dict[int, dict[str, Any]] = {}
        self.run = ""
        self.clock = 0
        self.hello: dict[str, Any] = {}
        self.raw: list[dict[str, Any]] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Tab]:
        query = {"client": self.name, "run": self.run, "since": str(self.clock)}
        address = self.chat.url + "api/stream"
        async with self.session.ws_connect(
            address, params=query, headers={"Origin": self.origin, **self.key}
        ) as self.socket:
            self.hello = await self.socket.receive_json(timeout=60)
            self.run = self.hello["run"]
            await self.take()
            yield self

    async def take(self) -> None:
        batch = await self.socket.receive_json(timeout=60)
        self.raw.append(batch)
        self.clock = batch["clock"]
        for message in batch["messages"]:
            if message.get("gone"):
                self.messages.pop(message["id"], None)
            else:
                self.messages[message["id"]] = message

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Give the first message that is wanted, as soon as there is one."""
        while True:
            for message in self.messages.values():
                if wanted(message):
                    return message
            await self.take()

    async def until_text(self, part: str) -> dict[str, Any]:
        return await self.until(lambda message: part in message["text"])

    async def post(self, path: str, body: dict[str, object], **headers: str) -> int:
        sent = {"Origin": self.origin, **self.key, **headers}
        data = {"client": self.name, **body}
        async with self.session.post(self.chat.url + path, json=data, headers=sent) as response:
            return response.status

    async def say(self, text: str) -> int:
        return await self.post("api/messages", {"text": text})

    async def send_file(self, name: str, content: bytes, text: str = "") -> int:
        query = {"client": self.name, "name": name, **({"text": text} if text else {})}
        address = self.chat.url + "api/files"
        headers = {"Origin": self.origin, **self.key}
        async with self.session.post(address, params=query, data=io.BytesIO(content), headers=headers) as response:
            return response.status

    async def get(self, path: str, **headers: str) -> tuple[int, bytes, Any]:
        async with self.session.get(self.origin + path, headers={**self.key, **headers}) as response:
            return response.status, await response.read(), response.headers
