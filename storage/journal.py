"""`SqliteLedger`: what chat doors remember: switches, what was done already, and small notes."""

from __future__ import annotations

import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.model.requests import MessageKey, card_note
from core.model.video import Scope, View
from storage import edits
from storage.forgetting import sealed

if TYPE_CHECKING:
    import aiosqlite

    from core.model.requests import JobRef
    from storage.database import Connections

_HERE = "platform = :platform AND space = :space AND channel = :channel"

BEGIN = """
    INSERT INTO errands (platform, space, channel, message, item, state, run)
    SELECT :platform, :space, :channel, :message, :item, 'begun', :run
    WHERE :message = '' OR NOT EXISTS (
        SELECT 1 FROM errands WHERE platform = :platform AND space = :space AND channel = :channel
        AND message = :message AND (state = 'deleted' OR item = :sealed)
    )
    ON CONFLICT DO UPDATE SET run = excluded.run WHERE state = 'begun' AND run <> excluded.run
"""

_IS_ON = f"SELECT is_on FROM channels WHERE {_HERE}"  # noqa: S608 - our own words

# A job's own channel may be a thread; its name says which channel it switches.
_SWITCH = """
    INSERT OR REPLACE INTO channels (platform, space, channel, is_on)
    SELECT :platform, :space, :channel, :is_on WHERE NOT EXISTS (
        SELECT 1 FROM jobs WHERE kind = 'switch' AND done_once = 1 AND id > :job
        AND platform = :platform AND space = :space AND name = :channel
    )
"""

_TOMBSTONE = """
    INSERT INTO errands (platform, space, channel, message, item, state, run)
    VALUES (:platform, :space, :channel, :message, '', 'deleted', '')
"""

# Asked for by the message, or by a command whose answer it was. Who deletes the words "off" does not switch back: older
# words must not, either.
_ITS = f"""
    {_HERE} AND (about = :message AND kind <> 'switch' OR message = :message AND kind IN ('link', 'file', 'remote'))
"""

_ASKED = f"SELECT DISTINCT video_id FROM jobs WHERE {_ITS}"  # noqa: S608 - our own words

_DROP_ERRANDS = f"""
    DELETE FROM errands WHERE message = '' AND (platform, space, channel, item) IN
    (SELECT platform, space, channel, item FROM jobs WHERE {_ITS} AND about = '')
"""  # noqa: S608

_DROP_JOBS = f"DELETE FROM jobs WHERE {_ITS}"  # noqa: S608

_OF_ITS_CARDS = "FROM notes WHERE name >= :cards AND name < :cards || char(1114111)"

_TAKE_CARDS_BACK = (
    f"INSERT OR IGNORE INTO stale_cards SELECT :platform, :space, :channel, text {_OF_ITS_CARDS}",
    f"DELETE {_OF_ITS_CARDS}",
)

_POSTED = """
    SELECT platform, space, channel, message, max(id) AS newest FROM postings
    WHERE platform = :platform AND message <> ''
    GROUP BY platform, space, channel, message ORDER BY newest DESC LIMIT :most
"""


class SqliteLedger:
    """What chat platforms make Keaton remember."""

    def __init__(self, connections: Connections) -> None:
        """Begin a run: what earlier ones left unsettled may be taken up again."""
        self._db = connections
        self._run = secrets.token_hex(8)

    @property
    def run(self) -> str:
        """Give the name of this run."""
        return self._run

    async def begin(self, errand: MessageKey) -> bool:
        """Take up an errand; tell whether it is to be done."""
        async with self._db.writing() as db:
            cursor = await db.execute(BEGIN, {**_of(errand), "sealed": sealed(_of(errand)), "run": self._run})
        return cursor.rowcount > 0

    async def settle(self, errand: MessageKey) -> None:
        """Note that an errand is done for ever, well or not; that of a deleted message stays so."""
        sql = f"UPDATE errands SET state = 'settled' WHERE {_HERE} AND message = :message AND item = :item"  # noqa: S608
        async with self._db.writing() as db:
            await db.execute(f"{sql} AND state = 'begun'", _of(errand))

    async def unsettled(self, platform: str) -> tuple[MessageKey, ...]:
        """Give the errands that another process took up and did not settle, oldest first."""
        sql = "SELECT * FROM errands WHERE platform = :platform AND state = 'begun' AND run <> :run ORDER BY id"
        found = await self._db.rows(sql, {"platform": platform, "run": self._run})
        return tuple(
            MessageKey(Scope(row["platform"], row["space"], row["channel"]), row["message"], row["item"])
            for row in found
        )

    async def take_cards_back(self, scope: Scope, message: str) -> None:
        """Have what answers a deleted message removed, by this run or the next."""
        if message and await self.notes(card_note(scope, message)):
            async with self._db.writing() as db:
                await _take_cards_back(db, scope, message)

    async def retract(self, scope: Scope, message: str) -> tuple[str, ...]:
        """Take back what a deleted message posted, now and later; give the videos that went with it."""
        await self._db.make_room()
        async with self._db.writing() as db:
            brought, gone = await _retract(db, {**asdict(scope), "message": message})
            if brought:
                await self._db.purge_backups()
        if brought:
            await self._db.empty_log()
        return gone

    async def brought(self, scope: Scope, message: str) -> bool:
        """Tell whether a message brought a video, or is to."""
        return bool(message and await self._db.rows(edits.KNOWN, {**asdict(scope), "message": message}))

    async def retract_others(self, scope: Scope, message: str, items: frozenset[str]) -> tuple[str, ...]:
        """Take back what an edited message posted by anything but these items; return the videos that went with it."""
        if not await edits.change(self._db.rows, scope, message, items):
            return ()  # as of nearly all messages that are compared after an absence
        async with self._db.forgetting() as db:
            change = await edits.change(db.execute_fetchall, scope, message, items)
            return await edits.retract(db, scope, message, change) if change else ()

    async def posted(self, platform: str, most: int) -> tuple[tuple[Scope, str], ...]:
        """Give the messages that videos are known from, newest first, to see whether they are still there."""
        found = await self._db.rows(_POSTED, {"platform": platform, "most": most})
        return tuple((Scope(row["platform"], row["space"], row["channel"]), row["message"]) for row in found)

    async def is_on(self, scope: Scope, *, by_default: bool) -> bool:
        """Tell whether Keaton looks at what is posted in a channel; the default counts until somebody switched."""
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
        """Give a note, or "" where there is none."""
        found = await self._db.rows("SELECT text FROM notes WHERE name = :name", {"name": name})
        return str(found[0]["text"]) if found else ""

    async def notes(self, prefix: str) -> tuple[tuple[str, str], ...]:
        """Give the names and texts of all notes whose name begins so."""
        sql = "SELECT name, text FROM notes WHERE name >= :prefix AND name < :past ORDER BY name"
        found = await self._db.rows(sql, {"prefix": prefix, "past": prefix + "\U0010ffff"})
        return tuple((row["name"], row["text"]) for row in found)


async def _take_cards_back(db: aiosqlite.Connection, scope: Scope, message: str) -> None:
    for sql in _TAKE_CARDS_BACK:
        await db.execute(sql, {**asdict(scope), "cards": card_note(scope, message)})


async def _retract(db: aiosqlite.Connection, message: dict[str, str]) -> tuple[bool, tuple[str, ...]]:
    """Tell whether the message had brought any video, or was to, and give the videos that went with it."""
    if not message["message"]:
        return False, ()
    at = f"{_HERE} AND message = :message"
    await _take_cards_back(db, Scope(message["platform"], message["space"], message["channel"]), message["message"])
    # One tombstone for all: what the message brought is not to be read any more.
    known = await db.execute(f"DELETE FROM errands WHERE {at}", message)  # noqa: S608
    if known.rowcount:
        await db.execute(_TOMBSTONE, message)
    posted = await db.execute_fetchall(f"SELECT DISTINCT video_id FROM postings WHERE {at}", message)  # noqa: S608
    asked = await db.execute_fetchall(_ASKED, message)
    await db.execute(_DROP_ERRANDS, message)
    await db.execute(_DROP_JOBS, message)
    await db.execute(f"DELETE FROM postings WHERE {at}", message)  # noqa: S608
    videos = [video_id for (video_id,) in {*posted, *asked} if video_id]
    view = View(message["platform"], message["space"], frozenset({message["channel"]}))
    return bool(videos), tuple([one for one in videos if await edits.drop(db, one, view)])


def _of(errand: MessageKey) -> dict[str, object]:
    return {**asdict(errand.scope), "message": errand.message, "item": errand.item}
