"""The SQL of votes. Each function that writes runs inside a transaction that somebody else holds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from core.votes import Vote
from storage import rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite

    from core.model import View
    from core.talk import JobRef
    from core.votes import Ballot
    from storage.connections import Connections

# Films in view alone: a vote on a film that a channel does not see says nothing there.
_VOTES = """
    SELECT wish, video_id, at_s, value FROM votes
    WHERE platform = :platform AND space = :space AND wish IN (SELECT value FROM json_each(:wishes))
    AND EXISTS (
        SELECT 1 FROM postings
        WHERE postings.video_id = votes.video_id AND platform = :platform AND space = :space
        AND channel IN (SELECT value FROM json_each(:channels))
    )
    ORDER BY wish, video_id, at_s, user_id
"""

_MINE = """
    DELETE FROM votes
    WHERE platform = :platform AND space = :space AND wish = :wish AND video_id = :video_id AND user_id = :user_id
    AND at_s >= :start_s AND at_s < :end_s
    RETURNING value
"""

_PUT = """
    INSERT OR REPLACE INTO votes (platform, space, wish, video_id, at_s, user_id, value)
    SELECT :platform, :space, :wish, :video_id, :at_s, :user_id, :value
    WHERE EXISTS (SELECT 1 FROM postings WHERE video_id = :video_id AND platform = :platform AND space = :space)
"""

_ONCE = "UPDATE jobs SET done_once = 1 WHERE id = :id AND done_once = 0"

_OVERTAKEN = """
    SELECT 1 FROM jobs AS later JOIN jobs AS mine USING (platform, space, channel, user_id)
    WHERE mine.id = :id AND later.id > mine.id AND later.kind = 'press' AND later.done_once = 1
    AND later.source <> mine.source AND rtrim(later.source, 'ud') = rtrim(mine.source, 'ud')
"""


async def votes(connections: Connections, view: View, wishes: Sequence[str]) -> tuple[Vote, ...]:
    """Give the votes on films in view for these wishes."""
    found = await connections.rows(_VOTES, {**rows.of_view(view), "wishes": json.dumps(wishes)})
    return tuple(Vote(*row) for row in found)


async def cast(db: aiosqlite.Connection, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
    """Put votes in the place of those that these people cast on the moments before; for a job once alone.

    Where all of them stood already they are taken back. A press that was overtaken by the same person's opposite one,
    which was written down later and counted sooner, changes nothing.
    """
    if job is not None and not await _counts(db, job):
        return
    taken = [await _take_back(db, view, ballot) for ballot in ballots]
    if all(ballot.value in before for ballot, before in zip(ballots, taken, strict=True)):
        return
    for ballot in ballots:
        await db.execute(_PUT, _row(view, ballot))


async def _counts(db: aiosqlite.Connection, job: JobRef) -> bool:
    first = (await db.execute(_ONCE, {"id": job.id})).rowcount > 0
    return first and not await db.execute_fetchall(_OVERTAKEN, {"id": job.id})


async def _take_back(db: aiosqlite.Connection, view: View, ballot: Ballot) -> set[int]:
    return {row[0] for row in await db.execute_fetchall(_MINE, _row(view, ballot))}


def _row(view: View, ballot: Ballot) -> dict[str, object]:
    return {
        "platform": view.platform,
        "space": view.space,
        "wish": ballot.wish,
        "video_id": ballot.moment.video_id,
        "start_s": ballot.moment.start_s,
        "end_s": ballot.moment.end_s,
        "at_s": ballot.at_s,
        "user_id": ballot.user_id,
        "value": ballot.value,
    }
