"""What an edited message does not bring any more. Functions run inside the caller's transaction.

A message has items (links, files) and postings. Which item brought a posting is known from links and jobs, for as long
as these are kept; where they tell nothing, a posting stays as long as any item is left that may have brought it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.model.requests import card_note
from core.model.video import View
from storage import forgetting
from storage import forgetting as sealing
from storage import forgetting as writes
from storage import videos as queries

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    import aiosqlite

    from core.model.video import Scope

    Read = Callable[[str, dict[str, object]], Awaitable[Iterable[Any]]]

_HERE = "platform = :platform AND space = :space AND channel = :channel"
_VIDEOS = "kind IN ('link', 'file', 'remote')"

KNOWN = f"""
    SELECT 1 FROM postings WHERE {_HERE} AND message = :message
    UNION SELECT 1 FROM jobs WHERE {_HERE} AND about = :message AND {_VIDEOS} LIMIT 1
"""  # noqa: S608 - our own words

_POSTED = f"SELECT DISTINCT video_id FROM postings WHERE {_HERE} AND message = :message"  # noqa: S608

# By a link's errand or by a job; what was said to Keaton in the message, and what names the rest of it, are no videos.
_ITEMS = f"""
    SELECT item FROM errands WHERE {_HERE} AND message = :message AND state <> 'deleted' AND item LIKE '%:%'
    AND item NOT LIKE 'sealed:%'
"""  # noqa: S608

_LED_TO = f"""
    SELECT link AS item, video_id FROM links WHERE platform = :platform AND space = :space
    AND link IN (SELECT value FROM json_each(:items))
    UNION SELECT item, video_id FROM jobs WHERE {_HERE} AND about = :message AND video_id <> ''
    AND item IN (SELECT value FROM json_each(:items))
"""  # noqa: S608

_AMONG = "item IN (SELECT value FROM json_each(:items))"

_DROP_JOBS = f"DELETE FROM jobs WHERE {_HERE} AND about = :message AND {_VIDEOS} AND {_AMONG}"  # noqa: S608

_DROP_ERRANDS = f"DELETE FROM errands WHERE {_HERE} AND message = :message AND {_AMONG}"  # noqa: S608

_TAKE_CARD_BACK = (
    "INSERT OR IGNORE INTO stale_cards SELECT :platform, :space, :channel, text FROM notes WHERE name = :note",
    "DELETE FROM notes WHERE name = :note",
)


@dataclass(frozen=True, slots=True)
class Change:
    """What is not in a message any more."""

    items: frozenset[str]
    videos: frozenset[str]


async def change(read: Read, scope: Scope, message: str, items: frozenset[str]) -> Change | None:
    """Tell what a message that holds these items now held before; None where nothing is gone."""
    at: dict[str, object] = {**asdict(scope), "message": message}
    posted = {video_id for (video_id,) in await read(_POSTED, at)}
    removed = {item for (item,) in await read(_ITEMS, at)} - items
    left, gone = await _led_to(read, at, items), await _led_to(read, at, removed)
    lost = (posted | _videos(gone)) - _videos(left)
    if items and not all(item in left for item in items):
        lost &= _videos(gone)
    return Change(frozenset(removed), frozenset(lost)) if removed or lost else None


async def retract(db: aiosqlite.Connection, scope: Scope, message: str, gone: Change) -> tuple[str, ...]:
    """Take back what a message does not bring any more; return the videos that went.

    An item that comes back by a later edit is looked at anew.
    """
    await _drop_requests(db, scope, message, gone.items)
    for video_id in gone.videos:
        sql = f"DELETE FROM postings WHERE {_HERE} AND message = :message AND video_id = :video_id"  # noqa: S608
        await db.execute(sql, {**asdict(scope), "message": message, "video_id": video_id})
    view = View.of(scope)
    return tuple([video_id for video_id in sorted(gone.videos) if await drop(db, video_id, view)])


async def _led_to(read: Read, at: dict[str, object], items: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item, video_id in await read(_LED_TO, {**at, "items": json.dumps(sorted(items))}):
        found.setdefault(item, set()).add(video_id)
    return found


def _videos(led_to: dict[str, set[str]]) -> set[str]:
    return {video_id for videos in led_to.values() for video_id in videos}


async def _drop_requests(db: aiosqlite.Connection, scope: Scope, message: str, items: frozenset[str]) -> None:
    """Let nothing be left of requests for items that are gone, nor what Keaton answered to them."""
    for sql in (_DROP_JOBS, _DROP_ERRANDS):
        await db.execute(sql, {**asdict(scope), "message": message, "items": json.dumps(sorted(items))})
    for item in items:
        for sql in _TAKE_CARD_BACK:
            await db.execute(sql, {**asdict(scope), "note": card_note(scope, message, item)})


async def drop(db: aiosqlite.Connection, video_id: str, view: View) -> bool:
    """Drop what hangs on a video that a message does not bring any more; tell whether its file goes too."""
    await sealing.seal(db, video_id, view)
    went = await writes.drop_unposted(db, video_id)
    dropped = await forgetting.drop_work(db, video_id)
    return (went or dropped) and not await db.execute_fetchall(queries.NEEDED, {"id": video_id})
