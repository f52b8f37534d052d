"""The pictures of shown replies, in memory, bounded. Must not know which message shows what."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from bot.web.render import picture_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.plot_ports import Theme
    from core.shown import Picture


class PictureShelf:
    """Keeps pictures by their key; the longest unseen go when it is full."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._size_bytes = 0
        self._shelf: OrderedDict[str, dict[Theme, bytes]] = OrderedDict()

    def keep(self, picture: Picture) -> None:
        """Put a picture on the shelf; the newest one stays, however large."""
        key = picture_key(picture)
        if key not in self._shelf:
            self._shelf[key] = picture.data
            self._size_bytes += _size_bytes(picture.data)
        self._shelf.move_to_end(key)
        while self._size_bytes > self._limit_bytes and len(self._shelf) > 1:
            self._size_bytes -= _size_bytes(self._shelf.popitem(last=False)[1])

    def drop(self, keys: Sequence[str]) -> None:
        """Take pictures off the shelf."""
        for key in keys:
            self._size_bytes -= _size_bytes(self._shelf.pop(key, {}))

    def find(self, key: str, theme: str) -> bytes | None:
        """Give a picture in a theme, or in the one it has; None when it is gone."""
        data = self._shelf.get(key)
        if not data:
            return None
        self._shelf.move_to_end(key)
        return next((image for name, image in data.items() if name == theme), next(iter(data.values())))


def _size_bytes(data: dict[Theme, bytes]) -> int:
    return sum({id(image): len(image) for image in data.values()}.values())


def content_type(image: bytes) -> str:
    """Tell the type of an encoded picture, still or moving, by its first bytes."""
    if image.startswith(b"\x89PNG"):
        return "image/png"
    if image.startswith(b"\xff\xd8"):
        return "image/jpeg"
    if image[8:12] == b"WEBP":
        return "image/webp"
    if image.startswith(b"GIF8"):
        return "image/gif"
    if image[4:8] == b"ftyp":
        return "video/mp4"
    return "application/octet-stream"
