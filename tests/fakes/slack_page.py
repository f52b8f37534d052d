"""Messages of the small Slack as a web page, so that people can look at what Keaton sent. Knows no story."""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.fakes.slack_world import Json, Message, Workspace

_STYLE = """
body { background: #fff; color: #1d1c1d; font: 15px/1.47 Lato, "Noto Sans", sans-serif; margin: 0 auto; padding: 16px;
       max-width: 700px }
article { padding: 12px 16px } header b { font-weight: 900 } header i { background: #e8e8e8; color: #616061;
       font-size: 10px; border-radius: 2px; padding: 1px 3px; font-style: normal }
p { white-space: pre-wrap; margin: 4px 0 }
h3 { margin: 6px 0 2px; font-size: 18px } small { color: #616061; font-size: 13px } a { color: #1264a3 }
.image { width: 100%; max-width: 500px; border-radius: 8px; display: block; margin: 8px 0 }
.beside { display: flex; justify-content: space-between; gap: 12px } .beside img { width: 88px; border-radius: 6px }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin: 8px 0 }
.row span { background: #fff; border: 1px solid #bbb; border-radius: 4px; padding: 4px 12px; font-weight: 700 }
.row .primary { background: #007a5a; border-color: #007a5a; color: #fff }
"""


def page(team: Workspace, messages: Iterable[Message]) -> str:
    """Return the page with these messages."""
    posts = "".join(_post(team, message) for message in messages)
    return f"<!doctype html><meta charset=utf-8><title>{team.name}</title><style>{_STYLE}</style>{posts}"


def _post(team: Workspace, message: Message) -> str:
    name = html.escape(team.users[message.user].name if message.user in team.users else team.keaton.name)
    badge = " <i>APP</i>" if message.bot else ""
    blocks = "".join(_block(team, one) for one in message.blocks) or f"<p>{_marked(message.text)}</p>"
    return f"<article><header><b>{name}</b>{badge}</header>{blocks}</article>"


def _block(team: Workspace, block: Json) -> str:
    match block["type"]:
        case "header":
            return f"<h3>{_marked(block['text']['text'])}</h3>"
        case "section":
            words, beside = f"<p>{_marked(block['text']['text'])}</p>", block.get("accessory", {})
            shown = _image(team, beside, "") if beside.get("type") == "image" else ""
            return f"<div class=beside>{words}{shown}</div>"
        case "context":
            return f"<small>{' '.join(_marked(one['text']) for one in block['elements'])}</small>"
        case "image":
            return _image(team, block, "image")
        case "actions":
            return f"<div class=row>{''.join(_element(one) for one in block['elements'])}</div>"
        case other:
            return f"<p>block {html.escape(other)}</p>"


def _marked(text: str) -> str:
    """Return Slack's markup, which is escaped as it comes, with its links."""
    return re.sub(r"<(https?://[^|>]+)\|([^>]*)>", r'<a href="\1">\2</a>', text)


def _image(team: Workspace, block: Json, css: str) -> str:
    data = base64.b64encode(team.files[block["slack_file"]["id"]].data).decode()
    return f'<img class="{css}" src="data:;base64,{data}" alt="{html.escape(block["alt_text"])}">'


def _element(one: Json) -> str:
    words = one.get("text") or one.get("placeholder") or {"text": "⋯"}
    more = "" if one["type"] == "button" else " ▾"
    return f'<span class="{one.get("style", "")}">{_marked(words["text"])}{more}</span>'
