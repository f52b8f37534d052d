"""Strangers' words made harmless for lists, logs and terminals. Pure."""

from __future__ import annotations

import re
import unicodedata

_JOINER = "\u200d"
"""Holds the parts of an emoji together."""
_LONGEST = 300
# Controls other than line feed and tab, and marks that turn the direction of what follows: with U+202E somebody's title
# would write Keaton's own words backwards (Unicode Technical Report 36, 2.5).
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")


def one_line(text: str) -> str:
    """Give a text without line breaks, control and direction characters, and bytes that are no text; shortened."""
    clean = "".join(char if char == _JOINER or unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(clean.split())[:_LONGEST]


def plain(text: str) -> str:
    """Return a text without control and direction characters; its lines stay."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))
