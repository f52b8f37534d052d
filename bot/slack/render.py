"""Lays a reply out as Block Kit, and escapes text for Slack's markup and back. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.doors.messages import at_sight, bar, behind_more, is_web, one_line
from core import formatting
from core.wording.answers import verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from core.model.reply import Button, Link, ListEntry, Reply

Block: TypeAlias = dict[str, Any]
_MOST_TITLE = 150
_MOST_TEXT = 3000
_MOST_ALT = 2000
_MOST_LABEL = 75
_MOST_URL = 2000
_BUTTONS_A_BLOCK = 25
MORE = "more"
"""The action id of the menu under an answer."""
_FILTER = re.compile(r"\b(?P<name>in|from):\s*<[#@](?P<id>[A-Z0-9]+)(?:\|[^<>]*)?>", re.IGNORECASE)
_TOKEN = re.compile(r"<(?P<kind>[@#!]?)(?P<what>[^<>|]*)(?:\|(?P<label>[^<>]*))?>")
INVITE = "I am not in this channel. Please /invite @{name}, and ask me again."
ALONE = "Not everybody in this channel could look into the other one, so only you see this."
UNSHOWN_ALONE = "Slack shows no pictures in such messages here."
NO_TALK = (
    "I am not part of this talk, and nobody can add me to it. Ask me in a channel that I was invited to, or write to "
    "@{name} directly: there I search all channels that you and I are both in."
)
HELLO = (
    "Hello, I am Keaton. Post a link to a video here, or a video file, and I look at it once; then /find and a few "
    "words bring the moment that shows them. /keaton help says what else I can do, and /keaton off lets me leave "
    "this channel alone."
)
NO_FORM = (
    "Slack did not open the form: that works for a moment only after the menu was used. Please use it once more, "
    "or write what you look for behind @{name}."
)
UNTOLD = (
    "Slack does not tell me at the moment which channels you are in, so I switched nothing. Please try again in a "
    "minute, or write /keaton on or /keaton off in the channel."
)
PENDING = "The pictures follow."
OWN_PICTURES = "Pictures that only you see are kept in this thread, so that Slack shows them to you."
UNSHOWN = "Slack does not show the pictures here, so they are in the thread."


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture that Slack holds."""

    file_id: str
    alt: str
    name: str = ""
    """Of the file, by which an entry of a list names its picture."""


@dataclass(frozen=True, slots=True)
class SlackCard:
    """A reply in Slack's shape."""

    text: str
    """For notifications and screen readers; escaped."""
    blocks: tuple[Block, ...]
    is_status: bool = False
    """It only says how far a thing is; what people wait for goes first."""

    @property
    def files(self) -> tuple[str, ...]:
        """Return the ids of the pictures in it."""
        images = [*self.blocks, *(one["accessory"] for one in self.blocks if "accessory" in one)]
        return tuple(one["slack_file"]["id"] for one in images if one["type"] == "image" and "slack_file" in one)

    def arguments(self) -> dict[str, Any]:
        """Return what every method takes that shows a message."""
        return {"text": self.text, "blocks": list(self.blocks)}


def card(reply: Reply, shots: Sequence[Shot] = (), note: str = "") -> SlackCard:
    """Lay a reply out, with the pictures that Slack holds; `note` is a small line below the words."""
    named = {one.picture for one in reply.entries}
    beside = {one.name: one for one in shots if one.name in named}
    large = [one for one in shots if one.name not in beside]
    blocks = [
        *_words(reply, note),
        *_entries(reply.entries, beside),
        *_images(large),
        *_rows(reply.buttons),
        *_links(reply.links),
    ]
    said = "\n".join(part for part in (one_line(reply.title), verdict(reply.level), reply.text) if part)
    return SlackCard(_fitted(said, _MOST_TEXT), tuple(blocks), reply.progress is not None)


def _words(reply: Reply, note: str) -> Iterator[Block]:
    if reply.title:
        yield {"type": "header", "text": _plain(one_line(reply.title), _MOST_TITLE)}
    parts = (
        verdict(reply.level),
        "" if reply.entries else _marked(reply),
        bar(reply.progress) if reply.progress else "",
    )
    if words := "\n".join(part for part in parts if part):
        yield {"type": "section", "text": _plain(words, _MOST_TEXT)}
    if note:
        yield {"type": "context", "elements": [_plain(note, _MOST_TEXT)]}


def _entries(entries: Sequence[ListEntry], shots: Mapping[str, Shot]) -> Iterator[Block]:
    """Lay a list out: each entry with its picture at its side, and below it where it comes from."""
    for entry in entries:
        words = f"{one_line(entry.title)}\n{one_line(entry.text)}"
        block: Block = {"type": "section", "text": _plain(words, _MOST_TEXT)}
        if shot := shots.get(entry.picture):
            block["accessory"] = _image(shot)
        yield block
        yield from _links([entry.link] if entry.link else ())


def _marked(reply: Reply) -> str:
    return f"⚠ {reply.text}" if reply.tone == "error" else reply.text


def _images(shots: Sequence[Shot]) -> Iterator[Block]:
    for shot in shots:
        yield _image(shot)


def _image(shot: Shot) -> Block:
    return {"type": "image", "slack_file": {"id": shot.file_id}, "alt_text": _fitted(shot.alt, _MOST_ALT)}


def _rows(buttons: Sequence[Button]) -> Iterator[Block]:
    """Slack cannot grey a button out, so one that leads nowhere is left away."""
    rows = [[_button(one) for one in row if one.enabled] for row in at_sight(buttons)]
    if behind := behind_more(buttons):
        after = min(1, len(rows))
        rows[after:] = [[*(rows[after] if after < len(rows) else []), _menu(behind)], *rows[after + 1 :]]
    for shown in rows:
        for start in range(0, len(shown), _BUTTONS_A_BLOCK):
            yield {"type": "actions", "elements": shown[start : start + _BUTTONS_A_BLOCK]}


def _menu(buttons: Sequence[Button]) -> Block:
    """Return the menu of what stands behind *More*; what is chosen there is the id of a button."""
    options = [{"text": _plain(one.label, _MOST_LABEL), "value": one.id} for one in buttons]
    return {"type": "static_select", "action_id": MORE, "placeholder": _plain("More", _MOST_LABEL), "options": options}


def pressed_id(action: Block) -> str:
    """Return the id of the button that was pressed, or chosen in the menu."""
    if action["action_id"] == MORE:
        return str(action["selected_option"]["value"])
    return str(action["action_id"])


def _button(button: Button) -> Block:
    made: Block = {"type": "button", "action_id": button.id, "text": _plain(button.label, _MOST_LABEL)}
    return {**made, "style": "primary"} if button.active else made


def _links(links: Iterable[Link]) -> Iterator[Block]:
    usable = [link(one.url, one_line(one.label)[:200]) for one in links if is_web(one.url, _MOST_URL)]
    if usable:
        yield {"type": "context", "elements": [{"type": "mrkdwn", "text": "  ·  ".join(usable), "verbatim": True}]}


def _plain(text: str, most: int) -> Block:
    return {"type": "plain_text", "text": _fitted(text, most), "emoji": False}


def _fitted(text: str, most: int) -> str:
    """Escape a text and cut it to what Slack takes, counted as it is sent."""
    whole = escaped(text) or " "
    while len(whole) > most:
        text = text[: len(text) - max(1, (len(whole) - most) // 5) - 1]
        whole = escaped(text) + "…"
    return whole


def escaped(text: str) -> str:
    """Escape what Slack would take for links, mentions and markup."""
    return formatting.plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Undo `escaped`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(text: str) -> str:
    """Return what a person typed: links as their address, channels and people by their ids where filters name them."""
    text = _FILTER.sub(r"\g<name>:\g<id>", text)
    return unescaped(_TOKEN.sub(lambda token: "" if token["kind"] else token["what"], text))


def mentions(text: str, user_id: str) -> bool:
    """Tell whether a message mentions that user."""
    return any(one["kind"] == "@" and one["what"] == user_id for one in _TOKEN.finditer(text))


def link(url: str, label: str) -> str:
    """Return a link in Slack's markup."""
    target = escaped(url.replace("|", "%7C").replace(" ", "%20"))
    return f"<{target}|{escaped(label.replace('|', '¦'))}>"
