"""The banner at the top of the page: a sentence, how far something is, and at most one button."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Banner:
    """What stands there."""

    text: str
    """"" hides it."""
    share: float | None = None
    """How much of it is done, from 0 to 1."""
    button: str = ""
    """The label of the button; "" is none."""

    def body(self) -> dict[str, object]:
        """Return it as the page takes it."""
        return {"text": self.text, "share": self.share, "button": self.button}


class BannerBoard:
    """Holds the banner that all tabs show, and hears of its button."""

    def __init__(self) -> None:
        self._banner = Banner("")
        self._is_pressed = False
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def banner(self) -> Banner:
        """Return what stands there now."""
        return self._banner

    def show(self, banner: Banner) -> None:
        """Show another one."""
        self._banner = banner
        self._wake()

    async def changed(self, shown: Banner) -> Banner:
        """Wait until another banner than this stands there, and return it."""
        while self._banner == shown:
            await self._news()
        return self._banner

    def press(self) -> None:
        """Take a press of the button; without one it means nothing."""
        self._is_pressed = bool(self._banner.button)
        self._wake()

    async def pressed(self) -> None:
        """Wait for a press that nobody has waited for yet."""
        while not self._is_pressed:
            await self._news()
        self._is_pressed = False

    async def _news(self) -> None:
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        try:
            await news
        finally:
            self._waiting.discard(news)

    def _wake(self) -> None:
        for news in self._waiting:
            if not news.done():
                news.set_result(None)
