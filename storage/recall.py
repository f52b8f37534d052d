"""The SQL that keeps what was forgotten from coming back. Each function runs inside somebody else's transaction.

Owns when a request that is under way may still keep a film, and what is left of it when not.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from core.errors.turns import FilmForgotten, JobCancelled, MessageGone
from core.links import canonical
from storage import rows

if TYPE_CHECKING:
    import aiosqlite

    from core.model import View
    from core.talk import JobRef

OPEN = "state IN ('queued', 'running')"

_THEIRS = """
    platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (:user_id IS NULL OR user_id = :user_id) AND ended_s IS NULL
"""

_UNKNOWN = f"""
    SELECT id, source FROM jobs WHERE {_THEIRS} AND video_id = '' AND kind IN ('link', 'file', 'remote')
"""  # noqa: S608 - our own words

_NAMES = """
    SELECT link FROM links WHERE video_id = :video_id AND platform = :platform AND space = :space
    UNION SELECT source FROM jobs WHERE video_id = :video_id AND platform = :platform AND space = :space
"""

# Its errand stays begun: whoever asked is told, by the next run where this one does not come to it.
_END = f"""
    UPDATE jobs SET state = 'cancelled', reason = 'FilmForgotten' WHERE {_THEIRS} AND video_id = :video_id
"""  # noqa: S608

UNNEEDED = f"NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.video_id = works.video_id AND {OPEN})"  # noqa: S608

_DROP_WORK = f"DELETE FROM works WHERE video_id = :id AND {UNNEEDED}"  # noqa: S608


async def call_back(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> None:
    """End open requests for a film in view, or one person's of them; called before its links go.

    Those of which nobody knows yet what they are about may end in any film but this.
    """
    values = {"video_id": video_id, "user_id": user_id, **rows.of_view(view)}
    names = {canonical(name) for (name,) in await db.execute_fetchall(_NAMES, values)} | {video_id}
    for job_id, source in await db.execute_fetchall(_UNKNOWN, values):
        if canonical(source) in names:
            await db.execute("UPDATE jobs SET video_id = ? WHERE id = ?", (video_id, job_id))
        else:
            sql = "UPDATE jobs SET called_back = called_back || ' ' || ? WHERE id = ?"
            await db.execute(sql, (_digest(job_id, video_id), job_id))
    await db.execute(_END, values)
    await drop_work(db, video_id)


async def is_first(db: aiosqlite.Connection, job: JobRef) -> bool:
    """Tell whether a request to forget has not been carried out yet, and note that it is."""
    sql = "UPDATE jobs SET starts = 1 WHERE id = ? AND starts = 0"
    return (await db.execute(sql, (job.id,))).rowcount > 0


async def drop_work(db: aiosqlite.Connection, video_id: str) -> bool:
    """Drop what was seen so far where no open job is about the film; tell whether there was anything."""
    return (await db.execute(_DROP_WORK, {"id": video_id})).rowcount > 0


async def must_be_wanted(db: aiosqlite.Connection, job_id: int, video_id: str) -> None:
    """Raise FilmForgotten, JobCancelled or MessageGone where a request may not keep this film any more."""
    sql = f"SELECT {OPEN}, reason, called_back FROM jobs WHERE id = ?"  # noqa: S608
    found = list(await db.execute_fetchall(sql, (job_id,)))
    if not found:
        raise MessageGone
    ((is_open, reason, called_back),) = found
    if reason == FilmForgotten.__name__ or _digest(job_id, video_id) in called_back.split():
        raise FilmForgotten
    if not is_open:
        raise JobCancelled


async def bring(db: aiosqlite.Connection, job: JobRef | None, video_id: str, looks: int) -> None:
    """Note that the film of a job is kept, in the transaction that keeps it; raises what `must_be_wanted` raises."""
    if job is None:
        return
    await must_be_wanted(db, job.id, video_id)
    sql = "UPDATE jobs SET video_id = ?, looks = ?, reason = '' WHERE id = ?"
    await db.execute(sql, (video_id, looks, job.id))


def _digest(job_id: int, video_id: str) -> str:
    return hashlib.sha256(f"{job_id}\0{video_id}".encode()).hexdigest()[:32]
