"""`SqliteLedger`: what chat doors remember: what messages brought, which channels are switched on, and small notes.

A message has items (links, files) and postings. Which item brought a posting is known from links and jobs, for as long
as these are kept; where they tell nothing, a posting stays as long as any item is left that may have brought it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from core.model.requests import card_note
from core.model.video import Scope, View
from storage import forgetting
from storage.database import HERE, NOW_S
from storage.forgetting import KEY_ONLY
from storage.jobs import KeyTables
from storage.shown_messages import take_cards_back

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    import aiosqlite

    from core.model.requests import JobRef
    from storage.database import Connections

    Read = Callable[[str, dict[str, object]], Awaitable[Iterable[Any]]]

_BRINGS = "kind IN ('link', 'file', 'remote')"
# All SQL here is put together of our own words.
_POSTED_BY_IT = f"SELECT DISTINCT video_id FROM postings WHERE {HERE} AND message = :message"  # noqa: S608

_IS_ON = f"SELECT is_on FROM channels WHERE {HERE}"  # noqa: S608

# A job's own channel may be a thread; its name says which channel it switches.
_SWITCH = """
    INSERT OR REPLACE INTO channels (platform, space, channel, is_on)
    SELECT :platform, :space, :channel, :is_on WHERE NOT EXISTS (
        SELECT 1 FROM jobs WHERE kind = 'switch' AND done_once = 1 AND id > :job
        AND platform = :platform AND space = :space AND name = :channel
    )
"""

# Asked for by the message, or by a command whose answer it was. Who deletes the words "off" does not switch back: older
# words must not, either.
_ITS = f"{HERE} AND (about = :message AND kind <> 'switch' OR message = :message AND {_BRINGS})"

_ASKED = f"SELECT DISTINCT video_id FROM jobs WHERE {_ITS} AND video_id <> ''"  # noqa: S608

# One tombstone for all: what the message brought is not to be read any more.
_BURY = (
    f"DELETE FROM jobs WHERE {_ITS} AND about IN ('', :message)",  # noqa: S608
    f"UPDATE jobs SET {KEY_ONLY}, ended_s = coalesce(ended_s, made_s) WHERE {_ITS}",  # noqa: S608
    f"DELETE FROM postings WHERE {HERE} AND message = :message",  # noqa: S608
)

_TOMBSTONE = f"""
    INSERT INTO jobs (platform, space, channel, about, item, kind, source, name, user_id, user_name, message,
        message_url, place, state, owner, leased_until_s, made_s, ended_s)
    VALUES (:platform, :space, :channel, :message, '', 'deleted', '', '', '', '', '', '', '', 'done', '', 0, 0, {NOW_S})
"""  # noqa: S608

_POSTED = """
    SELECT platform, space, channel, message, max(id) AS newest FROM postings
    WHERE platform = :platform AND message <> ''
    GROUP BY platform, space, channel, message ORDER BY newest DESC LIMIT :most
"""

_KNOWN = f"""
    SELECT 1 FROM postings WHERE {HERE} AND message = :message
    UNION SELECT 1 FROM jobs WHERE {HERE} AND about = :message AND {_BRINGS} LIMIT 1
"""  # noqa: S608

# What was said to Keaton in the message, and what names the rest of it, has no colon and brings no video.
_ITEMS = f"""
    SELECT item FROM jobs WHERE {HERE} AND about = :message AND kind <> 'deleted' AND item LIKE '%:%'
    AND item NOT LIKE 'sealed:%'
"""  # noqa: S608

_LED_TO = f"""
    SELECT link AS item, video_id FROM links WHERE platform = :platform AND space = :space
    AND link IN (SELECT value FROM json_each(:items))
    UNION SELECT item, video_id FROM jobs WHERE {HERE} AND about = :message AND video_id <> ''
    AND item IN (SELECT value FROM json_each(:items))
"""  # noqa: S608

_DROP_ITEMS = f"""
    DELETE FROM jobs WHERE {HERE} AND about = :message AND (kind = 'key' OR {_BRINGS})
    AND item IN (SELECT value FROM json_each(:items))
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Change:
    """Items that an edit took out of a message, and the videos that it does not bring any more."""

    items: frozenset[str]
    videos: frozenset[str]


class SqliteLedger(KeyTables):
    """What chat platforms need remembered."""

    def __init__(self, connections: Connections) -> None:
        """Begin a run with a name of its own."""
        super().__init__(connections, secrets.token_hex(8))

    async def take_cards_back(self, scope: Scope, message: str) -> None:
        """Have what answers a deleted message removed, by this run or the next."""
        if message and await self.notes(card_note(scope, message)):
            async with self._db.writing() as db:
                await take_cards_back(db, scope, message)

    async def retract(self, scope: Scope, message: str) -> tuple[str, ...]:
        """Take back what a deleted message posted, now and later; return the videos that went with it."""
        await self._db.make_room()
        async with self._db.writing() as db:
            brought, gone = await _retract(db, scope, message) if message else (False, ())
            if brought:
                await self._db.purge_backups()
        if brought:
            await self._db.empty_log()
        return gone

    async def brought(self, scope: Scope, message: str) -> bool:
        """Tell whether a message brought a video, or is to."""
        return bool(message and await self._db.rows(_KNOWN, {**asdict(scope), "message": message}))

    async def retract_others(self, scope: Scope, message: str, items: frozenset[str]) -> tuple[str, ...]:
        """Take back what an edited message posted by anything but these items; return the videos that went with it."""
        if not await _change(self._db.rows, scope, message, items):
            return ()  # as of nearly all messages that are compared after an absence
        async with self._db.forgetting() as db:
            change = await _change(db.execute_fetchall, scope, message, items)
            return await _retract_change(db, scope, message, change) if change else ()

    async def posted(self, platform: str, most: int) -> tuple[tuple[Scope, str], ...]:
        """Return the messages that videos are known from, newest first, to see whether they are still there."""
        found = await self._db.rows(_POSTED, {"platform": platform, "most": most})
        return tuple((Scope(row["platform"], row["space"], row["channel"]), row["message"]) for row in found)

    async def is_on(self, scope: Scope, *, by_default: bool) -> bool:
        """Tell whether Keaton indexes what is posted in a channel; the default counts until it was switched."""
        found = await self._db.rows(_IS_ON, asdict(scope))
        return bool(found[0]["is_on"]) if found else by_default

    async def switch(self, scope: Scope, *, on: bool, job: JobRef | None = None) -> bool:
        """Switch a channel on or off, unless a later job has; tell whether it is on then."""
        async with self._db.writing() as db:
            values = {**asdict(scope), "is_on": on, "job": job.id if job else None}
            await db.execute(_SWITCH, values)
            await db.execute("UPDATE jobs SET done_once = 1 WHERE id = :job", values)
            ((is_on,),) = await db.execute_fetchall(_IS_ON, values)
        return bool(is_on)

    async def remember(self, name: str, text: str) -> None:
        """Keep a small note in the place of an older one by that name; an empty text takes it away."""
        sql = "INSERT OR REPLACE INTO notes VALUES (:name, :text)" if text else "DELETE FROM notes WHERE name = :name"
        async with self._db.writing() as db:
            await db.execute(sql, {"name": name, "text": text})

    async def recall(self, name: str) -> str:
        """Return a note, or "" where there is none."""
        found = await self._db.rows("SELECT text FROM notes WHERE name = :name", {"name": name})
        return str(found[0]["text"]) if found else ""

    async def notes(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Return the names and texts of all notes whose name begins so."""
        sql = "SELECT name, text FROM notes WHERE name >= :prefix AND name < :past ORDER BY name"
        found = await self._db.rows(sql, {"prefix": prefix, "past": prefix + "\U0010ffff"})
        return tuple((row["name"], row["text"]) for row in found)


async def _retract(db: aiosqlite.Connection, scope: Scope, message: str) -> tuple[bool, tuple[str, ...]]:
    """Tell whether a message had brought any video, or was to, and return the videos that went with it."""
    at = {**asdict(scope), "message": message}
    await take_cards_back(db, scope, message)
    is_known = await db.execute_fetchall(f"SELECT 1 FROM jobs WHERE {HERE} AND about = :message LIMIT 1", at)  # noqa: S608
    brought = {*await db.execute_fetchall(_POSTED_BY_IT, at), *await db.execute_fetchall(_ASKED, at)}
    for sql in _BURY:
        await db.execute(sql, at)
    if is_known:
        await db.execute(_TOMBSTONE, at)
    return bool(brought), await _dropped(db, scope, (video_id for (video_id,) in brought))


async def _change(read: Read, scope: Scope, message: str, items: frozenset[str]) -> Change | None:
    """Return what an edit took out of a message that has these items now; None where nothing."""
    at: dict[str, object] = {**asdict(scope), "message": message}
    posted = {video_id for (video_id,) in await read(_POSTED_BY_IT, at)}
    removed = {item for (item,) in await read(_ITEMS, at)} - items
    left, gone = await _led_to(read, at, items), await _led_to(read, at, removed)
    lost = (posted | _videos(gone)) - _videos(left)
    if items and not all(item in left for item in items):
        lost &= _videos(gone)
    return Change(frozenset(removed), frozenset(lost)) if removed or lost else None


async def _led_to(read: Read, at: dict[str, object], items: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for item, video_id in await read(_LED_TO, {**at, "items": json.dumps(sorted(items))}):
        found.setdefault(item, set()).add(video_id)
    return found


def _videos(led_to: dict[str, set[str]]) -> set[str]:
    return {video_id for videos in led_to.values() for video_id in videos}


async def _retract_change(db: aiosqlite.Connection, scope: Scope, message: str, gone: Change) -> tuple[str, ...]:
    """Take back what a message does not bring any more, with what Keaton answered to it; return the videos that went.

    An item that comes back by a later edit is read anew.
    """
    at = {**asdict(scope), "message": message}
    await db.execute(_DROP_ITEMS, {**at, "items": json.dumps(sorted(gone.items))})
    for item in gone.items:
        await take_cards_back(db, scope, message, item)
    for video_id in gone.videos:
        sql = f"DELETE FROM postings WHERE {HERE} AND message = :message AND video_id = :video_id"  # noqa: S608
        await db.execute(sql, {**at, "video_id": video_id})
    return await _dropped(db, scope, gone.videos)


async def _dropped(db: aiosqlite.Connection, scope: Scope, videos: Iterable[str]) -> tuple[str, ...]:
    view = View.of(scope)
    return tuple([one for one in sorted(videos) if await forgetting.drop_brought(db, one, view)])
