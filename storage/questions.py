"""Questions and moments as rows and JSON, and back. Knows no SQL and no connection."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from core.found import Moment, Query
from core.question import Example, Posted, Stretch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Row

    from core.model import View

Json: TypeAlias = dict[str, Any]


def beside(query: Query) -> Json:
    """Give what a question holds beside its words, but for the picture's vector; nothing where that is nothing."""
    posted, picture = query.posted, query.picture
    told: Json = {}
    if posted:
        told["posted"] = {"by": sorted(posted.by), "after": stamp(posted.after), "before": stamp(posted.before)}
    if picture:
        source = asdict(picture.source) if picture.source else None
        told["picture"] = {"recipe_key": picture.recipe_key, "source": source}
    return told


def query(row: Mapping[str, Any] | Row, view: View) -> Query:
    """Give the question of a row of `answers`."""
    told = json.loads(row["beside"])
    picture = _picture(told["picture"], row["picture"]) if "picture" in told else None
    posted = _posted(told["posted"]) if "posted" in told else Posted()
    return Query(row["text"], view, row["video_id"], picture, posted)


def moment(told: Json) -> Moment:
    """Give a moment that was written by `asdict`."""
    then = told.get("then")
    return Moment(**{**told, "then": moment(then) if then else None, "among": tuple(told.get("among", ()))})


def stamp(at: datetime | None) -> str | None:
    """Give a time as `postings` has it, so that text order is the order of time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else None


def _picture(told: Json, data: bytes) -> Example:
    source = Stretch(**told["source"]) if told["source"] else None
    return Example(data, told["recipe_key"], source)


def _posted(told: Json) -> Posted:
    after, before = (datetime.fromisoformat(told[name]) if told[name] else None for name in ("after", "before"))
    return Posted(frozenset(told["by"]), after, before)
