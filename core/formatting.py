"""Formats times and durations, and cleans strangers' text for lists, logs and terminals. Pure."""

from __future__ import annotations

import re
import unicodedata


def clock(seconds: float) -> str:
    """Return m:ss, or h:mm:ss from an hour on; fractions are dropped."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def roughly(seconds: float) -> str:
    """Return a wait as people say it: "a few seconds", "40 seconds", "3 minutes", "2 hours"."""
    if seconds < 8:
        return "a few seconds"
    if seconds < 90:
        return f"{round(seconds / 10) * 10} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"


def tenths(seconds: float) -> str:
    """Return m:ss.t, or h:mm:ss.t from an hour on; what is beyond tenths is dropped."""
    whole_tenths = max(0, int(seconds * 10 + 1e-6))
    return f"{clock(whole_tenths // 10)}.{whole_tenths % 10}"


def seconds(text: str) -> float:
    """Read "75", "75.5", "1:15.5" or "1:02:03"; raises ValueError."""
    parts = [float(part) for part in text.strip().split(":")]
    if not 1 <= len(parts) <= 3 or any(not 0 <= part < 1e6 for part in parts):
        raise ValueError(f"{text!r} is no time")
    return sum(part * scale for part, scale in zip(reversed(parts), (1.0, 60.0, 3600.0), strict=False))


_JOINER = "\u200d"
"""Holds the parts of an emoji together."""
_LONGEST = 300


# Controls other than line feed and tab, and marks that turn the direction of what follows: with U+202E a title
# would write Keaton's own words backwards (Unicode Technical Report 36, 2.5).
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u206a-\u206f\ufeff]")
_BREAKS = re.compile("\r\n?|[\u2028\u2029]")


def one_line(text: str) -> str:
    """Return a text without line breaks, control and direction characters, and bytes that are no text; shortened."""
    clean = "".join(char if char == _JOINER or unicodedata.category(char)[0] != "C" else " " for char in text)
    return " ".join(clean.split())[:_LONGEST]


def plain(text: str) -> str:
    """Return a text without control and direction characters; its lines stay."""
    return _UNSEEN.sub("", _BREAKS.sub("\n", text))
