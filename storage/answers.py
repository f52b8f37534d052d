"""The SQL of answers. Each function runs inside a transaction that somebody else holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    import aiosqlite

    from core.found import Answer

_LIVE = "-180 days"
"""Nobody presses a button under a half-year-old answer, and what people asked is theirs."""

_PUT = """
    INSERT OR REPLACE INTO answers
    (id, text, video_id, view_platform, view_space, view_channels, platform, space, channel, moments, asked_by,
     beside, picture, revision, earlier)
    VALUES (:id, :text, :video_id, :view_platform, :view_space, :view_channels, :platform, :space, :channel,
            :moments, :asked_by, :beside, :picture, :revision, :earlier)
"""

_AMEND = "UPDATE answers SET moments = :moments, revision = :revision, earlier = :earlier WHERE id = :id"


# Forgotten between the moment that it was found and the moment that the answer is written down.
_HERE = """
    WHERE video_id = film AND platform = :view_platform AND space = :view_space
    AND channel IN (SELECT value FROM json_each(:view_channels))
"""

_DROP_LATE = f"""
    DELETE FROM answers WHERE id = :id AND EXISTS (
        SELECT 1 FROM (
            SELECT json_extract(value, '$.video_id') AS film FROM json_each(:moments)
            UNION SELECT :video_id UNION SELECT json_extract(:beside, '$.picture.source.video_id')
        ) AS shown WHERE film IS NOT NULL AND NOT EXISTS (SELECT 1 FROM postings {_HERE})
        AND NOT EXISTS (SELECT 1 FROM jobs {_HERE} AND state IN ('queued', 'running'))
    )
"""  # noqa: S608 - our own words


async def put(db: aiosqlite.Connection, answer: Answer) -> None:
    """Insert an answer, in the place of an older one with its id; those of half a year ago go.

    One that shows a film which is neither posted in its view nor under way there is not kept.
    """
    await db.execute("DELETE FROM answers WHERE made_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)", (_LIVE,))
    values = rows.of_answer(answer)
    await db.execute(_PUT, values)
    await db.execute(_DROP_LATE, values)


async def amend(db: aiosqlite.Connection, answer_id: str, change: Callable[[Answer], Answer]) -> Answer | None:
    """Change an answer's moments; give it as it is then, or None where it is gone: it does not come back."""
    async with db.execute("SELECT * FROM answers WHERE id = ?", (answer_id,)) as found:
        names, row = [column[0] for column in found.description], await found.fetchone()
    if row is None:
        return None
    known = rows.answer(dict(zip(names, row, strict=True)))
    changed = change(known)
    if changed != known:
        await db.execute(_AMEND, rows.of_answer(changed))
    return changed
