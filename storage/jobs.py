"""`SqliteJobs`: requests that were written down, each under its key, and how they stand.

One table has a row for each key (`MessageKey`). Its kind is that of the request, or KEY where it is only known that the
thing is to be done once: nothing more was ever written down, or nothing more is remembered. A row that has ended is
settled. A deleted message has one row, of kind DELETED, in place of all that it had.

Jobs of an earlier bot are free at once, since one bot runs per data folder. Those of a command are free when its
process is dead, or, where that cannot be told, when its lease has run out.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from core.errors import JobCancelled
from core.model.requests import Job, MessageKey, Request
from core.model.video import Scope
from storage import forgetting
from storage.data_folder import Owners, disk
from storage.database import HERE, NOW_S, Tables, sealed
from storage.forgetting import KEY_ONLY, OPEN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from sqlite3 import Row

    import aiosqlite

    from storage.database import Connections

LEASE_S = 60.0
KEPT_S = 30 * 86400.0
"""How long it is remembered how a job ended. Nothing that a platform sends a second time comes so late."""
PRESSES_KEPT_S = 86400.0

_PLAIN = (
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
"""What a request and its row have by the same name."""

_SAME_KEY = f"{HERE} AND about = :about AND item = :item"

_IS_TO_BE_DONE = f"""
    :about = '' OR NOT EXISTS (
        SELECT 1 FROM jobs WHERE {HERE} AND about = :about AND (item = '' AND kind = 'deleted' OR item = :sealed)
    )
"""  # noqa: S608 - our own words, as in all SQL here

# An owner is a role of three letters, a colon, and the name of a run.
_LEFT = "ended_s IS NULL AND substr(owner, 5) <> :run"

_BEGIN = f"""
    INSERT INTO jobs (platform, space, channel, about, item, kind, source, name, user_id, user_name, message,
        message_url, place, state, owner, leased_until_s, made_s)
    SELECT :platform, :space, :channel, :about, :item, 'key', '', '', '', '', '', '', '', 'done', 'key:' || :run, 0,
        {NOW_S} WHERE {_IS_TO_BE_DONE}
    ON CONFLICT DO UPDATE SET owner = excluded.owner WHERE {_LEFT}
"""

# What only had a key is a job by now.
_DROP_KEY = f"DELETE FROM jobs WHERE {_SAME_KEY} AND kind = 'key' AND {_LEFT}"  # noqa: S608

_ACCEPT = f"""
    INSERT INTO jobs (platform, space, channel, about, item, kind, source, name, user_id, user_name, message,
        message_url, place, length_s, under, picture, moderator, state, owner, leased_until_s, made_s)
    SELECT :platform, :space, :channel, :about, :item, :kind, :source, :name, :user_id, :user_name, :message,
        :message_url, :place, :length_s, :under, :picture, :moderator, 'queued', :me, :now_s + :lease_s, :now_s
    WHERE {_IS_TO_BE_DONE}
    ON CONFLICT DO UPDATE SET owner = excluded.owner, leased_until_s = excluded.leased_until_s,
        state = iif(state = 'cancelled', state, 'queued') WHERE kind <> 'key' AND {_LEFT}
    RETURNING id
"""

# A clock that jumped back must not make a lease last.
_FREE = """
    owner <> :me AND (
        owner = '' OR (:is_bot AND owner LIKE 'bot:%')
        OR leased_until_s < :now_s OR leased_until_s > :now_s + 2 * :lease_s
    )
"""

_FREED = """
    UPDATE jobs SET owner = '', leased_until_s = 0
    WHERE ended_s IS NULL AND substr(owner, 5) IN (SELECT value FROM json_each(:dead))
"""

# The place may hold a token that speaks for Keaton. What was to be forgotten is named nowhere, nor what a question
# named: it may be forgotten later.
_WIPED = """
    place = '', source = iif(kind IN ('forget', 'find'), '', source), name = iif(kind = 'find', '', name),
    title = iif(kind = 'forget', '', title)
"""

_HOW_ENDED = "CASE reason WHEN '' THEN 'done' WHEN 'JobCancelled' THEN 'cancelled' ELSE 'failed' END"

_NEEDED_FILES = f"""
    SELECT source FROM jobs WHERE kind = 'file' AND {OPEN}
    UNION SELECT picture FROM jobs WHERE picture <> '' AND {OPEN}
"""  # noqa: S608

_OUTDONE = """
    SELECT 1 FROM jobs AS later JOIN jobs AS mine USING (platform, space, channel)
    WHERE later.under = :message AND later.under <> '' AND later.id > mine.id AND mine.id = :id LIMIT 1
"""

_PRESSED = """
    SELECT 1 FROM jobs AS press JOIN jobs AS mine USING (platform, space, channel)
    WHERE press.kind = 'press' AND press.source = :button AND mine.id = :id
    AND (press.moderator OR press.user_id = mine.user_id) LIMIT 1
"""

# What came after an open request is what that may not undo.
_OLD = f"""
    ended_s < :now_s - CASE kind WHEN 'press' THEN :press_s ELSE :kept_s END AND kind <> 'deleted'
    AND (
        kind NOT IN ('press', 'switch')
        OR id < coalesce((SELECT min(id) FROM jobs WHERE {OPEN}), 9223372036854775807)
    )
"""  # noqa: S608

# A message may be read again, however old it is.
_DROP_OLD = (
    f"DELETE FROM jobs WHERE about = '' AND {_OLD}",  # noqa: S608
    f"UPDATE jobs SET {KEY_ONLY} WHERE about <> '' AND kind <> 'key' AND {_OLD}",  # noqa: S608
)


class SqliteJobs(Tables):
    """Requests that were written down."""

    def __init__(self, connections: Connections, run: str, clock_s: Callable[[], float], *, is_bot: bool) -> None:
        """Take up jobs in the name of a run, which is the ledger's; the clock returns Unix seconds."""
        super().__init__(connections)
        self._run = run
        self._clock_s = clock_s
        self._is_bot = is_bot
        self._owners = Owners.of(connections.path)

    async def accept(self, request: Request) -> Job | None:
        """Write a request down and take it up; None when that was done before, unless by a process that died."""
        values = {**_of_request(request), **self._now()}
        if request.kind == "forget":
            await self._db.make_room()
        async with self._db.writing() as db:
            accepted = list(await db.execute_fetchall(_ACCEPT, values))
            if not accepted and (await db.execute(_DROP_KEY, values)).rowcount:
                accepted = list(await db.execute_fetchall(_ACCEPT, values))
        return await self.job(accepted[0][0]) if accepted else None

    async def job(self, job_id: int) -> Job | None:
        """Return a job."""
        sql = "SELECT * FROM jobs WHERE id = :id AND kind NOT IN ('key', 'deleted')"
        return next(map(_job, await self._db.rows(sql, {"id": job_id})), None)

    async def left(self, platform: str) -> tuple[Job, ...]:
        """Return a platform's jobs that no living process works on: open ones, and those whose end was not told."""
        await self._free_of_the_dead()
        sql = f"""
            SELECT * FROM jobs WHERE platform = :platform AND ended_s IS NULL AND kind <> 'key' AND {_FREE} ORDER BY id
        """  # noqa: S608
        return tuple(map(_job, await self._db.rows(sql, {"platform": platform, **self._now()})))

    async def put_off(self, job_id: int, reason: str, until_s: float) -> None:
        """Note that it failed in a way that may pass, and when (Unix seconds) it is to be tried again."""
        await self._note(
            job_id, "state = 'queued', failures = failures + 1, reason = :a, not_before_s = :b", reason, until_s
        )

    async def fail(self, job_id: int, reason: str) -> None:
        """Note why it failed for good; it stays open until the answer was shown."""
        await self._note(job_id, "reason = :a", reason)

    async def stand(self, job_id: int, place: str, message: str) -> None:
        """Note where its answer stands, and as which message: its video counts as posted by that."""
        await self._note(job_id, "place = :a, message = :b", place, message)

    async def vouch(self, job_id: int) -> None:
        """Note that the asker moderates where they asked."""
        await self._change("UPDATE jobs SET moderator = 1 WHERE id = :id", {"id": job_id})

    async def name(self, job_id: int, video_id: str, title: str) -> None:
        """Note which video a request to forget means, and by which name."""
        await self._note(job_id, "source = :a, title = :b, done_once = 1", video_id, title)

    async def named(self, job_id: int) -> tuple[str, str] | None:
        """Return which video (id and title) an open request to forget was taken to mean, if it was."""
        sql = f"SELECT source, title FROM jobs WHERE id = :id AND kind = 'forget' AND done_once = 1 AND {OPEN}"  # noqa: S608
        return next(((str(row[0]), str(row[1])) for row in await self._db.rows(sql, {"id": job_id})), None)

    async def picture(self, job_id: int, path: str) -> None:
        """Note where a copy of the picture that it asks about is about to lie."""
        await self._note(job_id, "picture = :a", path)

    async def settle(self, job_id: int) -> str:
        """End a job whose answer was shown; return the id of a video whose file is not needed any more, or ""."""
        return await self._end(job_id, _HOW_ENDED)

    async def call_off(self, job_id: int) -> str:
        """End a job, but for saying so where it was asked for: a later run does where this one does not come to it.

        Raises JobCancelled where there is nothing to end any more: its video is kept, or it has ended.
        """
        async with self._db.writing() as db:
            sql = f"UPDATE jobs SET state = 'cancelled' WHERE id = ? AND looks = 0 AND {OPEN} RETURNING video_id"  # noqa: S608
            for (video_id,) in await db.execute_fetchall(sql, (job_id,)):
                return await _drop_checkpoint(db, video_id)
            raise JobCancelled

    async def cancel(self, job_id: int) -> str:
        """End a job that is not wanted any more; return what `settle` returns."""
        return await self._end(job_id, "'cancelled'")

    async def about(self, scope: Scope, message: str) -> tuple[int, ...]:
        """Return the ids of the open jobs that a message asked for, or whose answer it is."""
        sql = f"SELECT id FROM jobs WHERE {HERE} AND :message IN (about, message) AND :message <> '' AND {OPEN}"  # noqa: S608
        return tuple(row["id"] for row in await self._db.rows(sql, {**asdict(scope), "message": message}))

    async def is_outdone(self, job_id: int, message: str) -> bool:
        """Tell whether a press that draws a message, in its channel, was written down after a job."""
        return bool(await self._db.rows(_OUTDONE, {"id": job_id, "message": message}))

    async def is_pressed(self, job_id: int, button: str) -> bool:
        """Tell whether the asker of a job, or a moderator, has pressed a button in its channel, by its id."""
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
        """Drop checkpoints for jobs that are not open; return the videos by id and posted files by path needed."""
        async with self._db.writing() as db:
            await forgetting.drop_unneeded_checkpoints(db)
            for sql in _DROP_OLD:
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
            sql = "SELECT video_id, kind, made_s FROM jobs WHERE id = ?"
            found = list(await db.execute_fetchall(sql, (job_id,)))
            is_sealed = await forgetting.seal_told(db, job_id)
            unneeded = await _drop_checkpoint(db, found[0][0]) if found else ""
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

    async def _note(self, job_id: int, change: str, a: object, b: object = None) -> None:
        """Change the row of an open job."""
        await self._change(f"UPDATE jobs SET {change} WHERE id = :id AND {OPEN}", {"id": job_id, "a": a, "b": b})  # noqa: S608

    async def _change(self, sql: str, values: dict[str, object]) -> None:
        async with self._db.writing() as db:
            await db.execute(sql, values)

    def _now(self) -> dict[str, object]:
        me = f"{'bot' if self._is_bot else 'cli'}:{self._run}"
        return {
            "me": me,
            "run": self._run,
            "is_bot": self._is_bot,
            "now_s": self._clock_s(),
            "lease_s": LEASE_S,
        }


class KeyTables(Tables):
    """What is to be done once, though no request is written down for it."""

    def __init__(self, connections: Connections, run: str) -> None:
        """Begin a run: what earlier ones left unsettled may be taken up again."""
        super().__init__(connections)
        self._run = run

    @property
    def run(self) -> str:
        """Return the name of this run."""
        return self._run

    async def begin(self, key: MessageKey) -> bool:
        """Take something up; tell whether it is to be done."""
        async with self._db.writing() as db:
            return (await db.execute(_BEGIN, {**_of_key(key), "run": self._run})).rowcount > 0

    async def settle(self, key: MessageKey) -> None:
        """Note that something is done for ever, well or not; that of a deleted message stays so."""
        async with self._db.writing() as db:
            sql = f"UPDATE jobs SET ended_s = {NOW_S} WHERE {_SAME_KEY} AND ended_s IS NULL"  # noqa: S608
            await db.execute(sql, _of_key(key))

    async def unsettled(self, platform: str) -> tuple[MessageKey, ...]:
        """Return what another process took up and did not settle, oldest first."""
        sql = f"SELECT * FROM jobs WHERE platform = :platform AND {_LEFT} ORDER BY id"  # noqa: S608
        return tuple(map(_key, await self._db.rows(sql, {"platform": platform, "run": self._run})))


async def _drop_checkpoint(db: aiosqlite.Connection, video_id: str) -> str:
    """Drop the checkpoint where no open job is about the video; return its id where it is not kept either."""
    if not await forgetting.drop_checkpoint(db, video_id):
        return ""
    await forgetting.drop_unseen(db, video_id)  # answers may have shown it as far as it was indexed
    kept = await db.execute_fetchall("SELECT 1 FROM videos WHERE id = ?", (video_id,))
    return "" if kept else video_id


def _of_key(key: MessageKey) -> dict[str, object]:
    names = (*asdict(key.scope).values(), key.message, key.item)
    return {**asdict(key.scope), "about": key.message, "item": key.item, "sealed": sealed(*names)}


def _of_request(request: Request) -> dict[str, object]:
    return {**_of_key(request.key), **{name: getattr(request, name) for name in _PLAIN}}


def _key(row: Mapping[str, Any] | Row) -> MessageKey:
    return MessageKey(Scope(row["platform"], row["space"], row["channel"]), row["about"], row["item"])


def _job(row: Mapping[str, Any] | Row) -> Job:
    plain = {**{name: row[name] for name in _PLAIN}, "moderator": bool(row["moderator"])}
    return Job(
        id=row["id"],
        request=Request(_key(row), **plain),
        state=row["state"],
        reason=row["reason"],
        failures=row["failures"],
        not_before_s=row["not_before_s"],
        video_id=row["video_id"],
        frames=row["looks"],
    )
