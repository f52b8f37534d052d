"""The SQL of answers and of votes. Functions run inside the caller's transaction."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from core.model.answer import Vote
from core.model.query import Stretch
from core.model.results import Baseline, Curve, TextCurve
from storage import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import aiosqlite

    from core.model.answer import Answer, Ballot
    from core.model.requests import JobRef
    from core.model.results import KeptCurves
    from core.model.video import Floats, Seconds, Video, View
    from storage.database import Connections

_HALVES = np.dtype("<f2")

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
    WHERE video_id = video AND platform = :view_platform AND space = :view_space
    AND channel IN (SELECT value FROM json_each(:view_channels))
"""


_DROP_LATE = f"""
    DELETE FROM answers WHERE id = :id AND EXISTS (
        SELECT 1 FROM (
            SELECT json_extract(value, '$.video_id') AS video FROM json_each(:moments)
            UNION SELECT :video_id UNION SELECT json_extract(:beside, '$.picture.source.video_id')
        ) AS shown WHERE video IS NOT NULL AND NOT EXISTS (SELECT 1 FROM postings {_HERE})
        AND NOT EXISTS (SELECT 1 FROM jobs {_HERE} AND state IN ('queued', 'running'))
    )
"""  # noqa: S608 - our own words


async def put(db: aiosqlite.Connection, answer: Answer) -> None:
    """Insert an answer, in the place of an older one with its id; those of half a year ago go.

    One that shows a video which is neither posted in its view nor under way there is not kept.
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


MOST_CURVE_BYTES = 1 << 17
"""So much of its curves is kept with one answer: 18 hours of one text."""
MOST_CURVES = 1 << 13
"""So many are kept of all answers: the oldest go first, and have to be computed again when they are asked for."""

_DROP_CURVES = "DELETE FROM curves WHERE answer_id = :answer_id"

# An answer that was forgotten at once is gone; a video that is not indexed to its end has no indexing.
_PUT_CURVE = """
    INSERT INTO curves (answer_id, indexing_id, about, scores)
    SELECT answers.id, indexings.id, :about, :scores FROM answers, indexings
    WHERE answers.id = :answer_id AND indexings.video_id = :video_id AND recipe_key = :recipe_key
"""

_DROP_OLDEST_CURVES = "DELETE FROM curves WHERE id <= (SELECT max(id) FROM curves) - :most"

_CURVE = """
    SELECT videos.*, about, scores, indexings.id AS indexing, stamp FROM curves
    JOIN indexings ON indexings.id = indexing_id AND recipe_key = :recipe_key AND video_id = :video_id
    JOIN videos ON videos.id = video_id
    WHERE answer_id = :answer_id
"""

_TIMES = """
    SELECT times_s FROM indexings JOIN chunks ON indexing_id = indexings.id
    WHERE indexings.id = :indexing AND stamp = :stamp ORDER BY number
"""


async def put_curves(db: aiosqlite.Connection, answer_id: str, kept: KeptCurves) -> None:
    """Keep the curves of an answer, in the place of those that it had, as far as there is room for them."""
    await db.execute(_DROP_CURVES, {"answer_id": answer_id})
    left_bytes = MOST_CURVE_BYTES
    for curve in kept.curves:
        scores = _halves(curve)
        if (left_bytes := left_bytes - len(scores)) < 0:
            break
        values = {"answer_id": answer_id, "video_id": curve.video.id, "recipe_key": kept.recipe_key}
        await db.execute(_PUT_CURVE, {**values, "about": json.dumps(_about(curve), default=float), "scores": scores})
    await db.execute(_DROP_OLDEST_CURVES, {"most": MOST_CURVES})


async def kept_curve(connections: Connections, answer_id: str, video_id: str, recipe_key: str) -> Curve | None:
    """Return the curve of a video that an answer was made of, or None where it does not fit its frames (any more)."""
    values = {"answer_id": answer_id, "video_id": video_id, "recipe_key": recipe_key}
    for row in await connections.rows(_CURVE, values):
        chunks = await connections.rows(_TIMES, {"indexing": row["indexing"], "stamp": row["stamp"]})
        times_s = np.concatenate([np.frombuffer(chunk["times_s"], "<f8") for chunk in chunks] or [np.empty(0)])
        scores = np.frombuffer(row["scores"], _HALVES).astype(np.float32)
        about = json.loads(row["about"])
        if len(times_s) and len(scores) == len(times_s) * len(about["baselines"]):
            return _curve(rows.video(row), times_s, scores.reshape(-1, len(times_s)), about)
    return None


def _about(curve: Curve) -> rows.Json:
    """Return what is kept of a curve beside its scores."""
    parts = curve.lines or (curve,)
    return {
        "texts": [line.text for line in curve.lines],
        "baselines": [asdict(part.baseline) if part.baseline else None for part in parts],
        "source": asdict(curve.source) if curve.source else None,
    }


def _halves(curve: Curve) -> bytes:
    """Return the (T, N) scores as float16."""
    rounded = curve.rounded()
    return np.stack([part.scores for part in rounded.lines or (rounded,)]).astype(_HALVES).tobytes()


def _curve(video: Video, times_s: Seconds, scores: Floats, about: rows.Json) -> Curve:
    baselines = [Baseline(**one) if one else None for one in about["baselines"]]
    lines = tuple(TextCurve(*line) for line in zip(about["texts"], scores, baselines, strict=False))
    source = Stretch(**about["source"]) if about["source"] else None
    shown = lines[0].scores if lines else scores[0]
    return Curve(video, times_s, shown, baselines[0], lines=lines, source=source)


Row: TypeAlias = dict[str, Any]


# Videos in view alone: a vote on a video that a channel does not see says nothing there.
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
    RETURNING at_s, value
"""


_PUT_VOTE = """
    INSERT OR REPLACE INTO votes (platform, space, wish, video_id, at_s, user_id, value)
    SELECT :platform, :space, :wish, :video_id, :at_s, :user_id, :value
    WHERE EXISTS (SELECT 1 FROM postings WHERE video_id = :video_id AND platform = :platform AND space = :space)
"""


_ONCE = "UPDATE jobs SET done_once = 1 WHERE id = :job AND done_once = 0"


_NOTE = """
    INSERT INTO ballots (job, platform, space, wish, video_id, start_s, end_s, at_s, user_id, value, before)
    SELECT :job, :platform, :space, :wish, :video_id, :start_s, :end_s, :at_s, :user_id, :value, :before
    WHERE EXISTS (SELECT 1 FROM postings WHERE video_id = :video_id AND platform = :platform AND space = :space)
"""


_UNNOTE = """
    DELETE FROM ballots
    WHERE platform = :platform AND space = :space AND user_id = :user_id AND job > coalesce(:job, 0)
    RETURNING *
"""


async def votes(connections: Connections, view: View, wishes: Sequence[str]) -> tuple[Vote, ...]:
    """Give the votes on videos in view for these wishes."""
    found = await connections.rows(_VOTES, {**rows.of_view(view), "wishes": json.dumps(wishes)})
    return tuple(Vote(*row) for row in found)


async def cast(db: aiosqlite.Connection, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
    """Put somebody's votes in the place of those that they cast on the moments before; for a job once alone.

    Where all of them stood already they are taken back. What came of one person's presses is what would have come of
    them in the order in which they were written down: those that counted before an older one are undone and done again
    after it. A vote without a job counts when it comes, and nothing before it is undone any more.
    """
    mine = [{**_row(view, ballot), "job": job.id if job else None} for ballot in ballots]
    if not mine or (job and not (await db.execute(_ONCE, mine[0])).rowcount):
        return
    noted = await _unnote(db, mine[0])
    later = await _undo(db, noted) if job else []
    for press in (mine, *later):
        await _press(db, press)


async def _press(db: aiosqlite.Connection, ballots: Sequence[Row]) -> None:
    befores = [await _take(db, ballot) for ballot in ballots]
    if not all(ballot["value"] in before.values() for ballot, before in zip(ballots, befores, strict=True)):
        for ballot in ballots:
            await db.execute(_PUT_VOTE, ballot)
    for ballot, before in zip(ballots, befores, strict=True):
        if ballot["job"] is not None:
            await db.execute(_NOTE, {**ballot, "before": json.dumps(list(before.items()))})


async def _unnote(db: aiosqlite.Connection, older: Row) -> list[Row]:
    """Give what is noted of the same person's presses that were written down later, in order; it is noted no more."""
    cursor = await db.execute(_UNNOTE, older)
    names = [one[0] for one in cursor.description]
    noted = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
    return sorted(noted, key=itemgetter("job", "id"))


async def _undo(db: aiosqlite.Connection, noted: list[Row]) -> list[list[Row]]:
    """Undo presses, the last first; give their ballots, press by press."""
    for ballot in reversed(noted):
        await _take(db, ballot)
        for at_s, value in json.loads(ballot["before"]):
            await db.execute(_PUT_VOTE, {**ballot, "at_s": at_s, "value": value})
    return [list(press) for _, press in groupby(noted, key=itemgetter("job"))]


async def _take(db: aiosqlite.Connection, ballot: Row) -> dict[float, int]:
    """Take the votes back that stand on a ballot's moment; give them by their time."""
    return dict(map(tuple, await db.execute_fetchall(_MINE, ballot)))


def _row(view: View, ballot: Ballot) -> Row:
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
