"""`SqliteJobs`: the job ledger, requests that were written down and how they stand.

Jobs of an earlier bot are free at once, since one bot runs per data folder. Those of a command are free when its
process is dead, or, where that cannot be told, when its lease has run out.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.errors import JobCancelled
from storage import forgetting, rows
from storage import forgetting as writes
from storage.boundary import disk
from storage.forgetting import DROP_OLD, KEPT_S, OPEN, PRESSES_KEPT_S, UNNEEDED, seal_told, sealed
from storage.journal import BEGIN
from storage.owners import Owners

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiosqlite

    from core.model.requests import Job, Request
    from core.model.video import Scope
    from storage.database import Connections

LEASE_S = 60.0
_BOT = "bot:"

# A clock that jumped back must not make a lease last.
_FREE = """
    owner <> :me AND (
        owner = '' OR (:is_bot AND owner LIKE 'bot:%')
        OR leased_until_s < :now_s OR leased_until_s > :now_s + 2 * :lease_s
    )
"""

# An owner is a role of three letters, a colon, and the name of a run.
_FREED = """
    UPDATE jobs SET owner = '', leased_until_s = 0
    WHERE ended_s IS NULL AND substr(owner, 5) IN (SELECT value FROM json_each(:dead))
"""

_ACCEPT = """
    INSERT INTO jobs
    (platform, space, channel, about, item, kind, source, name, user_id, user_name, message, message_url, place,
     length_s, under, picture, moderator, state, owner, leased_until_s, made_s)
    VALUES (:platform, :space, :channel, :about, :item, :kind, :source, :name, :user_id, :user_name, :message,
            :message_url, :place, :length_s, :under, :picture, :moderator, 'queued', :me, :now_s + :lease_s, :now_s)
    ON CONFLICT DO UPDATE SET
        owner = excluded.owner, leased_until_s = excluded.leased_until_s,
        state = iif(state = 'cancelled', state, 'queued'), ended_s = NULL
"""

_ID = """
    SELECT id FROM jobs
    WHERE platform = :platform AND space = :space AND channel = :channel AND about = :about AND item = :item
"""

# The place may hold a token that speaks for Keaton. What was to be forgotten is named nowhere, nor what a question
# named: it may be forgotten later.
_WIPED = """
    place = '', source = iif(kind IN ('forget', 'find'), '', source), name = iif(kind = 'find', '', name),
    title = iif(kind = 'forget', '', title)
"""

_HOW_ENDED = "CASE reason WHEN '' THEN 'done' WHEN 'JobCancelled' THEN 'cancelled' ELSE 'failed' END"

_SETTLED = """
    UPDATE errands SET state = 'settled' WHERE state = 'begun' AND (platform, space, channel, message, item) IN
    (SELECT platform, space, channel, about, item FROM jobs WHERE id = :id)
"""

_NEEDED_FILES = f"""
    SELECT source FROM jobs WHERE kind = 'file' AND {OPEN}
    UNION SELECT picture FROM jobs WHERE picture <> '' AND {OPEN}
"""  # noqa: S608 - our own words

_OUTDONE = """
    SELECT 1 FROM jobs AS later JOIN jobs AS mine USING (platform, space, channel)
    WHERE later.under = :message AND later.under <> '' AND later.id > mine.id AND mine.id = :id LIMIT 1
"""

_PRESSED = """
    SELECT 1 FROM jobs AS press JOIN jobs AS mine USING (platform, space, channel)
    WHERE press.kind = 'press' AND press.source = :button AND mine.id = :id
    AND (press.moderator OR press.user_id = mine.user_id) LIMIT 1
"""


class SqliteJobs:
    """Requests that were written down."""

    def __init__(self, connections: Connections, run: str, clock_s: Callable[[], float], *, is_bot: bool) -> None:
        """Take up jobs in the name of a run, which is the ledger's; the clock gives Unix seconds."""
        self._db = connections
        self._run = run
        self._clock_s = clock_s
        self._is_bot = is_bot
        self._owners = Owners.of(connections.path)

    async def accept(self, request: Request) -> Job | None:
        """Write a request down and take it up; None when that was done before, unless by a process that died."""
        values = {**rows.of_request(request), **self._now()}
        if request.kind == "forget":
            await self._db.make_room()
        async with self._db.writing() as db:
            errand = {**values, "message": values["about"]}
            begun = await db.execute(BEGIN, {**errand, "sealed": sealed(errand), "run": self._run})
            if not begun.rowcount:
                return None
            await db.execute(_ACCEPT, values)
            ((job_id,),) = await db.execute_fetchall(_ID, values)
        return await self.job(job_id)

    async def job(self, job_id: int) -> Job | None:
        """Give a job."""
        return next(map(rows.job, await self._db.rows("SELECT * FROM jobs WHERE id = :id", {"id": job_id})), None)

    async def left(self, platform: str) -> tuple[Job, ...]:
        """Give the jobs of a platform that nobody living works on and that are open, or whose end was not told."""
        await self._free_of_the_dead()
        sql = f"SELECT * FROM jobs WHERE platform = :platform AND ended_s IS NULL AND {_FREE} ORDER BY id"  # noqa: S608
        return tuple(map(rows.job, await self._db.rows(sql, {"platform": platform, **self._now()})))

    async def put_off(self, job_id: int, reason: str, until_s: float) -> None:
        """Note that it failed in a way that may pass, and when (Unix seconds) it is to be tried again."""
        sql = "UPDATE jobs SET state = 'queued', failures = failures + 1, reason = :reason, not_before_s = :until_s"
        await self._change(f"{sql} WHERE id = :id AND {OPEN}", {"id": job_id, "reason": reason, "until_s": until_s})

    async def fail(self, job_id: int, reason: str) -> None:
        """Note why it failed for good; it stays open until the answer was shown."""
        sql = f"UPDATE jobs SET reason = :reason WHERE id = :id AND {OPEN}"  # noqa: S608
        await self._change(sql, {"id": job_id, "reason": reason})

    async def stand(self, job_id: int, place: str, message: str) -> None:
        """Note where its answer stands, and as which message: its video counts as posted by that."""
        sql = f"UPDATE jobs SET place = :place, message = :message WHERE id = :id AND {OPEN}"  # noqa: S608
        await self._change(sql, {"id": job_id, "place": place, "message": message})

    async def vouch(self, job_id: int) -> None:
        """Note that whoever asked for it moderates where they did."""
        await self._change("UPDATE jobs SET moderator = 1 WHERE id = :id", {"id": job_id})

    async def name(self, job_id: int, video_id: str, title: str) -> None:
        """Note which video a request to forget means, and by which name."""
        sql = f"UPDATE jobs SET source = :video_id, title = :title, done_once = 1 WHERE id = :id AND {OPEN}"  # noqa: S608
        await self._change(sql, {"id": job_id, "video_id": video_id, "title": title})

    async def named(self, job_id: int) -> tuple[str, str] | None:
        """Give which video (id and title) an open request to forget was taken to mean, if it was."""
        sql = f"SELECT source, title FROM jobs WHERE id = :id AND kind = 'forget' AND done_once = 1 AND {OPEN}"  # noqa: S608
        return next(((str(row[0]), str(row[1])) for row in await self._db.rows(sql, {"id": job_id})), None)

    async def picture(self, job_id: int, path: str) -> None:
        """Note where a copy of the picture that it asks about is about to lie."""
        sql = f"UPDATE jobs SET picture = :path WHERE id = :id AND {OPEN}"  # noqa: S608
        await self._change(sql, {"id": job_id, "path": path})

    async def settle(self, job_id: int) -> str:
        """End a job whose answer was shown; give the id of a video whose file nobody needs any more, or ""."""
        return await self._end(job_id, _HOW_ENDED)

    async def call_off(self, job_id: int) -> str:
        """End a job, but for saying so where it was asked for: a later run does where this one does not come to it.

        Raises JobCancelled where there is nothing to end any more: its video is kept, or it has ended.
        """
        async with self._db.writing() as db:
            sql = f"UPDATE jobs SET state = 'cancelled' WHERE id = ? AND looks = 0 AND {OPEN} RETURNING video_id"  # noqa: S608
            for (video_id,) in await db.execute_fetchall(sql, (job_id,)):
                return await drop_work(db, video_id)
            raise JobCancelled

    async def cancel(self, job_id: int) -> str:
        """End a job that is not wanted any more; give what `settle` gives."""
        return await self._end(job_id, "'cancelled'")

    async def about(self, scope: Scope, message: str) -> tuple[int, ...]:
        """Give the ids of the open jobs that a message asked for, or whose answer it is."""
        sql = f"""
            SELECT id FROM jobs WHERE platform = :platform AND space = :space AND channel = :channel
            AND :message IN (about, message) AND :message <> '' AND {OPEN}
        """  # noqa: S608
        return tuple(row["id"] for row in await self._db.rows(sql, {**asdict(scope), "message": message}))

    async def is_outdone(self, job_id: int, message: str) -> bool:
        """Tell whether a press that draws a message, in its channel, was written down after a job."""
        return bool(await self._db.rows(_OUTDONE, {"id": job_id, "message": message}))

    async def is_pressed(self, job_id: int, button: str) -> bool:
        """Tell whether whoever asked for a job, or a moderator, has pressed a button in its channel, by its id."""
        return bool(await self._db.rows(_PRESSED, {"id": job_id, "button": button}))

    async def renew(self) -> None:
        """Say that this process still works on what it took up."""
        sql = f"UPDATE jobs SET leased_until_s = :now_s + :lease_s WHERE owner = :me AND {OPEN}"  # noqa: S608
        await self._change(sql, self._now())

    async def park(self) -> None:
        """Say that this process works on nothing any more: what it leaves open is to be taken up by the next."""
        sql = f"UPDATE jobs SET state = 'queued', owner = '', leased_until_s = 0 WHERE owner = :me AND {OPEN}"  # noqa: S608
        await self._change(sql, self._now())

    async def needed(self) -> tuple[frozenset[str], frozenset[str]]:
        """Drop what was seen for jobs that are not open; give the videos by id and posted files by path needed."""
        async with self._db.writing() as db:
            await db.execute(f"DELETE FROM works WHERE {UNNEEDED}")  # noqa: S608
            for sql in DROP_OLD:
                await db.execute(sql, {"now_s": self._clock_s(), "kept_s": KEPT_S, "press_s": PRESSES_KEPT_S})
            videos = await db.execute_fetchall("SELECT id FROM videos UNION SELECT video_id FROM works")
            files = await db.execute_fetchall(_NEEDED_FILES)
        return frozenset(one for (one,) in videos), frozenset(one for (one,) in files)

    async def _end(self, job_id: int, state: str) -> str:
        sql = f"""
            UPDATE jobs SET state = iif({OPEN}, {state}, state), {_WIPED}, ended_s = :now_s
            WHERE id = :id AND ended_s IS NULL
        """  # noqa: S608
        async with self._db.writing() as db:
            await db.execute(sql, {"id": job_id, **self._now()})
            await db.execute(_SETTLED, {"id": job_id})
            sql = "SELECT video_id, kind, made_s FROM jobs WHERE id = ?"
            found = list(await db.execute_fetchall(sql, (job_id,)))
            is_sealed = await seal_told(db, job_id)
            unneeded = await drop_work(db, found[0][0]) if found else ""
        # It may have named what was forgotten while it was open, and stand in the file by that name.
        if is_sealed or any(kind == "forget" or made_s <= self._db.forgotten_s for _, kind, made_s in found):
            await self._db.empty_log()
        return unneeded

    async def _free_of_the_dead(self) -> None:
        """Take from processes that died what they had taken up."""
        with disk(self._db.path):
            dead = await asyncio.to_thread(self._owners.dead)
            if dead:
                await self._change(_FREED, {"dead": json.dumps(sorted(dead))})
                await asyncio.to_thread(self._owners.bury, dead)

    async def _change(self, sql: str, values: dict[str, object]) -> None:
        async with self._db.writing() as db:
            await db.execute(sql, values)

    def _now(self) -> dict[str, object]:
        role = _BOT if self._is_bot else "cli:"
        me = role + self._run
        return {"me": me, "is_bot": self._is_bot, "now_s": self._clock_s(), "lease_s": LEASE_S}


async def drop_work(db: aiosqlite.Connection, video_id: str) -> str:
    """Drop what was seen so far where no open job is about the video; give its id where it is not kept either."""
    if not await forgetting.drop_work(db, video_id):
        return ""
    await writes.drop_unseen(db, video_id)  # answers may have shown it as far as it was looked at
    kept = await db.execute_fetchall("SELECT 1 FROM videos WHERE id = ?", (video_id,))
    return "" if kept else video_id
