"""A channel of the small Discord as a web page, so that people can look at what Keaton sent. Knows no story."""

from __future__ import annotations

import base64
import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.discord_world import Channel, Json, Message

_STYLE = """
body { background: #313338; color: #dbdee1; font: 16px/1.4 "gg sans", "Noto Sans", sans-serif; margin: 0 auto;
       max-width: 760px; padding: 16px }
article { background: #313338; padding: 12px 16px; margin: 8px 0 } header b { color: #f2f3f5 }
header i { background: #5865f2; color: #fff; font-size: 11px;
       border-radius: 3px; padding: 1px 4px; font-style: normal } small { color: #949ba4 }
.box { background: #2b2d31; border: 1px solid #3f4147; border-left: 4px solid; border-radius: 6px; max-width: 560px;
       padding: 12px 16px; margin-top: 6px }
.box p { white-space: pre-wrap; margin: 0 0 8px; overflow-wrap: anywhere } h3 { margin: 0 0 4px; color: #f2f3f5 }
.gallery { display: grid; gap: 4px; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)) }
.gallery img { width: 100%; border-radius: 6px; display: block }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px }
.row span, .row a { background: #4e5058; color: #fff; border-radius: 4px; padding: 5px 14px; font-size: 14px;
       text-decoration: none } .row .s1 { background: #5865f2 } .row .off { opacity: .5 }
code { background: #1e1f22; padding: 1px 4px; border-radius: 3px } .react { background: #383a40; border-radius: 8px;
       padding: 2px 8px; display: inline-block; margin-top: 4px }
"""


def page(channel: Channel) -> str:
    """Give the page."""
    posts = "".join(_post(message) for message in sorted(channel.messages.values(), key=lambda one: one.id))
    return f"<!doctype html><meta charset=utf-8><title>#{channel.name}</title><style>{_STYLE}</style>{posts}"


def _post(message: Message) -> str:
    badge = " <i>APP</i>" if message.author.bot else ""
    answers = " <small>↪ replies</small>" if message.reply_to else ""
    alone = "<small>Only the asker sees this</small>" if message.is_ephemeral else ""
    words = f"<div>{_marked(message.content)}</div>" if message.content else ""
    files = "".join(f"<div class=react>📎 {html.escape(one['filename'])}</div>" for one in message.attachments)
    marks = "".join(f"<div class=react>{one} 1</div>" for one in message.reactions)
    boxes = "".join(_component(one, message) for one in message.components)
    name = html.escape(message.author.name)
    return f"<article><header><b>{name}</b>{badge}{answers}</header>{words}{files}{boxes}{alone}{marks}</article>"


def _component(one: Json, message: Message) -> str:
    match one["type"]:
        case 17:
            colour = f"#{one.get('accent_color') or 0:06x}"
            inner = "".join(_component(part, message) for part in one["components"])
            return f'<div class=box style="border-left-color: {colour}">{inner}</div>'
        case 10:
            return "".join(_line(line) for line in one["content"].split("\n"))
        case 12:
            return f"<div class=gallery>{''.join(_picture(item, message) for item in one['items'])}</div>"
        case 1:
            return f"<div class=row>{''.join(_button(button) for button in one['components'])}</div>"
        case other:
            return f"<p>component {other}</p>"


def _line(line: str) -> str:
    return f"<h3>{_marked(line[4:])}</h3>" if line.startswith("### ") else f"<p>{_marked(line)}</p>"


def _marked(text: str) -> str:
    plain = re.sub(r"\\([^0-9A-Za-z\s])", lambda match: f"&#{ord(match[1])};", html.escape(text, quote=False))
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", re.sub(r"`([^`]+)`", r"<code>\1</code>", plain))


def _picture(item: Json, message: Message) -> str:
    data = base64.b64encode(message.files[item["name"]]).decode()
    return f'<img src="data:;base64,{data}" alt="{html.escape(item.get("description") or "")}">'


def _button(button: Json) -> str:
    if button["type"] == 3:  # a menu
        return f'<span class="s2">{html.escape(button.get("placeholder") or "⋯")} ▾</span>'
    label = html.escape(button["label"])
    if "url" in button:
        return f'<a href="{html.escape(button["url"])}">{label} ↗</a>'
    return f'<span class="s{button["style"]}{" off" if button.get("disabled") else ""}">{label}</span>'
