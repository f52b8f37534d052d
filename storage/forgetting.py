"""The SQL of forgetting a video, and of keeping it forgotten. Functions run inside the caller's transaction.

Open requests for it are ended or refused, postings and what hangs on them go, and keys that are still needed (so that a
message is not looked at again) keep a digest in place of the link.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from core.errors import FilmForgotten, JobCancelled, MessageGone
from core.links import canonical
from storage import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import aiosqlite

    from core.model.requests import JobRef
    from core.model.video import View

OPEN = "state IN ('queued', 'running')"


_THEIRS = """
    platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))
    AND (:user_id IS NULL OR user_id = :user_id) AND ended_s IS NULL
"""


_UNKNOWN = f"""
    SELECT id, source FROM jobs WHERE {_THEIRS} AND video_id = '' AND kind IN ('link', 'file', 'remote')
"""  # noqa: S608 - our own words


_RECALLED_NAMES = """
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
    """End open requests for a video in view, or one person's of them; called before its links go.

    Those of which nobody knows yet what they are about may end in any video but this.
    """
    values = {"video_id": video_id, "user_id": user_id, **rows.of_view(view)}
    names = {canonical(name) for (name,) in await db.execute_fetchall(_RECALLED_NAMES, values)} | {video_id}
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
    """Drop what was seen so far where no open job is about the video; tell whether there was anything."""
    return (await db.execute(_DROP_WORK, {"id": video_id})).rowcount > 0


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


async def bring(db: aiosqlite.Connection, job: JobRef | None, video_id: str, looks: int) -> None:
    """Note that the video of a job is kept, in the transaction that keeps it; raises what `must_be_wanted` raises."""
    if job is None:
        return
    await must_be_wanted(db, job.id, video_id)
    sql = "UPDATE jobs SET video_id = ?, looks = ?, reason = '' WHERE id = ?"
    await db.execute(sql, (video_id, looks, job.id))


def _digest(job_id: int, video_id: str) -> str:
    return hashlib.sha256(f"{job_id}\0{video_id}".encode()).hexdigest()[:32]


KEPT_S = 30 * 86400.0
"""How long it is remembered how a job ended."""


PRESSES_KEPT_S = 86400.0


# What came after an open request is what that may not undo.
_OLD = f"""
    ended_s < :now_s - CASE kind WHEN 'press' THEN :press_s ELSE :kept_s END
    AND (
        kind NOT IN ('press', 'switch')
        OR id < coalesce((SELECT min(id) FROM jobs WHERE {OPEN}), 9223372036854775807)
    )
"""  # noqa: S608 - our own words


# Nothing that a platform sends a second time comes so late; a message's own errands stay, for it may be read again.
DROP_OLD = (
    f"""
    DELETE FROM errands WHERE message = '' AND (platform, space, channel, item) IN
    (SELECT platform, space, channel, item FROM jobs WHERE about = '' AND {_OLD})
    """,  # noqa: S608
    f"DELETE FROM jobs WHERE {_OLD}",  # noqa: S608
)


_COLUMNS = ("id", "platform", "space", "channel", "message", "item")


_NAMES = """
    SELECT link AS name FROM links WHERE video_id = :video_id AND platform = :platform AND space = :space
    UNION SELECT item FROM jobs WHERE video_id = :video_id AND platform = :platform AND space = :space
    UNION SELECT source FROM jobs WHERE video_id = :video_id AND platform = :platform AND space = :space
"""


_HERE = "platform = :platform AND space = :space AND channel IN (SELECT value FROM json_each(:channels))"


_POSTED = """
    SELECT 1 FROM postings WHERE postings.video_id = :video_id AND postings.platform = {table}.platform
    AND postings.space = {table}.space AND postings.channel = {table}.channel AND postings.message IN ({messages})
"""


_ERRANDS = f"""
    SELECT {", ".join(_COLUMNS)} FROM errands WHERE {_HERE} AND state = 'settled'
    AND EXISTS (
        SELECT 1 FROM ({_NAMES}) WHERE item = name OR message = '' AND substr(item, -length(name) - 1) = ':' || name
    )
    AND NOT EXISTS ({_POSTED.format(table="errands", messages="errands.message")})
"""  # noqa: S608 - our own words


_SEAL_JOBS = f"""
    DELETE FROM jobs WHERE {_HERE} AND ended_s IS NOT NULL
    AND (video_id = :video_id OR source IN (SELECT name FROM ({_NAMES})))
    AND NOT EXISTS ({_POSTED.format(table="jobs", messages="jobs.about, jobs.message")})
"""  # noqa: S608


_TOLD = "SELECT 1 FROM jobs WHERE id = :id AND reason = 'FilmForgotten' AND ended_s IS NOT NULL"


_ITS_ERRAND = f"""
    SELECT {", ".join(_COLUMNS)} FROM errands WHERE state = 'settled' AND (platform, space, channel, message, item) IN
    (SELECT platform, space, channel, about, item FROM jobs WHERE id = :id)
"""  # noqa: S608


_SEAL = "UPDATE OR REPLACE errands SET item = :sealed WHERE id = :id"


_SEAL_NOTES = """
    UPDATE OR REPLACE notes SET name = substr(name, 1, length(name) - length(:item)) || :sealed
    WHERE substr(name, -length(:ending)) = :ending
"""


def sealed(errand: dict[str, object]) -> str:
    """Give what stands for an errand's name once that is forgotten; of its platform, space, channel, message, item."""
    names = ("platform", "space", "channel", "message", "item")
    text = "\0".join(str(errand[name]) for name in names)
    return "sealed:" + hashlib.sha256(text.encode()).hexdigest()[:32]


async def seal(db: aiosqlite.Connection, video_id: str, view: View) -> None:
    """Let no request in view name a video any more that it does not post there; called before the video's links go."""
    values = {"video_id": video_id, **rows.of_view(view)}
    for row in await db.execute_fetchall(_ERRANDS, values):
        await _seal_errand(db, row)
    await db.execute(_SEAL_JOBS, values)


async def seal_told(db: aiosqlite.Connection, job_id: int) -> bool:
    """Let a request name nothing any more whose asker was told that its video was forgotten; tell whether it is one."""
    if not await db.execute_fetchall(_TOLD, {"id": job_id}):
        return False
    for row in await db.execute_fetchall(_ITS_ERRAND, {"id": job_id}):
        await _seal_errand(db, row)
    await db.execute("DELETE FROM jobs WHERE id = :id", {"id": job_id})
    return True


async def _seal_errand(db: aiosqlite.Connection, row: Iterable[object]) -> None:
    errand = dict(zip(_COLUMNS, row, strict=True))
    if errand["message"]:
        of = {**errand, "sealed": sealed(errand), "ending": f":{errand['message']}:{errand['item']}"}
        await db.execute(_SEAL_NOTES, of)
        await db.execute(_SEAL, of)
    else:
        await db.execute("DELETE FROM errands WHERE id = :id", errand)


# The whole answer: its buttons count its moments, and must not come to mean others.
_DROP_ANSWERS = """
    DELETE FROM answers
    WHERE (
        video_id = :id
        OR EXISTS (SELECT 1 FROM json_each(moments) WHERE json_extract(value, '$.video_id') = :id)
        OR EXISTS (SELECT 1 FROM json_tree(earlier) WHERE key = 'video_id' AND atom = :id)
        OR json_extract(beside, '$.picture.source.video_id') = :id
    )
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE video_id = :id AND platform = view_platform AND space = view_space
        AND channel IN (SELECT value FROM json_each(view_channels))
    )
"""


# A posting by a link has the link's names, so a link whose names no posting of its space has is one that nobody posted
# there any more.
_DROP_NAMES = """
    DELETE FROM links WHERE video_id = :id AND NOT EXISTS (
        SELECT 1 FROM postings
        WHERE postings.video_id = :id AND postings.platform = links.platform AND postings.space = links.space
        AND (postings.title, postings.url, postings.uploader) = (links.title, links.url, links.uploader)
    )
"""


# What is remembered of requests that are done.
_DROP_JOBS = """
    DELETE FROM jobs WHERE video_id = :id AND ended_s IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = jobs.video_id AND postings.platform = jobs.platform
        AND postings.space = jobs.space AND postings.channel = jobs.channel
    )
"""


# Where a posting goes a trigger does this; what was shown of a video that was under way never had one.
_TAKE_BACK = """
    INSERT OR IGNORE INTO stale_showings
    SELECT platform, space, channel, message, files FROM showings WHERE video_id = :id
    AND NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = showings.video_id
        AND postings.platform = showings.platform AND postings.space = showings.space
    )
    AND NOT EXISTS (
        SELECT 1 FROM jobs WHERE jobs.video_id = showings.video_id AND jobs.platform = showings.platform
        AND jobs.space = showings.space AND state IN ('queued', 'running')
    )
"""


_RENAME = """
    UPDATE videos SET (title, url, uploader) = (left_over.title, left_over.url, left_over.uploader)
    FROM (SELECT * FROM postings WHERE video_id = :id ORDER BY id DESC LIMIT 1) AS left_over
    WHERE videos.id = :id AND (videos.title, videos.url, videos.uploader)
    <> (left_over.title, left_over.url, left_over.uploader)
"""


async def drop_postings(db: aiosqlite.Connection, video_id: str, view: View, user_id: str | None) -> bool:
    """Delete a video's postings in view, or one person's of them, and what they leave behind; see `drop_unposted`.

    Open requests of theirs for it end in the same transaction, so that none keeps it and no later run fetches it again.
    """
    values = {"video_id": video_id, "user_id": user_id, **rows.of_view(view)}
    await call_back(db, video_id, view, user_id)
    await db.execute(
        """
        DELETE FROM postings
        WHERE video_id = :video_id AND platform = :platform AND space = :space
        AND channel IN (SELECT value FROM json_each(:channels)) AND (:user_id IS NULL OR user_id = :user_id)
        """,
        values,
    )
    await seal(db, video_id, view)
    return await drop_unposted(db, video_id)


async def drop_unposted(db: aiosqlite.Connection, video_id: str) -> bool:
    """Delete answers that showed a video where no posting of it is left in their view, and names it had there alone.

    What was asked for there goes too. Where no posting is left at all, delete the video with all that hangs on it;
    tell whether.
    """
    await db.execute(_DROP_JOBS, {"id": video_id})
    return await drop_unseen(db, video_id)


async def drop_unseen(db: aiosqlite.Connection, video_id: str) -> bool:
    """Do as `drop_unposted` does, but keep how requests for the video ended."""
    for sql in (_DROP_ANSWERS, _DROP_NAMES, _TAKE_BACK, _RENAME):
        await db.execute(sql, {"id": video_id})
    cursor = await db.execute(
        "DELETE FROM videos WHERE id = :id AND NOT EXISTS (SELECT 1 FROM postings WHERE video_id = :id)",
        {"id": video_id},
    )
    return cursor.rowcount > 0
