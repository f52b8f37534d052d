"""Filters beside a query: `in:`, `from:`, `after:`, `before:`, `video:`.

Their syntax and the meaning of dates. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import tzinfo

_FILTER = re.compile(
    r'(?:^|(?<=\s))(?P<name>in|from|after|before|video):(?:["“„](?P<quoted>[^"“”]*)["”“]|(?P<bare>[^\s"“„]\S*))(?=\s|$)',
    re.IGNORECASE,
)
_MENTION = re.compile(r"<[#@]!?(?P<id>\w+)(?:\|[^>]*)?>")
_AGO = re.compile(r"(?P<number>\d{1,4})(?P<unit>[hdwmy])")
_YEAR = re.compile(r"(?:19|20)\d\d")
_MONTH = re.compile(r"(?P<year>(?:19|20)\d\d)-(?P<month>0[1-9]|1[0-2])")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LATELY_DAYS = {"today": 0, "yesterday": 1, "week": 7, "last-week": 7, "month": 30, "last-month": 30, "year": 365}
_UNIT_DAYS = {"d": 1, "w": 7, "m": 30, "y": 365}
_OLDEST = date(1970, 1, 1)
_AGE = timedelta(days=200 * 365)
_FIELDS = {"in": "channel", "from": "poster", "after": "after", "before": "before", "video": "video"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What was written beside a question; "" where nothing was."""

    channel: str = ""
    """Name or id, without its sign."""
    poster: str = ""
    """Name or id, without its sign; "me" is the asker."""
    after: str = ""
    before: str = ""
    video: str = ""

    def beside(self, other: Filters) -> Filters:
        """Return these, and the other's where these say nothing."""
        return Filters(
            self.channel or other.channel,
            self.poster or other.poster,
            self.after or other.after,
            self.before or other.before,
            self.video or other.video,
        )


def split(text: str) -> tuple[str, Filters]:
    """Return a text without its filters, and these; of two of a kind the last counts. A date may be none."""
    filters = Filters()
    left: list[str] = []
    end = 0
    for found in _FILTER.finditer(text):
        value = _value(found)
        if value:
            left.append(text[end : found.start()])
            end = found.end()
            filters = replace(filters, **{_FIELDS[found["name"].lower()]: value})
    return " ".join(" ".join([*left, text[end:]]).split()), filters


def _value(found: re.Match[str]) -> str:
    value = (found["quoted"] if found["bare"] is None else found["bare"]).strip()
    if found["name"].lower() not in {"in", "from"}:
        return value
    mention = _MENTION.fullmatch(value)
    return mention["id"] if mention else value.lstrip("#@")


def since(word: str, now: datetime) -> datetime:
    """Return the moment at which what a word means begins, in the time zone of `now`.

    Known are 2026-11-22, 2026-11, 2026, today, yesterday, the days of the week (the last one), week, month and year
    (that long ago), and 12h, 3d, 2w, 6m, 1y. Raises ValueError for any other word.
    """
    hours = _hours_ago(word.lower())
    if hours is not None:
        return now - timedelta(hours=hours)
    day = _day(word.lower(), now.date())
    if day is None:
        raise ValueError(f"{word!r} is no date")
    return _midnight(day, now.tzinfo or UTC)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _hours_ago(word: str) -> int | None:
    found = _AGO.fullmatch(word)
    return int(found["number"]) if found and found["unit"] == "h" else None


def _day(word: str, today: date) -> date | None:
    if word in _LATELY_DAYS:
        return today - timedelta(days=_LATELY_DAYS[word])
    if word in _WEEKDAYS:
        return today - timedelta(days=(today.weekday() - _WEEKDAYS.index(word)) % 7)
    return _ago(word, today) or _iso(word)


def _ago(word: str, today: date) -> date | None:
    found = _AGO.fullmatch(word)
    if found is None or found["unit"] == "h":
        return None
    back = timedelta(days=int(found["number"]) * _UNIT_DAYS[found["unit"]])
    return max(_OLDEST, today - min(back, _AGE))


def _iso(word: str) -> date | None:
    if _YEAR.fullmatch(word):
        return date(int(word), 1, 1)
    if month := _MONTH.fullmatch(word):
        return date(int(month["year"]), int(month["month"]), 1)
    try:
        return date.fromisoformat(word) if "-" in word and len(word) == 10 else None
    except ValueError:
        return None
