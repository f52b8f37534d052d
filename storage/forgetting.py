"""Forgetting a video, and keeping it forgotten. Functions run inside the caller's transaction.

Open requests for it are ended or refused, postings and all that hangs on them go, and keys that are still needed (so
that a message is not read again) keep a digest in place of the link.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from core.errors import FilmForgotten, JobCancelled, MessageGone
from core.links import canonical
from storage import answers, shown_messages, videos
from storage.database import HERE, IN_VIEW, of_view

if TYPE_CHECKING:
    import aiosqlite

    from core.model.requests import JobRef
    from core.model.video import Posting, View

OPEN = "state IN ('queued', 'running')"

KEY_ONLY = """
    kind = 'key', source = '', name = '', user_id = '', user_name = '', message = '', message_url = '', place = '',
    length_s = NULL, state = 'done', reason = '', failures = 0, starts = 0, not_before_s = 0, video_id = '',
    title = '', url = '', uploader = '', looks = 0, picture = '', done_once = 0, under = '', called_back = '',
    moderator = 0, link = '', site_id = '', several = 0
"""
"""Clears all columns of a request but its key, its owner, and whether it is settled."""

_THEIRS = f"{IN_VIEW} AND (:user_id IS NULL OR user_id = :user_id) AND ended_s IS NULL"

_UNKNOWN = f"""
    SELECT id, source FROM jobs INDEXED BY jobs_unsettled
    WHERE {_THEIRS} AND video_id = '' AND kind IN ('link', 'file', 'remote')
"""  # noqa: S608 - our own words, as in all SQL here

_LINKS = """
    SELECT link AS name FROM links WHERE video_id = :video_id AND platform = :platform AND space = :space
    UNION SELECT source FROM jobs WHERE video_id = :video_id AND platform = :platform AND space = :space
"""

# It stays unsettled: the asker is told, by the next run where this one does not come to it.
_END = f"""
    UPDATE jobs INDEXED BY jobs_unsettled SET state = 'cancelled', reason = 'FilmForgotten'
    WHERE {_THEIRS} AND video_id = :video_id
"""  # noqa: S608

_UNNEEDED = f"NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.video_id = works.video_id AND {OPEN})"  # noqa: S608

_IS_DELETED = f"""
    SELECT 1 FROM jobs WHERE {HERE} AND about = :message AND :message <> '' AND item = '' AND kind = 'deleted'
"""  # noqa: S608

# What a command asked for is named by its id and the link.
_NAMING = f"""
    WITH names AS ({_LINKS}
        UNION SELECT item FROM jobs WHERE video_id = :video_id AND platform = :platform AND space = :space
    )
    SELECT id FROM jobs WHERE {IN_VIEW} AND ended_s IS NOT NULL AND kind <> 'deleted' AND item NOT LIKE 'sealed:%'
    AND (
        video_id = :video_id OR source IN names OR item IN names
        OR about = '' AND EXISTS (SELECT 1 FROM names WHERE substr(item, -length(name) - 1) = ':' || name)
    )
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = :video_id AND postings.platform = jobs.platform
        AND postings.space = jobs.space AND postings.channel = jobs.channel
        AND postings.message IN (jobs.about, nullif(jobs.message, ''))
    )
"""  # noqa: S608

_THESE = "id IN (SELECT value FROM json_each(:ids))"

# Notes of which message answers something name that, see `card_note`.
_SEAL = (
    f"""
    UPDATE OR REPLACE notes SET name = card || sealed FROM (
        SELECT platform || ':shown:' || space || ':' || channel || ':' || about || ':' AS card, item,
            sealed(platform, space, channel, about, item) AS sealed
        FROM jobs WHERE {_THESE} AND about <> ''
    ) WHERE notes.name = card || item
    """,  # noqa: S608
    f"DELETE FROM jobs WHERE {_THESE} AND about = ''",  # noqa: S608
    f"UPDATE OR REPLACE jobs SET item = sealed(platform, space, channel, about, item), {KEY_ONLY} WHERE {_THESE}",  # noqa: S608
)

_TOLD = "SELECT 1 FROM jobs WHERE id = ? AND reason = 'FilmForgotten' AND ended_s IS NOT NULL"

_ENDED_NOWHERE = """
    SELECT id FROM jobs WHERE video_id = ? AND ended_s IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = jobs.video_id AND postings.platform = jobs.platform
        AND postings.space = jobs.space AND postings.channel = jobs.channel
    )
"""


async def is_first(db: aiosqlite.Connection, job: JobRef) -> bool:
    """Tell whether a request to forget has not been carried out yet, and note that it is."""
    sql = "UPDATE jobs SET starts = 1 WHERE id = ? AND starts = 0"
    return (await db.execute(sql, (job.id,))).rowcount > 0


async def must_be_wanted(db: aiosqlite.Connection, job_id: int, video_id: str) -> None:
    """Raise FilmForgotten, JobCancelled or MessageGone where a request may not keep this video any more."""
    sql = f"SELECT {OPEN}, reason, called_back FROM jobs WHERE id = ?"  # noqa: S608
    found = list(await db.execute_fetchall(sql, (job_id,)))
    if not found:
        raise MessageGone
    ((is_open, reason, called_back),) = found
    if reason == FilmForgotten.__name__ or _digest(job_id, video_id) in called_back.split():
        raise FilmForgotten
    if not is_open:
        raise JobCancelled


async def must_stand(db: aiosqlite.Connection, posting: Posting) -> None:
    """Raise MessageGone where the message of a posting was deleted meanwhile."""
    if await db.execute_fetchall(_IS_DELETED, {**asdict(posting.scope), "message": posting.message}):
        raise MessageGone


async def bring(db: aiosqlite.Connection, job: JobRef | None, video_id: str, frames: int) -> None:
    """Note that the video of a job is kept, in the transaction that keeps it; raises what `must_be_wanted` raises."""
    if job is not None:
        await must_be_wanted(db, job.id, video_id)
        sql = "UPDATE jobs SET video_id = ?, looks = ?, reason = '' WHERE id = ?"
        await db.execute(sql, (video_id, frames, job.id))


async def drop_checkpoint(db: aiosqlite.Connection, video_id: str) -> bool:
    """Drop the checkpoint of a video that no open job is about; tell whether there was one."""
    sql = f"DELETE FROM works WHERE video_id = ? AND {_UNNEEDED}"  # noqa: S608
    return (await db.execute(sql, (video_id,))).rowcount > 0


async def drop_unneeded_checkpoints(db: aiosqlite.Connection) -> None:
    """Drop the checkpoints of all videos that no open job is about."""
    await db.execute(f"DELETE FROM works WHERE {_UNNEEDED}")  # noqa: S608


async def drop_postings(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> bool:
    """Delete a video's postings in view, or one person's of them, and what they leave behind; see `drop_unposted`.

    Open requests of theirs for it end in the same transaction, so that none keeps it and no later run fetches it again.
    """
    await _call_back(db, video_id, view, user_id)
    await videos.drop_postings(db, video_id, view, user_id)
    await seal(db, video_id, view)
    return await drop_unposted(db, video_id)


async def drop_brought(db: aiosqlite.Connection, video_id: str, view: View) -> bool:
    """Drop what hangs on a video that a message does not bring any more; tell whether its file goes too."""
    await seal(db, video_id, view)
    went = await drop_unposted(db, video_id)
    dropped = await drop_checkpoint(db, video_id)
    return (went or dropped) and not await videos.is_needed(db, video_id)


async def drop_unposted(db: aiosqlite.Connection, video_id: str) -> bool:
    """Delete answers that showed a video where no posting of it is left in their view, and names it had there alone.

    What was asked for there goes too. Where no posting is left at all, delete the video with all that hangs on it;
    tell whether.
    """
    await _seal(db, [job_id for (job_id,) in await db.execute_fetchall(_ENDED_NOWHERE, (video_id,))])
    return await drop_unseen(db, video_id)


async def drop_unseen(db: aiosqlite.Connection, video_id: str) -> bool:
    """Do as `drop_unposted` does, but keep how requests for the video ended."""
    await answers.drop_showing(db, video_id)
    await shown_messages.take_back(db, video_id)
    return await videos.drop_names(db, video_id)


async def seal(db: aiosqlite.Connection, video_id: str, view: View) -> None:
    """Seal the keys of requests in view that name a video without posting it there; before the video's links go."""
    found = await db.execute_fetchall(_NAMING, {"video_id": video_id, **of_view(view)})
    await _seal(db, [job_id for (job_id,) in found])


async def seal_told(db: aiosqlite.Connection, job_id: int) -> bool:
    """Seal the key of a request whose asker was told that its video was forgotten; tell whether it is one."""
    if not await db.execute_fetchall(_TOLD, (job_id,)):
        return False
    await _seal(db, [job_id])
    return True


async def _seal(db: aiosqlite.Connection, ids: list[int]) -> None:
    for sql in _SEAL if ids else ():
        await db.execute(sql, {"ids": json.dumps(ids)})


async def _call_back(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> None:
    """End open requests for a video in view, or one person's of them; called before its links go.

    Those of which it is not known yet what they are about may end in any video but this.
    """
    values = {"video_id": video_id, "user_id": user_id, **of_view(view)}
    unknown = list(await db.execute_fetchall(_UNKNOWN, values))
    links = await db.execute_fetchall(_LINKS, values) if unknown else ()
    names = {canonical(name) for (name,) in links} | {video_id}
    for job_id, source in unknown:
        if canonical(source) in names:
            await db.execute("UPDATE jobs SET video_id = ? WHERE id = ?", (video_id, job_id))
        else:
            sql = "UPDATE jobs SET called_back = called_back || ' ' || ? WHERE id = ?"
            await db.execute(sql, (_digest(job_id, video_id), job_id))
    await db.execute(_END, values)
    await drop_checkpoint(db, video_id)


def _digest(job_id: int, video_id: str) -> str:
    return hashlib.sha256(f"{job_id}\0{video_id}".encode()).hexdigest()[:32]
