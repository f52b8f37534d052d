"""A query against a library. Owns the arithmetic of similarity; must not know SQL, torch or a platform."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from core.best import best_curves
from core.errors import EmptyQuery, NothingIndexed
from core.model import Curve, Recipe, SearchResult
from core.moments import find_moments, rank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.judging import Judge
    from core.looks import Kept, Looks
    from core.model import Floats, FrameIndex, Moment, Query, Sampling, Video
    from core.ports import Encoder, Library
    from core.works import Partial

MOST_FILMS = 8
"""An answer draws on so many films at most: those with the best looks."""


class Searcher:
    """Answers queries from the vectors that a library keeps."""

    def __init__(self, library: Library, encoder: Encoder, sampling: Sampling, looks: Looks, judge: Judge) -> None:
        self._library = library
        self._encoder = encoder
        self._sampling = sampling
        self._looks = looks
        self._judge = judge

    async def recipe(self) -> Recipe:
        """Give the recipe that queries are answered with; raises what `Encoder.ready` raises."""
        return Recipe.of(await self._encoder.ready(), self._sampling)

    async def can_answer(self, query: Query) -> bool:
        """Tell whether any film that the query is about was looked at with the present recipe."""
        recipe = await self.recipe()
        return await self._library.any_index(query.view, recipe.key, query.video_id)

    async def search(self, query: Query, most: int) -> SearchResult:
        """Give at most that many moments, best first, and the best film's curve.

        Raises EmptyQuery, NothingIndexed, OperatorError.
        """
        curves = await self.curves(query)
        if not curves:
            raise NothingIndexed
        moments = await asyncio.to_thread(_best, curves, most)
        of_best = next(curve for curve in curves if curve.video.id == moments[0].video_id)
        return SearchResult(query, moments, await self._judge.judged(of_best))

    async def curve(self, query: Query, video_id: str) -> Curve | None:
        """Give one film's curve with its baseline, or None where the film is out of view or gone.

        Raises EmptyQuery, OperatorError.
        """
        curves = await self.curves(replace(query, video_id=video_id))
        return await self._judge.judged(curves[0]) if curves else None

    async def curves(self, query: Query) -> tuple[Curve, ...]:
        """Give the curves of the films in the query's view with the best looks, oldest film first.

        Raises EmptyQuery, OperatorError.
        """
        if not query.text.strip():
            raise EmptyQuery
        recipe = await self.recipe()
        vectors = await self._encoder.texts([query.text])
        peaks = await self._looks.peaks(query.view, recipe, vectors, query.video_id)

        async def curve(film: Kept) -> Curve | None:
            index = await self._looks.index(film)
            return await asyncio.to_thread(_compare, film.video, index, vectors[0]) if index else None

        kept = await best_curves(peaks.films, peaks.highest[0], curve, MOST_FILMS)
        named = tuple([one for found in kept if (one := await self._named(found, query))])
        partials = await self._library.partials(query.view, recipe.key, query.video_id)
        return named + await asyncio.to_thread(_compare_partials, partials, vectors[0])

    async def under_way(self, query: Query) -> tuple[tuple[Video, float], ...]:
        """Give the films that are still being looked at, each with the share (0 to 1) that can be searched."""
        return await self._library.shares(query.view, (await self.recipe()).key, query.video_id)

    async def _named(self, curve: Curve, query: Query) -> Curve | None:
        """Give the film the names that it was posted with in view; None where it is not in view any more."""
        posting = await self._library.posting(curve.video.id, query.view)
        if posting is None:
            return None
        video = replace(curve.video, title=posting.title, url=posting.url, uploader=posting.uploader)
        return replace(curve, video=video)


def _compare(video: Video, index: FrameIndex, vector: Floats) -> Curve:
    return Curve(video, index.times_s, index.vectors @ vector, vectors=index.vectors)


def _compare_partials(partials: Sequence[Partial], vector: Floats) -> tuple[Curve, ...]:
    return tuple(_compare(partial.video, partial.index, vector) for partial in partials)


def _best(curves: Sequence[Curve], most: int) -> tuple[Moment, ...]:
    return rank([(curve, find_moments(curve, most)) for curve in curves], most)
