"""Text as Slack spells it, both ways, and the few sentences that only Slack needs. Pure."""

from __future__ import annotations

import re

from core import words

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
PENDING = "The pictures follow."
OWN_PICTURES = "The pictures of answers that only you see are kept in this thread, so that Slack shows them to you."
UNSHOWN = "Slack does not show the pictures here, so they are in the thread."


def escaped(text: str) -> str:
    """Escape what Slack would take for links, mentions and markup."""
    return words.plain(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def unescaped(text: str) -> str:
    """Undo `escaped`."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def plain(text: str) -> str:
    """Return what somebody typed: links as their address, channels and people by their ids where filters name them."""
    text = _FILTER.sub(r"\g<name>:\g<id>", text)
    return unescaped(_TOKEN.sub(lambda token: "" if token["kind"] else token["what"], text))


def mentions(text: str, user_id: str) -> bool:
    """Tell whether a message mentions that user."""
    return any(one["kind"] == "@" and one["what"] == user_id for one in _TOKEN.finditer(text))


def link(url: str, label: str) -> str:
    """Give a link in Slack's markup."""
    target = escaped(url.replace("|", "%7C").replace(" ", "%20"))
    return f"<{target}|{escaped(label.replace('|', '¦'))}>"
