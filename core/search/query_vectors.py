"""The vectors that a query is compared by, and how votes turn them. Pure.

Votes: Rocchio 1971, "Relevance feedback in information retrieval", on frames less the mean of their video (whole videos
share most of their direction), and turned by a set angle at most, so that the words decide what is looked for.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from core.model.answer import sums
from core.model.results import Curve, TextCurve
from core.search.moments import ground

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model.answer import Vote
    from core.model.query import Term
    from core.model.video import Floats, FrameIndex, Recipe, Video, View
    from core.ports.index import EmbeddingIndex

PHRASE_WEIGHT = 0.5
"""Of each phrase in quotes, beside the whole text's 1."""
PICTURE_WEIGHT = 1.0
"""Of a picture, beside the words' 1."""


@dataclass(frozen=True, slots=True, eq=False)
class QueryVector:
    """One term as vectors."""

    label: str
    vector: Floats
    """(D,) float32, of length 1."""
    without: Floats
    """(K, D) float32, rows of length 1."""


def query_vector(term: Term, vectors: Mapping[str, Floats], picture: Floats | None = None) -> QueryVector:
    """Return the vector of a term, from the (D,) unit vector of each of its texts, and of a picture.

    The whole text, each phrase in quotes and the picture are added up as unit vectors with their weights. A picture
    is nearer to frames than any text is; its weight of 1 leaves the order to it, and to the words where pictures tie.
    """
    parts = [PHRASE_WEIGHT * vectors[phrase] for phrase in term.phrases]
    if term.words:
        parts.append(vectors[term.words])
    if picture is not None:
        parts.append(PICTURE_WEIGHT * picture)
    without = [vectors[text] for text in term.without]
    total = np.sum(parts, axis=0)
    return QueryVector(term.words, unit(total), np.array(without, np.float32).reshape(len(without), len(total)))


def unit(vector: Floats) -> Floats:
    """Return a vector of length 1; raises ValueError for one of length 0."""
    length = float(np.linalg.norm(vector))
    if not length:
        raise ValueError("a vector of length 0 has no direction")
    scaled: Floats = (vector / length).astype(np.float32)
    return scaled


def similarity(frames: Floats, what: QueryVector, whole: Floats | None = None) -> Floats:
    """Return the (N,) similarity of (N, D) frames: the cosine, less what is unwanted.

    What is unwanted counts as far as it rises above what is usual in the video: a frame without it loses nothing. The
    looks are all that there are of the video, unless those are given.
    """
    scores: Floats = frames @ what.vector
    for vector in what.without:
        unwanted: Floats = frames @ vector
        usual = ground(unwanted if whole is None else whole @ vector)
        scores = scores - np.maximum(np.float32(0.0), unwanted - np.float32(usual))
    return scores


def curve(video: Video, index: FrameIndex, queries: Sequence[QueryVector], whole: Floats | None = None) -> Curve:
    """Return the curve of one video: of the first query vector, with a line for each where there are several.

    Where the index is of some frames alone, `whole` are all that there are, (N, D).
    """
    scores = [similarity(index.vectors, one, whole) for one in queries]
    labels = [one.label for one in queries] if len(queries) > 1 else []
    lines = tuple(TextCurve(label, line) for label, line in zip(labels, scores, strict=False))
    return Curve(video, index.times_s, scores[0], vectors=index.vectors, lines=lines)


async def turned_by_votes(
    queries: Sequence[QueryVector],
    terms: Sequence[str],
    votes: Sequence[Vote],
    embeddings: EmbeddingIndex,
    view: View,
    recipe: Recipe,
) -> tuple[QueryVector, ...]:
    """Turn each query vector by the votes on its term, towards the frames in view that they are about.

    Raises StorageUnusable.
    """
    indexes: dict[str, FrameIndex] = {}
    for video_id in {vote.video_id for vote in votes}:
        peaks = await embeddings.peaks(view, recipe, queries[0].vector[None][:0], video_id)
        (index,) = await embeddings.indexes(peaks.videos[:1]) or (None,)
        if index is not None and len(index):
            indexes[video_id] = index
    return await asyncio.to_thread(_turned, queries, terms, votes, indexes)


def _turned(
    queries: Sequence[QueryVector], terms: Sequence[str], votes: Sequence[Vote], indexes: dict[str, FrameIndex]
) -> tuple[QueryVector, ...]:
    middles = {video_id: index.vectors.mean(axis=0) for video_id, index in indexes.items()}
    turned = []
    for query_vector, term in zip(queries, terms, strict=True):
        counted = {place: total for place, total in sums(votes, term).items() if place[0] in indexes}
        if not counted:
            turned.append(query_vector)
            continue
        rows = [_frame(indexes[video_id], at_s) - middles[video_id] for video_id, at_s in counted]
        totals = np.array(list(counted.values()), np.float32)
        turned.append(replace(query_vector, vector=nudged(query_vector.vector, np.array(rows), totals)))
    return tuple(turned)


def _frame(index: FrameIndex, at_s: float) -> Floats:
    frame: Floats = index.vectors[int(np.abs(index.times_s - at_s).argmin())]
    return frame


ALPHA = 1.0
"""Weight of the words."""
BETA = 0.5
"""Weight of what was voted up."""
GAMMA = 0.3
"""Weight of what was voted down."""
MOST_DEGREES = 15.0
"""How far votes turn a query vector at most."""


def nudged(vector: Floats, frames: Floats, votes: Floats) -> Floats:
    """Return a (D,) unit vector, turned by the (N,) votes on (N, D) frames, each less the middle of its video.

    Votes are sums over people, up less down; a frame where these are even counts for nothing.
    """
    towards = BETA * _mean(frames, np.maximum(votes, 0.0)) - GAMMA * _mean(frames, np.maximum(-votes, 0.0))
    target = ALPHA * vector + towards
    if not target.any():
        return vector
    return turned(vector, unit(target), math.radians(MOST_DEGREES))


def turned(start: Floats, end: Floats, most_rad: float) -> Floats:
    """Return the unit vector on the way from one to another, that far from the first at most."""
    angle_rad = math.acos(min(1.0, max(-1.0, float(start @ end))))
    if angle_rad <= most_rad:
        return end
    aside = end - float(start @ end) * start
    if not np.linalg.norm(aside):
        return start
    return unit(math.cos(most_rad) * start + math.sin(most_rad) * unit(aside))


def _mean(frames: Floats, weights: Floats) -> Floats:
    total = float(weights.sum())
    mean: Floats = weights @ frames / total if total else np.zeros(frames.shape[1], np.float32)
    return mean
