"""What a search finds: moments, curves, baselines and verdicts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.model.query import Query, Stretch
    from core.model.video import Floats, Seconds, Video

SAME_FRAME_S = 1e-3
"""Times that lie no further apart are of one frame."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch [start_s, end_s) of a video that matches, and its best frame."""

    video_id: str
    start_s: float
    end_s: float
    peak_s: float
    score: float
    """Cosine similarity at the peak, -1 to 1; in a sequence the mean of both peaks."""
    part: int = 0
    """Which of several texts side by side it belongs to, from 0."""
    then: Moment | None = None
    """What follows it in a sequence."""
    closer: float | None = None
    """How surely its video shows what was asked for, by a close-up, as odds; None where none was taken."""
    among: tuple[float, ...] = ()
    """Cosine similarity of the peak's own frame to each of several texts, in their order; empty where there is one."""


def alone(moment: Moment) -> tuple[Moment, ...]:
    """Return the moments that a moment stands for, each with its own score: itself, or both of a pair."""
    return ends(moment, moment.then) if moment.then else (moment,)


def ends(pair: Moment, then: Moment) -> tuple[Moment, Moment]:
    """Return the two moments of a pair as they are by themselves: each with its own score."""
    return replace(pair, score=2 * pair.score - then.score, then=None), then


def paired(first: Moment, then: Moment) -> Moment:
    """Return two moments as a pair, whose score is the mean of both."""
    return replace(first, score=(first.score + then.score) / 2, then=then)


@dataclass(frozen=True, slots=True, eq=False)
class TextCurve:
    """How similar a video is to one text of several."""

    text: str
    scores: Floats
    """(N,) float32, cosine similarity."""
    baseline: Baseline | None = None
    """What these scores mean in this video; None where nobody worked it out."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How similar one video is to a query over time."""

    video: Video
    times_s: Seconds
    """(N,) float64."""
    scores: Floats
    """(N,) float32, cosine similarity; of several texts the first's, unless `of` was asked for another."""
    baseline: Baseline | None = None
    """What these scores mean in this video; None where nobody worked it out, or it cannot be (a query by picture)."""
    vectors: Floats | None = None
    """(N, D) float32, the embeddings, while they have to be compared; None after that."""
    lines: tuple[TextCurve, ...] = ()
    """One for each text where there are several, side by side or one after the other; else none."""
    source: Stretch | None = None
    """Where more is wanted like: frames there are no answer, and no verdict is told from them."""

    @property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Tell of each frame whether it may be an answer, (N,)."""
        if self.source is None:
            return np.ones(len(self.times_s), np.bool_)
        return (self.times_s < self.source.start_s) | (self.times_s >= self.source.end_s)

    @property
    def best(self) -> int:
        """Return the highest frame of those that may be an answer; of all, where none may."""
        counts = self.counts
        return int(np.where(counts, self.scores, -np.inf).argmax()) if counts.any() else int(self.scores.argmax())

    @property
    def verdict(self) -> Verdict | None:
        """Tell whether the video shows it at all, judged by its highest frame; None without a baseline."""
        return self.baseline.verdict(float(self.scores[self.best])) if self.baseline else None

    def verdict_of(self, moment: Moment) -> Verdict | None:
        """Judge one moment of this video, likewise."""
        within = (self.times_s >= moment.start_s) & (self.times_s < moment.end_s)
        score = float(self.scores[within].max()) if within.any() else moment.score
        return self.baseline.verdict(score) if self.baseline else None

    def of(self, part: int) -> Curve:
        """Return the curve of one of the texts."""
        return replace(self, scores=self.lines[part].scores, baseline=self.lines[part].baseline) if self.lines else self

    def rounded(self) -> Curve:
        """Return the curve as it is kept and drawn: with scores that float16 holds.

        Each stays on the same side of its baseline's thresholds, so that no verdict changes. Rounding again changes
        nothing.
        """
        lines = tuple(replace(line, scores=_halved(line.scores, line.baseline)) for line in self.lines)
        same = (new.scores for old, new in zip(self.lines, lines, strict=True) if old.scores is self.scores)
        scores = next(same, None)
        return replace(self, scores=_halved(self.scores, self.baseline) if scores is None else scores, lines=lines)

    def at(self, time_s: float) -> int:
        """Return the frame that is nearest to a time."""
        return int(np.abs(self.times_s - time_s).argmin())

    def exactly_at(self, time_s: float) -> int | None:
        """Return the frame that is the very frame at a time, or None where no frame is."""
        frame = self.at(time_s)
        return frame if abs(float(self.times_s[frame]) - time_s) <= SAME_FRAME_S else None

    def among(self, frame: int) -> tuple[float, ...]:
        """Return the similarity of a frame to each of several texts; empty where there is one."""
        return tuple(float(line.scores[frame]) for line in self.lines)


def _halved(scores: Floats, baseline: Baseline | None) -> Floats:
    halves = scores.astype(np.float16)
    for threshold in (baseline.weak_from, baseline.strong_from) if baseline else ():
        rounded, was_below = halves.astype(np.float32), scores < threshold
        halves = np.where(was_below & (rounded >= threshold), np.nextafter(halves, np.float16(-np.inf)), halves)
        halves = np.where(~was_below & (rounded < threshold), np.nextafter(halves, np.float16(np.inf)), halves)
    return halves.astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class KeptCurves:
    """The curves that an answer was made of: kept with it, so that its buttons need not search again."""

    recipe_key: str
    """Of the embeddings that they were computed from."""
    curves: tuple[Curve, ...]
    """At most one a video, the most important first, each with all its texts."""


def nearest_within(times_s: Seconds, span: Moment | Stretch, time_s: float) -> int:
    """Return which of some times (N,) is nearest to one, of those within a span; of all, where none is.

    Beside a cut the nearest of all may be of another shot.
    """
    inside = (times_s >= span.start_s) & (times_s < span.end_s)
    apart_s = np.abs(times_s - time_s)
    return int(np.where(inside, apart_s, np.inf).argmin()) if inside.any() else int(apart_s.argmin())


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """The answer to a query: moments of all videos in view, and the best video's curve."""

    query: Query
    moments: tuple[Moment, ...]
    """Best first; at least one."""
    curve: Curve
    """Of the video that holds the best moment, and of the text that it belongs to."""
    absent: frozenset[str] = frozenset()
    """Ids of the videos that probably do not show it: their moments stand behind the others, whatever they score."""
    from_storage: int = 0
    """How many videos memory has no room for: they were read from storage, which takes longer."""
    curves: KeptCurves | None = None
    """Of all videos that hold a moment; None where they are not to be kept."""

    @property
    def best(self) -> Moment:
        """Return the best moment."""
        return self.moments[0]

    @property
    def verdict(self) -> Verdict | None:
        """Tell whether the best video shows it at all; None without a baseline."""
        return self.curve.verdict


Verdict: TypeAlias = Literal["strong", "weak", "absent"]
""""absent" is "probably not in this video": the best frame is there all the same."""
Lack: TypeAlias = Literal["", "words", "picture", "either", "together"]
"""Of words and a picture that are asked for together: which the video lacks, or that no frame has them together."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a similarity means for one video and one query, in the units of the curve."""

    usual: float
    """What background captions have in common with the video's frames, on average: the lower edge of the band."""
    weak_from: float
    """What the best frame of a video without the thing seldom reaches: the upper edge of the band."""
    strong_from: float
    """From here on there is hardly a doubt."""
    lacks: Lack = ""
    """What is not there, where words and a picture were asked for and the verdict is "absent"."""

    def __post_init__(self) -> None:
        """Check the order; raises ValueError with the offending values."""
        if not self.usual <= self.weak_from <= self.strong_from:
            raise ValueError(f"a baseline must rise: {self.usual}, {self.weak_from}, {self.strong_from}")

    def verdict(self, score: float) -> Verdict:
        """Judge the highest score of a video, or of a moment."""
        if score < self.weak_from:
            return "absent"
        return "weak" if score < self.strong_from else "strong"
