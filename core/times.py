"""Seconds as people read them. Owns nothing else; pure."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Give m:ss, or h:mm:ss from an hour on; fractions are dropped."""
    whole = max(0, int(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def roughly(seconds: float) -> str:
    """Give a wait as people say it: "a few seconds", "40 seconds", "3 minutes", "2 hours"."""
    if seconds < 8:
        return "a few seconds"
    if seconds < 90:
        return f"{round(seconds / 10) * 10} seconds"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} minutes"
    return f"{round(seconds / 3600)} hours"


def tenths(seconds: float) -> str:
    """Give m:ss.t, or h:mm:ss.t from an hour on; what is beyond tenths is dropped."""
    whole_tenths = max(0, int(seconds * 10 + 1e-6))
    return f"{clock(whole_tenths // 10)}.{whole_tenths % 10}"


def seconds(text: str) -> float:
    """Read "75", "75.5", "1:15.5" or "1:02:03"; raises ValueError."""
    parts = [float(part) for part in text.strip().split(":")]
    if not 1 <= len(parts) <= 3 or any(not 0 <= part < 1e6 for part in parts):
        raise ValueError(f"{text!r} is no time")
    return sum(part * scale for part, scale in zip(reversed(parts), (1.0, 60.0, 3600.0), strict=False))
