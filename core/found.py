"""What is asked of films, and what is found in them: moments, curves, answers.

Owns their invariants and nothing else; must not know a platform, SQL or an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from core import asking
from core.question import Posted

if TYPE_CHECKING:
    from core.asking import Asked
    from core.model import Floats, Scope, Seconds, Video, View
    from core.question import Example, Stretch
    from core.verdict import Baseline, Verdict


SAME_FRAME_S = 1e-3
"""Times that lie no further apart are of one frame."""


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for, and where they may look."""

    text: str
    """The question as it was put; `asked` says what it means."""
    view: View
    video_id: str | None = None
    """Look in this film alone."""
    picture: Example | None = None
    """Look for this, beside the words or without any."""
    posted: Posted = field(default_factory=Posted)
    """Look in films alone that were posted so within the view."""

    @property
    def asked(self) -> Asked:
        """Give what the text means."""
        return asking.read(self.text, pictured=self.picture is not None)

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is asked for."""
        return self.picture is None and not self.text.strip()


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch [start_s, end_s) of a film that matches, and its best look."""

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
    """How surely its film shows what was asked for, by a closer look, as odds; None where nobody looked closer."""
    among: tuple[float, ...] = ()
    """Cosine similarity of the peak's own frame to each of several texts, in their order; empty where there is one."""


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """How similar a film is to one text of several."""

    text: str
    scores: Floats
    """(N,) float32, cosine similarity."""
    baseline: Baseline | None = None
    """What these scores mean in this film; None where nobody worked it out."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """How similar one film is to a query over time."""

    video: Video
    times_s: Seconds
    """(N,) float64."""
    scores: Floats
    """(N,) float32, cosine similarity; of several texts the first's, unless `of` was asked for another."""
    baseline: Baseline | None = None
    """What these scores mean in this film; None where nobody worked it out, or it cannot be (a query by picture)."""
    vectors: Floats | None = None
    """(N, D) float32, the looks themselves, for whoever has to compare them; None once nobody need."""
    lines: tuple[Line, ...] = ()
    """One for each text where there are several, side by side or one after the other; else none."""
    source: Stretch | None = None
    """Where more is wanted like: looks there are no answer, and no verdict is told from them."""

    @property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Tell of each look whether it may be an answer, (N,)."""
        if self.source is None:
            return np.ones(len(self.times_s), np.bool_)
        return (self.times_s < self.source.start_s) | (self.times_s >= self.source.end_s)

    @property
    def best(self) -> int:
        """Give the highest look of those that may be an answer; of all, where none may."""
        counts = self.counts
        return int(np.where(counts, self.scores, -np.inf).argmax()) if counts.any() else int(self.scores.argmax())

    @property
    def verdict(self) -> Verdict | None:
        """Tell whether the film shows it at all, judged by its highest look; None without a baseline."""
        return self.baseline.verdict(float(self.scores[self.best])) if self.baseline else None

    def verdict_of(self, moment: Moment) -> Verdict | None:
        """Judge one moment of this film, likewise."""
        within = (self.times_s >= moment.start_s) & (self.times_s < moment.end_s)
        score = float(self.scores[within].max()) if within.any() else moment.score
        return self.baseline.verdict(score) if self.baseline else None

    def of(self, part: int) -> Curve:
        """Give the curve of one of the texts."""
        return replace(self, scores=self.lines[part].scores, baseline=self.lines[part].baseline) if self.lines else self

    def at(self, time_s: float) -> int:
        """Give the look that is nearest to a time."""
        return int(np.abs(self.times_s - time_s).argmin())

    def exactly_at(self, time_s: float) -> int | None:
        """Return the look that is the very frame at a time, or None where no look is."""
        look = self.at(time_s)
        return look if abs(float(self.times_s[look]) - time_s) <= SAME_FRAME_S else None

    def among(self, look: int) -> tuple[float, ...]:
        """Return the similarity of a look to each of several texts; empty where there is one."""
        return tuple(float(line.scores[look]) for line in self.lines)


def nearest_within(times_s: Seconds, span: Moment | Stretch, time_s: float) -> int:
    """Return which of some times (N,) is nearest to one, of those within a span; of all, where none is.

    Beside a cut the nearest of all may be of another shot.
    """
    inside = (times_s >= span.start_s) & (times_s < span.end_s)
    apart_s = np.abs(times_s - time_s)
    return int(np.where(inside, apart_s, np.inf).argmin()) if inside.any() else int(apart_s.argmin())


@dataclass(frozen=True, slots=True, eq=False)
class SearchResult:
    """The answer to a query: moments of all films in view, and the best film's curve."""

    query: Query
    moments: tuple[Moment, ...]
    """Best first; at least one."""
    curve: Curve
    """Of the film that holds the best moment, and of the text that it belongs to."""
    absent: frozenset[str] = frozenset()
    """Ids of the videos that probably do not show it: their moments stand behind the others, whatever they score."""

    @property
    def best(self) -> Moment:
        """Give the best moment."""
        return self.moments[0]

    @property
    def verdict(self) -> Verdict | None:
        """Tell whether the best film shows it at all; None without a baseline."""
        return self.curve.verdict


@dataclass(frozen=True, slots=True)
class Answer:
    """A search result as it is remembered, so that its buttons work after a restart."""

    id: str
    query: Query
    scope: Scope
    """Where it was shown."""
    moments: tuple[Moment, ...]
    asked_by: str = ""
    """User id of whoever asked."""
    revision: int = 0
    """How often its moments came to stand in another order."""
    earlier: tuple[tuple[Moment, ...], ...] = ()
    """The orders before, newest last, as far as they are remembered."""
