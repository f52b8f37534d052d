"""Converts nouns to rows and JSON, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from core.model.answer import Answer
from core.model.query import Example, Posted, Query, Stretch
from core.model.requests import Job, MessageKey, Request
from core.model.results import Moment
from core.model.video import PostedVideo, Posting, Scope, Video, View
from core.site_ids import Lead

if TYPE_CHECKING:
    from collections.abc import Mapping
    from sqlite3 import Row


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


_REQUEST = (
    "kind",
    "source",
    "name",
    "user_id",
    "user_name",
    "message",
    "message_url",
    "place",
    "length_s",
    "under",
    "picture",
    "moderator",
)


def of_posting(posting: Posting) -> dict[str, object]:
    """Give the row of a posting."""
    return {
        "video_id": posting.video_id,
        **asdict(posting.scope),
        "user_id": posting.user_id,
        "user_name": posting.user_name,
        "message": posting.message,
        "posted_at": posting.posted_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "message_url": posting.message_url,
        "title": posting.title,
        "url": posting.url,
        "uploader": posting.uploader,
    }


def of_view(view: View) -> dict[str, object]:
    """Give the values that a query names :platform, :space and :channels (a JSON list)."""
    return {"platform": view.platform, "space": view.space, "channels": json.dumps(sorted(view.channels))}


def of_answer(answer: Answer) -> dict[str, object]:
    """Give the row of an answer."""
    return {
        "id": answer.id,
        "text": answer.query.text,
        "video_id": answer.query.video_id,
        **{f"view_{name}": value for name, value in of_view(answer.query.view).items()},
        **asdict(answer.scope),
        # numpy's float32 is no float to json.
        "moments": json.dumps([asdict(moment) for moment in answer.moments], default=float),
        "asked_by": answer.asked_by,
        "beside": json.dumps(beside(answer.query)),
        "picture": answer.query.picture.data if answer.query.picture else None,
        "revision": answer.revision,
        "earlier": json.dumps([[asdict(moment) for moment in order] for order in answer.earlier], default=float),
    }


def video(row: Row) -> Video:
    """Return the video of a row with the columns of `videos`, without names: those there came with any posting."""
    return Video(
        id=row["id"],
        url="",
        title="",
        duration_s=row["duration_s"],
        width_px=row["width_px"],
        height_px=row["height_px"],
        truncated=bool(row["truncated"]),
    )


def posting(row: Row) -> Posting:
    """Give the posting of a row with the columns of `postings`."""
    return Posting(
        video_id=row["video_id"],
        scope=Scope(row["platform"], row["space"], row["channel"]),
        user_id=row["user_id"],
        user_name=row["user_name"],
        message=row["message"],
        posted_at=datetime.fromisoformat(row["posted_at"]),
        message_url=row["message_url"],
        title=row["here_title"],
        url=row["here_url"],
        uploader=row["here_uploader"],
    )


def named_video(row: Row) -> Video:
    """Give the video of a row that tells besides how it is called here."""
    return replace(video(row), title=row["here_title"], url=row["here_url"], uploader=row["here_uploader"])


def lead(row: Row) -> Lead:
    """Return the lead of a row with the columns of `videos` and `links`."""
    return Lead(row["link"], row["platform"], row["space"], row["site_id"], named_video(row))


def posted_video(row: Row) -> PostedVideo:
    """Give the video and the posting of a row that has the columns of both."""
    return PostedVideo(named_video(row), posting(row))


def answer(row: Mapping[str, Any] | Row) -> Answer:
    """Give the answer of a row of `answers`."""
    view = View(row["view_platform"], row["view_space"], frozenset(json.loads(row["view_channels"])))
    return Answer(
        id=row["id"],
        query=query(row, view),
        scope=Scope(row["platform"], row["space"], row["channel"]),
        moments=tuple(moment(one) for one in json.loads(row["moments"])),
        asked_by=row["asked_by"],
        revision=row["revision"],
        earlier=tuple(tuple(map(moment, order)) for order in json.loads(row["earlier"])),
    )


def of_request(request: Request) -> dict[str, object]:
    """Give the row of a request; its key's message is called `about`."""
    plain = {name: getattr(request, name) for name in _REQUEST}
    return {**asdict(request.errand.scope), "about": request.errand.message, "item": request.errand.item, **plain}


def job(row: Mapping[str, Any] | Row) -> Job:
    """Give the job of a row of `jobs`."""
    errand = MessageKey(Scope(row["platform"], row["space"], row["channel"]), row["about"], row["item"])
    request = Request(errand, **{**{name: row[name] for name in _REQUEST}, "moderator": bool(row["moderator"])})
    return Job(
        id=row["id"],
        request=request,
        state=row["state"],
        reason=row["reason"],
        failures=row["failures"],
        not_before_s=row["not_before_s"],
        video_id=row["video_id"],
        looks=row["looks"],
    )
