"""Answers with the curves that they were made of, and votes on their moments.

Functions run inside the caller's transaction.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from core.errors import AnswerGone
from core.model.answer import Answer, Vote
from core.model.query import Example, Posted, Query, Stretch
from core.model.results import Baseline, Curve, Moment, TextCurve
from core.model.video import Scope, View
from storage.database import IN_VIEW, Tables, of_view
from storage.videos import stamp, video_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from sqlite3 import Row

    import aiosqlite

    from core.model.answer import Ballot
    from core.model.requests import JobRef
    from core.model.results import KeptCurves
    from core.model.video import Floats, Seconds, Video

Json: TypeAlias = dict[str, Any]

_HALVES = np.dtype("<f2")
_LIVE = "-180 days"
"""Buttons under older answers are not pressed any more, and what people asked is theirs."""
MOST_CURVE_BYTES = 1 << 17
"""So much of its curves is kept with one answer: 18 hours of one text."""
MOST_CURVES = 1 << 13
"""So many are kept of all answers: the oldest go first, and have to be computed again when they are asked for."""

_DROP_OLD = "DELETE FROM answers WHERE made_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)"

_PUT = """
    INSERT OR REPLACE INTO answers
    (id, text, video_id, view_platform, view_space, view_channels, platform, space, channel, moments, asked_by, beside,
     picture, revision, earlier)
    VALUES (:id, :text, :video_id, :view_platform, :view_space, :view_channels, :platform, :space, :channel, :moments,
        :asked_by, :beside, :picture, :revision, :earlier)
"""

_AMEND = "UPDATE answers SET moments = :moments, revision = :revision, earlier = :earlier WHERE id = :id"

_LAST = """
    SELECT * FROM answers
    WHERE platform = :platform AND space = :space AND channel = :channel AND asked_by = :user_id
    ORDER BY made_at DESC, rowid DESC LIMIT 1
"""

# Forgotten between the moment that it was found and the moment that the answer is written down.
_IN_ITS_VIEW = """
    WHERE video_id = video AND platform = :view_platform AND space = :view_space
    AND channel IN (SELECT value FROM json_each(:view_channels))
"""
_DROP_LATE = f"""
    DELETE FROM answers WHERE id = :id AND EXISTS (
        SELECT 1 FROM (
            SELECT json_extract(value, '$.video_id') AS video FROM json_each(:moments)
            UNION SELECT :video_id UNION SELECT json_extract(:beside, '$.picture.source.video_id')
        ) AS shown WHERE video IS NOT NULL AND NOT EXISTS (SELECT 1 FROM postings {_IN_ITS_VIEW})
        AND NOT EXISTS (SELECT 1 FROM jobs {_IN_ITS_VIEW} AND state IN ('queued', 'running'))
    )
"""  # noqa: S608 - our own words, as in all SQL here

# The whole answer: its buttons count its moments, and must not come to mean others. Parsing the JSON of all answers
# took a sixth of forgetting's time, so the text is searched for the id first, as JSON spells it.
_DROP_SHOWING = """
    DELETE FROM answers
    WHERE (video_id = :id OR instr(moments, :spelled) OR instr(earlier, :spelled) OR instr(beside, :spelled))
    AND (
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

# Videos in view alone: a vote on a video that a channel does not see says nothing there.
_VOTES = f"""
    SELECT wish, video_id, at_s, value FROM votes
    WHERE platform = :platform AND space = :space AND wish IN (SELECT value FROM json_each(:wishes))
    AND EXISTS (SELECT 1 FROM postings WHERE postings.video_id = votes.video_id AND {IN_VIEW})
    ORDER BY wish, video_id, at_s, user_id
"""  # noqa: S608

_TAKE_VOTES = """
    DELETE FROM votes
    WHERE platform = :platform AND space = :space AND wish = :wish AND video_id = :video_id AND user_id = :user_id
    AND at_s >= :start_s AND at_s < :end_s
    RETURNING at_s, value
"""

_IS_POSTED = "EXISTS (SELECT 1 FROM postings WHERE video_id = :video_id AND platform = :platform AND space = :space)"

_PUT_VOTE = f"""
    INSERT OR REPLACE INTO votes (platform, space, wish, video_id, at_s, user_id, value)
    SELECT :platform, :space, :wish, :video_id, :at_s, :user_id, :value WHERE {_IS_POSTED}
"""

_ONCE = "UPDATE jobs SET done_once = 1 WHERE id = :job AND done_once = 0"

_PUT_BALLOT = f"""
    INSERT INTO ballots (job, platform, space, wish, video_id, start_s, end_s, at_s, user_id, value, before)
    SELECT :job, :platform, :space, :wish, :video_id, :start_s, :end_s, :at_s, :user_id, :value, :before
    WHERE {_IS_POSTED}
"""

_TAKE_BALLOTS = """
    DELETE FROM ballots
    WHERE platform = :platform AND space = :space AND user_id = :user_id AND job > coalesce(:job, 0)
    RETURNING *
"""


class AnswerTables(Tables):
    """Reads and writes answers and votes."""

    async def save_answer(self, answer: Answer, curves: KeptCurves | None = None) -> None:
        """Remember an answer, so that its buttons work later, with the curves that it was made of.

        Those of half a year ago go. One that shows a video which is neither posted in its view nor under way there is
        not kept.
        """
        values = _of_answer(answer)
        async with self._db.writing() as db:
            await db.execute(_DROP_OLD, (_LIVE,))
            await db.execute(_PUT, values)
            await db.execute(_DROP_LATE, values)
            if curves:
                await _put_curves(db, answer.id, curves)

    async def answer(self, answer_id: str) -> Answer | None:
        """Return a remembered answer."""
        sql = "SELECT * FROM answers WHERE id = :id"
        return next(map(_answer, await self._db.rows(sql, {"id": answer_id})), None)

    async def last_answer(self, scope: Scope, user_id: str) -> Answer | None:
        """Return the newest answer that was shown there to a question of that person's."""
        return next(map(_answer, await self._db.rows(_LAST, {**asdict(scope), "user_id": user_id})), None)

    async def amend_answer(
        self, answer_id: str, change: Callable[[Answer], Answer], curves: KeptCurves | None = None
    ) -> Answer | None:
        """Change a remembered answer, and replace its curves; return it as it is then, or None where it is gone."""
        async with self._db.writing() as db:
            async with db.execute("SELECT * FROM answers WHERE id = ?", (answer_id,)) as found:
                names, row = [column[0] for column in found.description], await found.fetchone()
            if row is None:
                return None
            known = _answer(dict(zip(names, row, strict=True)))
            changed = change(known)
            if changed != known:
                await db.execute(_AMEND, _of_answer(changed))
            if curves:
                await _put_curves(db, answer_id, curves)
            return changed

    async def kept_curve(self, answer_id: str, video_id: str, recipe_key: str) -> Curve | None:
        """Return the curve of a video that an answer was made of; None where it does not fit its frames (any more)."""
        values = {"answer_id": answer_id, "video_id": video_id, "recipe_key": recipe_key}
        for row in await self._db.rows(_CURVE, values):
            chunks = await self._db.rows(_TIMES, {"indexing": row["indexing"], "stamp": row["stamp"]})
            times_s = np.concatenate([np.frombuffer(chunk["times_s"], "<f8") for chunk in chunks] or [np.empty(0)])
            scores = np.frombuffer(row["scores"], _HALVES).astype(np.float32)
            about = json.loads(row["about"])
            if len(times_s) and len(scores) == len(times_s) * len(about["baselines"]):
                return _curve(video_of(row), times_s, scores.reshape(-1, len(times_s)), about)
        return None

    async def votes(self, view: View, terms: Sequence[str]) -> tuple[Vote, ...]:
        """Return the votes for these wishes (see `wish_keys`) on videos in view."""
        return tuple(Vote(*row) for row in await self._db.rows(_VOTES, {**of_view(view), "wishes": json.dumps(terms)}))

    async def vote(self, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
        """Put one person's votes in the place of those that they cast on the moments before; see `cast`."""
        async with self._db.writing() as db:
            await cast(db, view, ballots, job)


async def drop_showing(db: aiosqlite.Connection, video_id: str) -> None:
    """Delete answers that show or showed a video which is not posted in their view any more."""
    await db.execute(_DROP_SHOWING, {"id": video_id, "spelled": json.dumps(video_id)})


async def cast(db: aiosqlite.Connection, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
    """Put one person's votes in the place of those that they cast on the moments before; for a job once alone.

    Where all of them stood already they are taken back. What comes of one person's presses is what would have come of
    them in the order in which they were written down: those that counted before an older one are undone and done again
    after it. A vote without a job counts when it comes, and nothing before it is undone any more. Raises AnswerGone,
    and leaves the job to be done, where a video is not posted there (any more): it may be under way.
    """
    mine = [{**_of_ballot(view, ballot), "job": job.id if job else None} for ballot in ballots]
    for one in mine:
        if not await db.execute_fetchall(f"SELECT 1 WHERE {_IS_POSTED}", one):
            raise AnswerGone  # before the job counts as done: a killed run told nobody, and the next one may count it
    if not mine or (job and not (await db.execute(_ONCE, mine[0])).rowcount):
        return
    noted = await _take_ballots(db, mine[0])
    later = await _undo(db, noted) if job else []
    for press in (mine, *later):
        await _press(db, press)


async def _put_curves(db: aiosqlite.Connection, answer_id: str, kept: KeptCurves) -> None:
    """Keep the curves of an answer, in the place of those that it had, as far as there is room for them."""
    rows: list[Json] = []
    left_bytes = MOST_CURVE_BYTES
    for curve in kept.curves:
        scores = _halves(curve)
        if (left_bytes := left_bytes - len(scores)) < 0:
            break
        about = json.dumps(_about(curve), default=float)
        rows.append({"video_id": curve.video.id, "about": about, "scores": scores})
    same = {"answer_id": answer_id, "recipe_key": kept.recipe_key}
    await db.execute("DELETE FROM curves WHERE answer_id = :answer_id", same)
    await db.executemany(_PUT_CURVE, [{**same, **row} for row in rows])
    await db.execute(_DROP_OLDEST_CURVES, {"most": MOST_CURVES})


def _about(curve: Curve) -> Json:
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


def _curve(video: Video, times_s: Seconds, scores: Floats, about: Json) -> Curve:
    baselines = [Baseline(**one) if one else None for one in about["baselines"]]
    lines = tuple(TextCurve(*line) for line in zip(about["texts"], scores, baselines, strict=False))
    source = Stretch(**about["source"]) if about["source"] else None
    shown = lines[0].scores if lines else scores[0]
    return Curve(video, times_s, shown, baselines[0], lines=lines, source=source)


async def _press(db: aiosqlite.Connection, ballots: Sequence[Json]) -> None:
    befores = [await _take_votes(db, ballot) for ballot in ballots]
    if not all(ballot["value"] in before.values() for ballot, before in zip(ballots, befores, strict=True)):
        for ballot in ballots:
            await db.execute(_PUT_VOTE, ballot)
    for ballot, before in zip(ballots, befores, strict=True):
        if ballot["job"] is not None:
            await db.execute(_PUT_BALLOT, {**ballot, "before": json.dumps(list(before.items()))})


async def _take_ballots(db: aiosqlite.Connection, older: Json) -> list[Json]:
    """Delete the ballots of the same person's presses that were written down later; return them in order."""
    cursor = await db.execute(_TAKE_BALLOTS, older)
    names = [one[0] for one in cursor.description]
    noted = [dict(zip(names, row, strict=True)) for row in await cursor.fetchall()]
    return sorted(noted, key=itemgetter("job", "id"))


async def _undo(db: aiosqlite.Connection, noted: list[Json]) -> list[list[Json]]:
    """Undo presses, the last first; return their ballots, press by press."""
    for ballot in reversed(noted):
        await _take_votes(db, ballot)
        for at_s, value in json.loads(ballot["before"]):
            await db.execute(_PUT_VOTE, {**ballot, "at_s": at_s, "value": value})
    return [list(press) for _, press in groupby(noted, key=itemgetter("job"))]


async def _take_votes(db: aiosqlite.Connection, ballot: Json) -> dict[float, int]:
    """Delete the votes that stand on a ballot's moment; return them by their time."""
    return dict(map(tuple, await db.execute_fetchall(_TAKE_VOTES, ballot)))


def _of_ballot(view: View, ballot: Ballot) -> Json:
    return {
        "platform": view.platform,
        "space": view.space,
        "wish": ballot.term,
        **asdict(ballot.moment),
        "at_s": ballot.at_s,
        "user_id": ballot.user_id,
        "value": ballot.value,
    }


def _of_answer(answer: Answer) -> Json:
    return {
        "id": answer.id,
        "text": answer.query.text,
        "video_id": answer.query.video_id,
        **{f"view_{name}": value for name, value in of_view(answer.query.view).items()},
        **asdict(answer.scope),
        # numpy's float32 is no float to json.
        "moments": json.dumps([asdict(moment) for moment in answer.moments], default=float),
        "asked_by": answer.asked_by,
        "beside": json.dumps(_beside(answer.query)),
        "picture": answer.query.picture.data if answer.query.picture else None,
        "revision": answer.revision,
        "earlier": json.dumps([[asdict(moment) for moment in order] for order in answer.earlier], default=float),
    }


def _answer(row: Mapping[str, Any] | Row) -> Answer:
    return Answer(
        id=row["id"],
        query=_query(row),
        scope=Scope(row["platform"], row["space"], row["channel"]),
        moments=tuple(map(_moment, json.loads(row["moments"]))),
        asked_by=row["asked_by"],
        revision=row["revision"],
        earlier=tuple(tuple(map(_moment, order)) for order in json.loads(row["earlier"])),
    )


def _moment(told: Json) -> Moment:
    then = told.get("then")
    return Moment(**{**told, "then": _moment(then) if then else None, "among": tuple(told.get("among", ()))})


def _beside(query: Query) -> Json:
    """Return what a query holds beside its words, but for the picture's vector; nothing where that is nothing."""
    posted, picture = query.posted, query.picture
    told: Json = {}
    if posted:
        told["posted"] = {"by": sorted(posted.by), "after": stamp(posted.after), "before": stamp(posted.before)}
    if picture:
        source = asdict(picture.source) if picture.source else None
        told["picture"] = {"recipe_key": picture.recipe_key, "source": source}
    return told


def _query(row: Mapping[str, Any] | Row) -> Query:
    told = json.loads(row["beside"])
    view = View(row["view_platform"], row["view_space"], frozenset(json.loads(row["view_channels"])))
    picture, posted = None, Posted()
    if "picture" in told:
        source = told["picture"]["source"]
        picture = Example(row["picture"], told["picture"]["recipe_key"], Stretch(**source) if source else None)
    if "posted" in told:
        times = (told["posted"][name] for name in ("after", "before"))
        after, before = (datetime.fromisoformat(time) if time else None for time in times)
        posted = Posted(frozenset(told["posted"]["by"]), after, before)
    return Query(row["text"], view, row["video_id"], picture, posted)
