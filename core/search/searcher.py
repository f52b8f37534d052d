"""Answers a query from the index: bounds for all videos, exact curves for the best, and their moments."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.errors import EmptyQuery, NoneFit, NothingIndexed, PictureOutdated
from core.model.answer import term_keys
from core.model.results import KeptCurves, SearchResult
from core.model.video import Recipe
from core.search.judge import unwanted_there
from core.search.moments import chosen, shown_first
from core.search.query_vectors import curve, query_vector, turned_by_votes
from core.search.shots import elsewhere
from core.search.verdict import likened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from core.model.query import Query, Term
    from core.model.results import Curve
    from core.model.video import Floats, FrameIndex, Sampling, Video, View
    from core.ports.index import EmbeddingIndex, HeldIndexing, Peaks
    from core.ports.library import Encoder, Library
    from core.search.judge import Judge
    from core.search.query_vectors import QueryVector

F = TypeVar("F")


async def best_curves(
    videos: Sequence[F],
    bounds: Floats,
    compare: Callable[[Sequence[F]], Awaitable[Sequence[Curve | None]]],
    most: int,
    worth: Callable[[Curve], float],
) -> tuple[Curve, ...]:
    """Return the curves of the videos that are worth most, at most that many, in the order in which videos came.

    `bounds` are (F,) numbers that no video's worth exceeds. Videos are compared from the highest bound down until no
    other can get in, which gives the same as comparing all of them would (Fagin, Lotem and Naor's threshold
    algorithm, 2003); of equal ones the earlier counts. `compare` takes some videos at a time, as each call has a price,
    and gives None for one that is gone.
    """
    best: list[tuple[float, int, Curve]] = []
    order = [int(place) for place in np.argsort(-bounds, kind="stable")]
    at_once = most
    while order:
        least = -best[most - 1][0] if len(best) >= most else -np.inf
        some = [place for place in order[:at_once] if bounds[place] >= least]
        if not some:
            break
        order, at_once = order[len(some) :], 2 * at_once  # many videos may be as good as the best, within their bounds
        curves = zip(some, await compare([videos[place] for place in some]), strict=True)
        found = [(-worth(curve), place, curve) for place, curve in curves if curve is not None]
        best = sorted([*best, *found], key=lambda one: one[:2])[:most]
    return tuple(curve for _, _, curve in sorted(best, key=lambda one: one[1]))


MOST_VIDEOS = 8
"""An answer draws on so many videos at most for each text: those with the best frames."""
MOST_VIDEOS_IN_ORDER = 32
"""For one thing then another: the best frames of a video may be in the wrong order."""


class Searcher:
    """Answers queries from the vectors that a library keeps."""

    def __init__(
        self, library: Library, encoder: Encoder, sampling: Sampling, index: EmbeddingIndex, judge: Judge
    ) -> None:
        self._library = library
        self._encoder = encoder
        self._sampling = sampling
        self._index = index
        self._judge = judge

    async def recipe(self) -> Recipe:
        """Return the recipe that queries are answered with; raises what `Encoder.ready` raises."""
        return Recipe.of(await self._encoder.ready(), self._sampling)

    async def can_answer(self, query: Query) -> bool:
        """Tell whether any video that the query is about was indexed with the present recipe."""
        recipe = await self.recipe()
        return await self._library.any_index(query.view, recipe.key, query.video_id)

    async def search(self, query: Query, most: int) -> SearchResult:
        """Return at most that many moments, best first, and the best video's curve.

        Texts side by side have one moment each at least. Raises EmptyQuery, NothingIndexed, NoneFit, NothingElse,
        NotInOrder, PictureOutdated, OperatorError.
        """
        curves, from_storage = await self._found(query)
        if not curves:
            raise NoneFit if query.posted else NothingIndexed
        moments = await asyncio.to_thread(chosen, curves, query, most)
        shown = {moment.video_id for moment in moments}
        judged = await asyncio.gather(*(self._judged(query, one) for one in curves if one.video.id in shown))
        videos = {one.video.id: one for one in judged}
        if query.asked.form == "one":
            moments = shown_first(moments, videos)
        absent = frozenset(one.video.id for one in judged if one.verdict == "absent" and query.asked.form == "one")
        best_first = tuple(videos[video_id] for video_id in dict.fromkeys(moment.video_id for moment in moments))
        kept = KeptCurves((await self.recipe()).key, best_first)
        return SearchResult(query, moments, best_first[0].of(moments[0].part), absent, from_storage, kept)

    async def curve(self, query: Query, video_id: str) -> Curve | None:
        """Return one video's curve with its baseline, or None where the video is out of view or gone.

        Raises EmptyQuery, PictureOutdated, OperatorError.
        """
        curves = await self.curves(replace(query, video_id=video_id))
        return await self._judged(query, curves[0]) if curves else None

    async def compared(self, query: Query, video: Video, index: FrameIndex) -> Curve:
        """Compare other frames of a video, as `curves` does with those that are kept; raises OperatorError."""
        recipe = await self.recipe()
        queries = await self._turned(query, recipe)
        if not any(len(one.without) for one in queries):
            return await asyncio.to_thread(curve, video, index, queries)
        kept = await self.index(query.view, video.id) or index
        there = await unwanted_there(self._judge, video.id, kept.vectors, queries)
        return await asyncio.to_thread(curve, video, index, there, kept.vectors)

    async def _judged(self, query: Query, curve: Curve) -> Curve:
        """Return a curve with its baseline: by words, by a picture, or by both, of which neither may be missing."""
        if query.picture is None:
            return await self._judge.judged(curve)
        if not query.text.strip():
            return await asyncio.to_thread(likened, curve)
        words = [await self._words(term) for term in query.asked.terms]
        return await self._judge.blended(curve, words, query.picture.vector)

    async def _words(self, term: Term) -> Floats | None:
        """Return what a term asks for in words; None where these say only what is unwanted."""
        texts = list(dict.fromkeys((term.words, *term.phrases)))
        if not term.words:
            return None
        known = dict(zip(texts, await self._encoder.texts(texts), strict=True))
        return query_vector(replace(term, without=()), known).vector

    async def index(self, view: View, video_id: str) -> FrameIndex | None:
        """Return the embeddings of a video in view; None where it has none by now. Raises OperatorError."""
        nothing = np.zeros((0, (await self._encoder.ready()).dim), np.float32)
        peaks = await self._index.peaks(view, await self.recipe(), nothing, video_id)
        (index,) = await self._index.indexes(peaks.videos[:1]) or (None,)
        return index

    async def curves(self, query: Query) -> tuple[Curve, ...]:
        """Return the curves of the videos in the query's view with the best frames, oldest video first.

        Of several texts side by side each has its best videos among them; of a sequence those where the best frames
        for both are best. Raises EmptyQuery, PictureOutdated, OperatorError.
        """
        return (await self._found(query))[0]

    async def _found(self, query: Query) -> tuple[tuple[Curve, ...], int]:
        """Return the curves, and how many videos had to be read from storage for them."""
        if query.is_empty:
            raise EmptyQuery
        recipe = await self.recipe()
        queries = await self._turned(query, recipe)
        vectors = np.array([one.vector for one in queries])
        most = MOST_VIDEOS_IN_ORDER if query.asked.form == "sequence" else MOST_VIDEOS
        peaks = await self._index.peaks(query.view, recipe, vectors, query.video_id, most=most)
        if query.posted:
            peaks = peaks.of(await self._library.posted(query.view, query.posted))
        curves = await self._best(query, peaks, queries)
        found = await asyncio.gather(*(self._named(one, query) for one in curves))
        named = tuple(one for one in found if one)
        partials = () if query.posted else await self._library.partials(query.view, recipe.key, query.video_id)
        begun = await self._compared([(one.video, one.index) for one in partials], queries)
        return tuple(elsewhere(one, query.picture) for one in (*named, *begun)), peaks.from_storage

    async def under_way(self, query: Query) -> tuple[tuple[Video, float], ...]:
        """Return the videos that are still being indexed, each with the share (0 to 1) that can be searched."""
        return await self._library.shares(query.view, (await self.recipe()).key, query.video_id)

    async def _best(self, query: Query, peaks: Peaks, queries: Sequence[QueryVector]) -> tuple[Curve, ...]:
        compared: dict[int, Curve | None] = {}

        async def compare(videos: Sequence[HeldIndexing]) -> Sequence[Curve | None]:
            unknown = [video for video in videos if video.indexing not in compared]
            indexes = await self._index.indexes(unknown)
            there = [(video, index) for video, index in zip(unknown, indexes, strict=True) if index]
            curves = await self._compared([(video.video, index) for video, index in there], queries)
            compared.update(dict.fromkeys(video.indexing for video in unknown))
            compared.update(zip((video.indexing for video, _ in there), curves, strict=True))
            return [compared[video.indexing] for video in videos]

        if query.asked.form == "sequence":
            bounds = peaks.highest.mean(axis=0)
            return await best_curves(peaks.videos, bounds, compare, MOST_VIDEOS_IN_ORDER, _of_both)
        best: dict[str, Curve] = {}
        for part, bounds in enumerate(peaks.highest):
            for one in await best_curves(peaks.videos, bounds, compare, MOST_VIDEOS, partial(_of_part, part)):
                best[one.video.id] = one
        return tuple(best[video.video.id] for video in peaks.videos if video.video.id in best)

    async def _compared(
        self, videos: Sequence[tuple[Video, FrameIndex]], queries: Sequence[QueryVector]
    ) -> Sequence[Curve]:
        of_each = [await unwanted_there(self._judge, video.id, index.vectors, queries) for video, index in videos]
        return await asyncio.to_thread(
            lambda: [curve(*one, some) for one, some in zip(videos, of_each, strict=True)],
        )

    async def _named(self, curve: Curve, query: Query) -> Curve | None:
        """Return the video the names that it was posted with in view; None where it is not in view any more."""
        posting = await self._library.posting(curve.video.id, query.view)
        return replace(curve, video=posting.named(curve.video)) if posting else None

    async def _turned(self, query: Query, recipe: Recipe) -> Sequence[QueryVector]:
        """Return the query vectors as votes turn them."""
        queries, terms = await self._query_vectors(query, recipe), term_keys(query)
        votes = await self._library.votes(query.view, terms)
        return await turned_by_votes(queries, terms, votes, self._index, query.view, recipe) if votes else queries

    async def _query_vectors(self, query: Query, recipe: Recipe) -> tuple[QueryVector, ...]:
        if query.picture is not None and query.picture.recipe_key != recipe.key:
            raise PictureOutdated
        terms = query.asked.terms
        texts = list(dict.fromkeys(text for term in terms for text in term.texts))
        vectors = dict(zip(texts, await self._encoder.texts(texts), strict=True)) if texts else {}
        picture = query.picture.vector if query.picture else None
        return tuple(query_vector(term, vectors, picture) for term in terms)


def _of_part(part: int, curve: Curve) -> float:
    return float(curve.of(part).scores.max())


def _of_both(curve: Curve) -> float:
    return float(np.mean([line.scores.max() for line in curve.lines]))
