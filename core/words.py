"""Strangers' words made harmless for lists, logs and terminals. Pure."""

from __future__ import annotations

import unicodedata

_JOINER = "\u200d"
"""Holds the parts of an emoji together."""
_LONGEST = 300


def one_line(text: str) -> str:
    """Give a text without line breaks, control and direction characters, and bytes that are no text; shortened."""
    clean = "".join(char if char == _JOINER or unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(clean.split())[:_LONGEST]
