"""What `keaton prove` found: Keaton's answers beside the published loop's, as figures and as JSON. Pure."""

from __future__ import annotations

import io
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model.reply import Theme
    from core.model.results import Verdict
    from core.model.video import Floats, Pixels

WORSE = 0.003
"""Where Keaton's best frame scores lower than the loop's by more than this, the proof has failed: two decoders and two
ways to resize differ by less."""
_PICTURE_PX, _QUALITY = 640, 85


@dataclass(frozen=True, slots=True)
class FoundFrame:
    """The frame that one of the two found."""

    time_s: float
    said: float
    """Its cosine similarity as whoever found it computed it."""
    score: float
    """Its cosine similarity as the loop computes it, colours right: the same measure for both."""
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class QueryProof:
    """One query."""

    text: str
    loop: FoundFrame
    keaton: FoundFrame
    verdict: Verdict | None
    plots: Mapping[Theme, bytes]
    answer_s: float
    """How long Keaton took for the answer that is shown first."""

    @property
    def gain(self) -> float:
        """Return how much higher Keaton's frame scores."""
        return self.keaton.score - self.loop.score

    @property
    def is_worse(self) -> bool:
        """Tell whether Keaton's best frame is worse than the loop's."""
        return self.gain < -WORSE


@dataclass(frozen=True, slots=True)
class Speed:
    """How long both take to look at the video, each turn of the one beside a turn of the other."""

    loop_s: tuple[float, ...]
    """For all frames, by what a frame took."""
    keaton_s: tuple[float, ...]
    """Measured, from the file to the saved index."""
    encoded: int
    """Frames that the loop encoded, over all turns."""
    frames: int
    """Frames in the video."""
    sampled: int
    """Frames that Keaton encoded, in each turn."""

    @property
    def is_full(self) -> bool:
        """Tell whether the loop encoded all frames."""
        return self.encoded >= self.frames

    @property
    def ratio(self) -> float:
        """Return the median of each turn's own ratio: what else the machine does slows both."""
        return statistics.median(loop / ours for loop, ours in zip(self.loop_s, self.keaton_s, strict=True))


@dataclass(frozen=True, slots=True)
class PictureProof:
    """The probabilities of some texts for one picture."""

    name: str
    jpeg: bytes
    texts: tuple[str, ...]
    loop: tuple[float, ...]
    keaton: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Proof:
    """All that `keaton prove` found."""

    title: str
    source: str
    duration_s: float
    model: str
    queries: tuple[QueryProof, ...]
    speed: Speed
    differences: tuple[float, ...]
    """1 less the cosine of both vectors, for some frames that both encoded."""
    picture: PictureProof | None
    machine: Mapping[str, str]
    made_at: str

    @property
    def worse(self) -> tuple[QueryProof, ...]:
        """Return the queries of which the loop found a better frame."""
        return tuple(query for query in self.queries if query.is_worse)

    def document(self) -> dict[str, object]:
        """Return the figures as JSON has them, without pictures."""
        speed, picture = self.speed, self.picture
        return {
            "passed": not self.worse,
            "video": {"title": self.title, "source": self.source, "duration_s": self.duration_s},
            "model": self.model,
            "queries": [_document(query) for query in self.queries],
            "speed": {
                "ratio": speed.ratio,
                "notebook_s": speed.loop_s,
                "keaton_s": speed.keaton_s,
                "all_frames": speed.is_full,
                "frames": speed.frames,
                "frames_by_notebook": speed.encoded,
                "frames_by_keaton": speed.sampled,
            },
            "cosine_difference": {
                "median": statistics.median(self.differences) if self.differences else None,
                "highest": max(self.differences, default=None),
                "frames": len(self.differences),
            },
            "picture": picture
            and {"name": picture.name, "texts": picture.texts, "notebook": picture.loop, "keaton": picture.keaton},
            "machine": dict(self.machine),
            "made_at": self.made_at,
        }


def _document(query: QueryProof) -> dict[str, object]:
    def frame(one: FoundFrame) -> dict[str, float]:
        return {"time_s": one.time_s, "score": one.score, "own_score": one.said}

    return {
        "text": query.text,
        "notebook": frame(query.loop),
        "keaton": frame(query.keaton),
        "gain": query.gain,
        "is_worse": query.is_worse,
        "verdict": query.verdict,
        "answer_s": query.answer_s,
    }


def jpeg(pixels: Pixels) -> bytes:
    """Return an (H, W, 3) RGB picture as a JPEG that a page has room for."""
    image = Image.fromarray(pixels)
    image.thumbnail((_PICTURE_PX, _PICTURE_PX))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def apart(some: Floats, others: Floats) -> tuple[float, ...]:
    """Return 1 less the cosine of each row of unit vectors with the same row of others."""
    cosines = (some.astype("float64") * others.astype("float64")).sum(axis=1)
    return tuple(max(0.0, 1.0 - float(one)) for one in cosines)


def summary(proof: Proof) -> Sequence[str]:
    """Return the lines that the command prints."""
    speed, lines = proof.speed, []
    for query in proof.queries:
        mark = "worse" if query.is_worse else "better" if query.gain > WORSE else "same"
        lines.append(
            f"{mark:6} {query.gain:+.4f}  notebook {query.loop.score:.4f} at {query.loop.time_s:.2f} s, "
            f"Keaton {query.keaton.score:.4f} at {query.keaton.time_s:.2f} s: {query.text}"
        )
    how = "all frames" if speed.is_full else f"by {speed.encoded} of {speed.frames} frames"
    loop_s, keaton_s = statistics.median(speed.loop_s), statistics.median(speed.keaton_s)
    lines.append(f"Notebook {loop_s:.1f} s ({how}), Keaton {keaton_s:.1f} s: {speed.ratio:.1f} times as fast.")
    if proof.differences:
        lines.append(f"Cosine differences of the same frames: at most {max(proof.differences):.1e}.")
    good, count = len(proof.queries) - len(proof.worse), len(proof.queries)
    lines.append(f"{good} of {count} best frames at least as good as the notebook's (within {WORSE}).")
    return lines
