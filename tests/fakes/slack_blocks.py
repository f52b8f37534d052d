"""What Slack would refuse in a message's Block Kit payload, by the documented limits; and what it must not say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.slack_world import File, Json

_TOKEN = re.compile(r"<([^<>]*)>")
_MOST = {"header": 150, "section": 3000, "button": 75}


def complaints(blocks: list[Json], files: dict[str, File]) -> list[str]:
    """Give what Slack would answer `invalid_blocks` to."""
    found = [] if len(blocks) <= 50 else [f"{len(blocks)} blocks"]
    ids = [one["block_id"] for one in blocks if "block_id" in one]
    if len(ids) != len(set(ids)):
        found.append(f"the same block_id twice: {ids}")
    for block in blocks:
        found += _block(block, files)
    return found


def pings(payload: Json) -> list[str]:
    """Give what might ping somebody or turn a stranger's words into markup; that Slack would allow."""
    found = [f"may link names: {key}" for key in ("link_names",) if payload.get(key) not in {None, False, "0"}]
    texts = [payload.get("text") or "", *_texts(payload.get("blocks") or [])]
    for text in texts:
        tokens = [token for token in _TOKEN.findall(text) if not token.startswith(("http://", "https://"))]
        found += [f"an unescaped token <{token}> in {text!r}" for token in tokens]
        if re.search(r"&(?!amp;|lt;|gt;)", text):
            found.append(f"an unescaped & in {text!r}")
    return found


def _block(block: Json, files: dict[str, File]) -> Iterator[str]:
    match block["type"]:
        case "header":
            yield from _text(block["text"], "plain_text", _MOST["header"])
        case "section":
            yield from _text(block["text"], None, _MOST["section"])
            if "accessory" in block:
                yield from _image(block["accessory"], files)
        case "context":
            if not 1 <= len(block["elements"]) <= 10:
                yield f"{len(block['elements'])} elements in a context"
            for one in block["elements"]:
                yield from _text(one, None, 3000)
        case "actions":
            yield from _actions(block["elements"])
        case "image":
            yield from _image(block, files)
        case other:
            yield f"a block of type {other}"


def _text(text: Json, kind: str | None, most: int) -> Iterator[str]:
    if text["type"] not in ({kind} if kind else {"plain_text", "mrkdwn"}):
        yield f"a text of type {text['type']}"
    if not 1 <= len(text["text"]) <= most:
        yield f"a text of {len(text['text'])} where {most} are allowed"
    wrong = {"verbatim"} if text["type"] == "plain_text" else {"emoji"}
    if wrong & set(text):
        yield f"{wrong} in a {text['type']}"


def _actions(elements: list[Json]) -> Iterator[str]:
    if not 1 <= len(elements) <= 25:
        yield f"{len(elements)} elements in actions"
    ids = [one["action_id"] for one in elements]
    if len(ids) != len(set(ids)):
        yield f"the same action_id twice: {ids}"
    for one in elements:
        if one["type"] == "static_select":
            yield from _select(one)
            continue
        yield from _text(one["text"], "plain_text", _MOST["button"])
        if not 1 <= len(one["action_id"]) <= 255 or len(one.get("value", "")) > 2000:
            yield f"a bad action_id or value: {one}"
        if one.get("style") not in {None, "primary", "danger"}:
            yield f"a style {one['style']}"


def _select(menu: Json) -> Iterator[str]:
    """Select menu element: a placeholder, and 1 to 100 options, each with a text and a value."""
    yield from _text(menu["placeholder"], "plain_text", 150)
    values = [one["value"] for one in menu["options"]]
    if (
        not 1 <= len(values) <= 100
        or len(values) != len(set(values))
        or any(not 1 <= len(one) <= 150 for one in values)
    ):
        yield f"a menu of {values}"
    for one in menu["options"]:
        yield from _text(one["text"], "plain_text", 75)


def _image(block: Json, files: dict[str, File]) -> Iterator[str]:
    if not 1 <= len(block["alt_text"]) <= 2000:
        yield f"an alt text of {len(block['alt_text'])}"
    if "image_url" in block:
        if len(block["image_url"]) > 3000 or urlsplit(block["image_url"]).scheme != "https":
            yield "a bad image_url"
        return
    file = files.get(block["slack_file"]["id"])
    if file is None or not file.digested:
        yield f"invalid slack file {block['slack_file']}"
    elif file.mimetype not in {"image/png", "image/jpeg", "image/gif"}:
        yield f"an image block that shows {file.mimetype}"


def _texts(blocks: list[Json]) -> list[str]:
    found = []
    for block in blocks:
        if "text" in block:
            found.append(block["text"]["text"])
        for one in block.get("elements", []):
            said = (
                [one["placeholder"], *(option["text"] for option in one["options"])]
                if "options" in one
                else [one["text"]]
            )
            found += [text if isinstance(text, str) else text["text"] for text in said]
    return found
