"""`SqliteLibrary`: videos, postings, embeddings, answers and votes in one SQLite file that processes can share."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from core.model.video import Thumbnail
from core.site_ids import choose
from storage import answers, checkpoints, embeddings, forgetting, losses, rows
from storage import answers as votes
from storage import forgetting as writes_forgetting
from storage import videos as queries
from storage import videos as writes_videos
from storage.database import Connections
from storage.rows import stamp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path
    from sqlite3 import Row

    from core.model.answer import Answer, Ballot, Vote
    from core.model.query import Posted
    from core.model.requests import JobRef
    from core.model.results import Curve, KeptCurves
    from core.model.video import FrameIndex, IndexedVideo, PostedVideo, Posting, Scope, Video, View
    from core.ports.jobs import Partial
    from core.site_ids import Led


class SqliteLibrary:
    """All that is kept, in one file. Any number of these, in any number of processes, may share it."""

    def __init__(self, connections: Connections) -> None:
        self._db = connections

    @property
    def connections(self) -> Connections:
        """Give the open file, for the other ports that live in it."""
        return self._db

    @classmethod
    async def open(cls, path: Path) -> SqliteLibrary:
        """Open the library at this path, making it where there is none yet.

        Raises StorageUnusable, SchemaTooNew.
        """
        return cls(await Connections.open(path))

    async def close(self) -> None:
        """Let go of the file."""
        await self._db.close()

    async def save(
        self, video: IndexedVideo, posting: Posting, links: Sequence[str], job: JobRef | None = None, site_id: str = ""
    ) -> None:
        """Keep a video, its posting, that these links led to it there, and that a job brought it: all, or nothing.

        `site_id`: see `core.site_ids`. Raises JobCancelled, FilmForgotten or MessageGone where the job is not open (any
        more).
        """
        async with self._db.writing() as db:
            await writes_videos.put_video(db, video)
            await writes_videos.put_posting(db, posting)
            await forgetting.bring(db, job, video.video.id, len(video.index))
            await writes_videos.put_links(db, posting, links, site_id)
            await db.execute("DELETE FROM works WHERE video_id = ?", (video.video.id,))

    async def refresh(self, video: IndexedVideo) -> None:
        """Keep what was seen anew of a video that is kept already: all of it, or nothing.

        Raises UnknownVideo when it was forgotten meanwhile.
        """
        async with self._db.writing() as db:
            await writes_videos.must_be_kept(db, video.video.id)
            await writes_videos.put_video(db, video)

    async def post(
        self, posting: Posting, job: JobRef | None = None, looks: int = 0, links: Sequence[str] = (), site_id: str = ""
    ) -> None:
        """Make a video that is already kept visible in one more channel. The same posting twice counts once.

        A job brought it with so many looks, and these links led to it. Raises UnknownVideo when it is not kept (any
        more); JobCancelled, FilmForgotten or MessageGone where the job is not open (any more).
        """
        async with self._db.writing() as db:
            await writes_videos.put_posting(db, posting)
            await forgetting.bring(db, job, posting.video_id, looks)
            await writes_videos.put_links(db, posting, links, site_id)

    async def video_at(self, link: str, scope: Scope) -> Led | None:
        """Return the video that a canonical link or a file's key leads to for who posts it there; see `site_ids`."""
        found = await self._db.rows(queries.LEADS, {"link": link})
        return choose(map(rows.lead, found), link, scope)

    async def video(self, video_id: str) -> Video | None:
        """Give a video by its id, visible or not, without title, address and uploader: those belong to postings."""
        sql = "SELECT * FROM videos WHERE id = :video_id"
        return next(map(rows.video, await self._db.rows(sql, {"video_id": video_id})), None)

    async def has_index(self, video_id: str, recipe_key: str) -> bool:
        """Tell whether the video was looked at with this recipe."""
        sql = "SELECT 1 FROM indexings WHERE video_id = :video_id AND recipe_key = :recipe_key"
        return bool(await self._db.rows(sql, {"video_id": video_id, "recipe_key": recipe_key}))

    async def looks(self, video_id: str, recipe_key: str) -> int:
        """Count the looks at a video with this recipe."""
        (row,) = await self._db.rows(queries.LOOKS, {"video_id": video_id, "recipe_key": recipe_key})
        return int(row["looks"])

    async def videos(self, view: View) -> tuple[PostedVideo, ...]:
        """Give the videos in view, each with its newest posting there and as that one names it, newest first."""
        found = await self._db.rows(queries.POSTED, {**rows.of_view(view), "stale_for": None})
        return tuple(map(rows.posted_video, found))

    async def count(self, view: View) -> int:
        """Return how many videos are in view."""
        ((number,),) = await self._db.rows(queries.COUNT, rows.of_view(view))
        return int(number)

    async def matching(self, view: View, typed: str, most: int) -> tuple[Video, ...]:
        """Return the videos in view whose titles there hold each word that was typed.

        see `core.ports.library.Library`.
        """
        folded = " ".join(typed.casefold().split())
        values = {**rows.of_view(view), "typed": folded, "words": json.dumps(folded.split()), "most": most}
        return tuple(map(rows.named_video, await self._db.rows(queries.MATCHING, values)))

    async def any_index(self, view: View, recipe_key: str, video_id: str | None = None) -> bool:
        """Tell whether any video in view, or the one that is named, was looked at with this recipe."""
        values = {**rows.of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return bool(await self._db.rows(queries.ANY_INDEX, values))

    async def stale(self, view: View, recipe_key: str) -> tuple[PostedVideo, ...]:
        """Give the videos in view that have looks, but none with this recipe; newest first."""
        found = await self._db.rows(queries.POSTED, {**rows.of_view(view), "stale_for": recipe_key})
        return tuple(map(rows.posted_video, found))

    async def indexes(
        self, view: View, recipe_key: str, video_id: str | None = None
    ) -> tuple[tuple[Video, FrameIndex], ...]:
        """Give the videos in view that were looked at with this recipe, oldest first; only one where it is named.

        The oldest is the one that was posted in view before all others.
        """
        values = {**rows.of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return await asyncio.to_thread(_assemble, await self._db.rows(queries.CHUNKS, values))

    async def partials(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[Partial, ...]:
        """Give the videos that open jobs of this view are about, as far as they were looked at with this recipe."""
        values = {**rows.of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return await asyncio.to_thread(checkpoints.partials, await self._db.rows(checkpoints.PARTIALS, values))

    async def shares(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[tuple[Video, float], ...]:
        """Give those videos without what was seen of them, each with the share (0 to 1) that was looked at."""
        values = {**rows.of_view(view), "recipe_key": recipe_key, "video_id": video_id}
        return tuple(map(checkpoints.share, await self._db.rows(checkpoints.SHARES, values)))

    async def posting(self, video_id: str, view: View, user_id: str | None = None) -> Posting | None:
        """Give a video's newest posting in view, of one person where that is named."""
        values = {**rows.of_view(view), "video_id": video_id, "user_id": user_id}
        return next(map(rows.posting, await self._db.rows(queries.NEWEST_POSTING, values)), None)

    async def posted(self, view: View, how: Posted) -> frozenset[str]:
        """Give the ids of the videos that were posted so within the view."""
        by = {"by": json.dumps(sorted(how.by)), "after": stamp(how.after), "before": stamp(how.before)}
        return frozenset(row[0] for row in await self._db.rows(queries.POSTED_SO, {**rows.of_view(view), **by}))

    async def posters(self, view: View) -> tuple[tuple[str, str], ...]:
        """Give id and name of everybody who posted a video in view; somebody who changed names comes with each."""
        return tuple((row[0], row[1]) for row in await self._db.rows(queries.POSTERS, rows.of_view(view)))

    async def thumbnails(self, video_id: str) -> tuple[Thumbnail, ...]:
        """Give a video's small pictures in the order of time."""
        sql = "SELECT time_s, jpeg FROM thumbnails WHERE video_id = :video_id ORDER BY time_s"
        return tuple(Thumbnail(*row) for row in await self._db.rows(sql, {"video_id": video_id}))

    async def forget(self, video_id: str, view: View, user_id: str | None = None, job: JobRef | None = None) -> bool:
        """Take back the video's postings in view, of one person where that is named, and answers that showed it.

        Tell whether no posting is left anywhere, so that the video itself went. For a job this is done once.
        """
        async with self._db.forgetting() as db:
            if job is not None and not await forgetting.is_first(db, job):
                return False
            return await writes_forgetting.drop_postings(db, video_id, view, user_id)

    async def unless_needed(self, video_id: str, forget: Callable[[str], Awaitable[None]]) -> None:
        """Delete a video's file unless it is needed by now; nothing can be written down until it is deleted."""
        async with self._db.writing() as db:
            if not list(await db.execute_fetchall(queries.NEEDED, {"id": video_id})):
                await forget(video_id)

    async def has_loss(self) -> bool:
        """Tell whether videos may be missing that were kept, so that files which none leads to must not be deleted."""
        return bool(await self._db.rows(losses.UNSETTLED, {}))

    async def settle_losses(self) -> None:
        """Note that such files were set aside."""
        async with self._db.writing() as db:
            await losses.settle(db)

    async def put_losses_away(self) -> None:
        """Note that whoever runs Keaton was told what is missing."""
        async with self._db.writing() as db:
            await losses.put_away(db)

    async def save_answer(self, answer: Answer, curves: KeptCurves | None = None) -> None:
        """Remember an answer, so that its buttons work later, with the curves that it was made of."""
        async with self._db.writing() as db:
            await answers.put(db, answer)
            if curves:
                await answers.put_curves(db, answer.id, curves)

    async def answer(self, answer_id: str) -> Answer | None:
        """Give a remembered answer."""
        sql = "SELECT * FROM answers WHERE id = :id"
        return next(map(rows.answer, await self._db.rows(sql, {"id": answer_id})), None)

    async def amend_answer(
        self, answer_id: str, change: Callable[[Answer], Answer], curves: KeptCurves | None = None
    ) -> Answer | None:
        """Change the moments of a remembered answer, and replace its curves; return it as it is then, or None."""
        async with self._db.writing() as db:
            amended = await answers.amend(db, answer_id, change)
            if amended and curves:
                await answers.put_curves(db, answer_id, curves)
            return amended

    async def kept_curve(self, answer_id: str, video_id: str, recipe_key: str) -> Curve | None:
        """Return the curve of a video that an answer was made of; None where it has to be computed again."""
        return await answers.kept_curve(self._db, answer_id, video_id, recipe_key)

    async def vote(self, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
        """Put votes in the place of those that somebody cast on the moments before, or take them back; see `cast`.

        Votes count in the view's whole space.
        """
        async with self._db.writing() as db:
            await votes.cast(db, view, ballots, job)

    async def votes(self, view: View, wishes: Sequence[str]) -> tuple[Vote, ...]:
        """Give the votes for these wishes (see `votes.wish_keys`) on videos in view."""
        return await votes.votes(self._db, view, wishes)

    async def last_answer(self, scope: Scope, user_id: str) -> Answer | None:
        """Give the newest answer that was shown there to a question of that person's."""
        return next(
            map(rows.answer, await self._db.rows(queries.LAST_ANSWER, {**asdict(scope), "user_id": user_id})), None
        )


def _assemble(found: list[Row]) -> tuple[tuple[Video, FrameIndex], ...]:
    found.sort(key=lambda row: (row["first_posting_id"], row["id"], row["number"]))
    videos = (list(video) for _, video in groupby(found, key=lambda row: row["id"]))
    return tuple((rows.named_video(video[0]), _index(video)) for video in videos)


def _index(video: list[Row]) -> FrameIndex:
    return embeddings.join([embeddings.Chunk(row["times_s"], row["vectors"]) for row in video])
