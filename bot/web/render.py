"""Renders a reply as JSON for the page, and keeps the pictures of shown replies in memory."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, urlsplit

from core.formatting import plain
from core.model.actions import lists
from core.model.reply import Picture
from core.wording.answers import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.reply import Button, Link, ListEntry, LivePlot, Progress, Reply, SourceFrame, StripMoment, Theme


class PictureCache:
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

    def hold(self, name: str, data: bytes) -> str:
        """Put a picture that somebody asks about on the shelf, for as long as this runs; return its key."""
        picture = Picture("thumb", name, "", {"light": data, "dark": data})
        self.keep(picture)
        return picture_key(picture)

    def drop(self, keys: Sequence[str]) -> None:
        """Take pictures off the shelf."""
        for key in keys:
            self._size_bytes -= _size_bytes(self._shelf.pop(key, {}))

    def all_of(self, key: str) -> dict[Theme, bytes]:
        """Return a picture in each of its themes; the same bytes once."""
        data = self._shelf.get(key, {})
        return data if len(set(data.values())) > 1 else dict(list(data.items())[:1])

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


Json: TypeAlias = dict[str, object]

_JPEG_SIZES = frozenset({0xC0, 0xC1, 0xC2})
"""Markers of the segments that say how large a JPEG is: baseline, extended, progressive."""


def face(reply: Reply, message: int) -> Json:
    """Give what the page shows for a reply that stands as this message."""
    return {
        "title": plain(reply.title),
        "text": "" if reply.entries else plain(reply.text),
        "entries": [_entry(one, reply, message) for one in reply.entries],
        "tone": reply.tone,
        "pictures": [_picture(one, message) for one in reply.pictures if one.kind != "thumb"],
        "buttons": [_button(button) for button in reply.buttons],
        "links": [_link(link) for link in reply.links if is_web(link.url)],
        "progress": _progress(reply.progress) if reply.progress else None,
        "plot": _plot(reply.plot) if reply.plot else None,
        "level": {"name": reply.level, "words": verdict(reply.level)} if reply.level else None,
        "details": plain(reply.details),
        "strip": [_moment(one) for one in reply.strip],
        "like": _like(reply.like) if reply.like else None,
        "gallery": any(lists(button.id) for button in reply.buttons) or bool(reply.entries),
    }


def picture_key(picture: Picture) -> str:
    """Return a file name that no other picture has."""
    digest = hashlib.sha256(b"".join(picture.data[theme] for theme in sorted(picture.data))).hexdigest()
    return f"{digest[:16]}-{re.sub(r'[^A-Za-z0-9._-]+', '-', picture.name)[-60:]}"


def is_web(url: str) -> bool:
    """Tell whether a link may be offered for clicking: http and https alone."""
    try:
        return urlsplit(url).scheme in {"http", "https"}
    except ValueError:
        return False


def _picture(picture: Picture, message: int) -> Json:
    address = f"/media/{message}/{quote(picture_key(picture))}"
    urls: dict[Theme, str] = {theme: f"{address}?theme={theme}" for theme in picture.data}
    if len(set(picture.data.values())) == 1:
        urls = dict.fromkeys(urls, address)
    shown: Json = {"kind": picture.kind, "name": picture.name, "alt": plain(picture.alt), "urls": urls}
    width_px, height_px = size_px(next(iter(picture.data.values()), b""))
    return {**shown, "video": picture.is_video, "width": width_px, "height": height_px}


def size_px(image: bytes) -> tuple[int, int]:
    """Return width and height of a PNG or JPEG by its header, so that the page keeps room for it; 0 of others.

    No library reads it: what is drawn may come from a strangers' video.
    """
    if image.startswith(b"\x89PNG"):
        return int.from_bytes(image[16:20]), int.from_bytes(image[20:24])
    if not image.startswith(b"\xff\xd8"):
        return 0, 0
    at = 2
    while at + 9 < len(image) and image[at] == 0xFF:
        kind, length = image[at + 1], int.from_bytes(image[at + 2 : at + 4])
        if kind in _JPEG_SIZES:
            return int.from_bytes(image[at + 7 : at + 9]), int.from_bytes(image[at + 5 : at + 7])
        at += 2 + length
    return 0, 0


def _entry(entry: ListEntry, reply: Reply, message: int) -> Json:
    shown: Json = {"title": plain(entry.title), "text": plain(entry.text)}
    picture = next((one for one in reply.pictures if one.name == entry.picture), None)
    link = entry.link if entry.link and is_web(entry.link.url) else None
    return {
        **shown,
        "link": _link(link) if link else None,
        "picture": _picture(picture, message) if picture else None,
    }


def _button(button: Button) -> Json:
    shown: Json = {"id": button.id, "label": plain(button.label), "active": button.active, "enabled": button.enabled}
    return {**shown, "row": button.row, "more": button.more}


def _moment(one: StripMoment) -> Json:
    shown: Json = {"number": one.number, "video": one.video_id, "title": plain(one.title), "label": one.label}
    told: Json = {"level": one.level, "words": one.words, "id": one.id, "active": one.active}
    return {**shown, **told, "at_s": one.at_s, "span_s": one.span_s}


def _like(source: SourceFrame) -> Json:
    words = "Looking for frames like this one"
    return {"video": source.video_id, "at_s": source.at_s, "words": words}


def _plot(plot: LivePlot) -> Json:
    return {
        "video": plot.video_id,
        "label": plain(plot.label),
        "duration_s": plot.duration_s,
        "style": plot.style,
        "times_s": plot.times_s,
        "lines": [{"text": plain(one.text), "values": one.values} for one in plot.lines],
        "band": plot.band,
        "marks": [asdict(one) for one in plot.marks],
        "at_s": plot.at_s,
        "cut_s": plot.cut_s,
        "go": plot.go_id,
        "cut": plot.cut_id,
    }


def _link(link: Link) -> Json:
    return {"url": link.url, "label": plain(link.label)}


def _progress(progress: Progress) -> Json:
    return {"stage": progress.stage, "fraction": progress.fraction, "eta_s": progress.eta_s}
