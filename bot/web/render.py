"""Reply -> JSON for the page. Pure; must not know HTTP nor where messages are kept."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, urlsplit

from core.words import plain

if TYPE_CHECKING:
    from core.plot_ports import Theme
    from core.shown import Button, Entry, Link, Picture, Progress, Reply

Json: TypeAlias = dict[str, object]


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
    return {**shown, "film": picture.is_film}


def _entry(entry: Entry, reply: Reply, message: int) -> Json:
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
    return {**shown, "row": button.row}


def _link(link: Link) -> Json:
    return {"url": link.url, "label": plain(link.label)}


def _progress(progress: Progress) -> Json:
    return {"stage": progress.stage, "fraction": progress.fraction, "eta_s": progress.eta_s}
