"""What stays of requests for a film that was forgotten: keys that name nothing. Runs in somebody else's transaction.

A message that brought a film may still stand on its platform, and be sent again: that its link was seen to once has to
be remembered, but not which link that was. So its errand keeps a digest in the place of the name.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from storage import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    import aiosqlite

    from core.model import View

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

_DROP_JOBS = f"""
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
    """Let no request in view name a film any more that it does not post there; called before the film's links go."""
    values = {"video_id": video_id, **rows.of_view(view)}
    for row in await db.execute_fetchall(_ERRANDS, values):
        await _seal_errand(db, row)
    await db.execute(_DROP_JOBS, values)


async def seal_told(db: aiosqlite.Connection, job_id: int) -> bool:
    """Let a request name nothing any more whose asker was told that its film was forgotten; tell whether it is one."""
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
