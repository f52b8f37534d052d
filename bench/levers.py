"""Each lever on accuracy, on and off: what it changes on videos of known content. The defaults follow these numbers.

python -m bench.levers CACHE [--videos N] [--json FILE] [--write]
CACHE is the folder of the emoji font (`python -m demo.emoji CACHE`).

A query is right if the look with the highest score lies in its scene. "Absent" is how many of the queries that are true
of nothing are told apart from those that are, when 5 % of the latter may be missed. IoU is how well the moment covers
its scene. All by the demo's model, which was trained on whole frames squashed to a square: what that says of the centre
crop holds for it alone.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bench.figures import put
from bench.known import REPORTING, absent, present, seeds
from core.search.judge import captions
from core.search.moments import ground
from core.search.shots import Likeness, reach, smoothed
from demo.emoji import sprites
from demo.evaluate import filmed, random_video
from demo.looking import eye, looks
from demo.things import things

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from PIL import Image

    from bench.known import Question
    from core.model.video import Floats
    from demo.looking import Eye

TEMPLATES = (
    "{}",
    "a photo of {}",
    "a picture of {}",
    "a video of {}",
    "a scene with {}",
    "there is {}",
    "a close-up of {}",
)
"""Seven: evidence says that so many beat eighty."""
_SHORT_WORDS = 2


@dataclass(frozen=True)
class Footage:
    """A video as the model saw it."""

    crowd: int
    starts: tuple[int, ...]
    """First look of each scene, and the number of looks."""
    frames: Mapping[str, Floats]
    """(N, D) unit rows by the way of looking."""
    questions: tuple[Question, ...]
    texts: Floats
    """(Q, D) unit rows."""
    templated: Floats
    """Likewise, the mean over the templates for short nouns."""


@dataclass(frozen=True)
class Lever:
    """One way of scoring."""

    name: str
    score: Callable[[Footage], Floats]
    """Gives (Q, N) scores."""


def framings(picture: Image.Image) -> dict[str, Image.Image]:
    """Give the whole frame (squashed later on), its centre, and centre, left and right together by name."""
    width, height = picture.size
    left = (width - height) // 2
    boxes = {"centre": left, "left": 0, "right": width - height}
    return {"whole": picture, **{name: picture.crop((x, 0, x + height, height)) for name, x in boxes.items()}}


def video(seeing: Eye, crowd: int, seed: int, cutouts: Mapping[str, object]) -> Footage:
    """Draw a video and look at it in each way."""
    posed = random_video(seed, crowd)
    pictures = [framings(picture) for _, picture in looks(filmed(posed, cutouts))]  # type: ignore[arg-type]
    frames = {name: seeing.images([one[name] for one in pictures]) for name in pictures[0]}
    asked = (*present(posed), *absent(posed, np.random.default_rng(seed + 5)))
    questions = tuple(question for question in asked if question.kind != "nonsense")
    starts = tuple(int(start) for start in np.cumsum([0, *(one.length_s for one in posed)]))
    said = [question.text for question in questions]
    return Footage(crowd, starts, frames, questions, seeing.texts(said), templated(seeing, said))


def templated(seeing: Eye, texts: Sequence[str]) -> Floats:
    """Give the mean vectors of short nouns in templates; longer texts as they are."""
    plain = seeing.texts(texts)
    mean = np.mean([seeing.texts([template.format(text) for text in texts]) for template in TEMPLATES], axis=0)
    mean /= np.linalg.norm(mean, axis=1, keepdims=True)
    short = np.array([len([word for word in text.split() if word not in {"a", "an", "the"}]) for text in texts])
    return np.where((short <= _SHORT_WORDS)[:, None], mean, plain)


def levers(bank: Floats, scale: float) -> Iterator[Lever]:
    """Give the ways of scoring, the plain one first."""
    yield Lever("plain: whole frame", lambda one: one.texts @ one.frames["whole"].T)
    yield Lever("centre crop", lambda one: one.texts @ one.frames["centre"].T)
    yield Lever("best of left, centre, right", lambda one: _best_of(one, ("left", "centre", "right")))
    yield Lever("best of whole, left, right", lambda one: _best_of(one, ("whole", "left", "right")))
    yield Lever("background (QB-Norm)", lambda one: _normalised(one, bank, scale))
    yield Lever("templates for short nouns", lambda one: one.templated @ one.frames["whole"].T)
    yield Lever("smoothing over time", lambda one: _smooth(one.texts @ one.frames["whole"].T))


def _best_of(one: Footage, names: Sequence[str]) -> Floats:
    best: Floats = np.max([one.texts @ one.frames[name].T for name in names], axis=0)
    return best


def _normalised(one: Footage, bank: Floats, scale: float) -> Floats:
    logits = scale * (one.frames["whole"] @ bank.T)
    levels = np.log(np.exp(logits).mean(axis=1)) / scale
    normalised: Floats = (one.texts @ one.frames["whole"].T - levels).astype(np.float32)
    return normalised


def _smooth(scores: Floats) -> Floats:
    padded = np.pad(scores, ((0, 0), (1, 1)), mode="edge")
    return ((padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) / 4).astype(np.float32)


def right(one: Footage, scores: Floats) -> list[bool]:
    """Tell of each query that is true of a scene whether its best look lies there."""
    scenes = np.searchsorted(one.starts, scores.argmax(axis=1), side="right") - 1
    return [scene == q.scene for scene, q in zip(scenes, one.questions, strict=True) if q.scene is not None]


def told_apart(videos: Sequence[Footage], found: Sequence[Floats]) -> float:
    """Give the share of absent queries below what all but 5 % of the present ones reach."""
    peaks = np.concatenate([scores.max(axis=1) for scores in found])
    there = np.array([question.scene is not None for one in videos for question in one.questions])
    return float((peaks[~there] < np.quantile(peaks[there], 0.05)).mean())


def covered(one: Footage, *, smooth: bool, noise: float) -> list[float]:
    """Give how well each right moment covers its scene (intersection over union), with noise as a share of its rise."""
    scores = one.texts @ one.frames["whole"].T
    likeness = Likeness(one.frames["whole"])
    shares = []
    for number, question in enumerate(one.questions):
        raw, scene = scores[number], question.scene
        wobble = np.random.default_rng(number).normal(0, 1, len(raw)) * noise * (raw.max() - ground(raw))
        raw = (raw + wobble).astype(np.float32)
        if scene is not None and one.starts[scene] <= raw.argmax() < one.starts[scene + 1]:
            ends = (one.starts[scene], one.starts[scene + 1])
            shares.append(_overlap(_reach(raw, likeness if smooth else None), ends))
    return shares


def _reach(raw: Floats, likeness: Likeness | None) -> tuple[int, int]:
    peak, floor = int(raw.argmax()), ground(raw)
    if likeness is not None:
        first, last = reach(smoothed(raw, likeness), np.ones(len(raw), np.bool_), peak, float(raw[peak]), floor)
        return first, last + 1
    outside = np.flatnonzero(raw < (raw[peak] + floor) / 2)
    before, after = outside[outside < peak], outside[outside > peak]
    return (int(before[-1]) + 1 if len(before) else 0), (int(after[0]) if len(after) else len(raw))


def _overlap(one: tuple[int, int], other: tuple[int, int]) -> float:
    common = max(0, min(one[1], other[1]) - max(one[0], other[0]))
    return common / (max(one[1], other[1]) - min(one[0], other[0]))


def measured(videos: Sequence[Footage], ways: Sequence[Lever]) -> list[dict[str, object]]:
    """Give a row for each lever."""
    rows: list[dict[str, object]] = []
    for way in ways:
        row: dict[str, object] = {"lever": way.name}
        for crowd in (1, 2):
            chosen = [one for one in videos if one.crowd == crowd]
            found = [way.score(one) for one in chosen]
            hits = [hit for one, scores in zip(chosen, found, strict=True) for hit in right(one, scores)]
            row[f"right_{crowd}"] = float(np.mean(hits))
            row[f"absent_{crowd}"] = told_apart(chosen, found)
        rows.append(row)
    return rows


def extents(videos: Sequence[Footage]) -> list[dict[str, object]]:
    """Give how well moments cover scenes, by half height and smoothed inside against outside."""
    rows: list[dict[str, object]] = []
    for noise in (0.0, 0.1, 0.2, 0.3):
        half, inside = (
            float(np.mean([share for one in videos for share in covered(one, smooth=smooth, noise=noise)]))
            for smooth in (False, True)
        )
        rows.append({"noise": noise, "half_height": half, "inside_outside": inside})
    return rows


def table(rows: Sequence[Mapping[str, object]], ends: Sequence[Mapping[str, object]]) -> str:
    """Give both tables as Markdown."""
    lines = [
        "| lever | right, 1 thing | right, 2 things | absent, 1 thing | absent, 2 things |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        shares = " | ".join(f"{row[key]:.1%}" for key in ("right_1", "right_2", "absent_1", "absent_2"))
        lines.append(f"| {row['lever']} | {shares} |")
    lines += ["", "| noise on the scores | half height, IoU | smoothed, inside against outside, IoU |", "|---|---|---|"]
    lines += [f"| {row['noise']:.0%} | {row['half_height']:.3f} | {row['inside_outside']:.3f} |" for row in ends]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--videos", type=int, default=10, help="of each kind")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="into demo/README.md")
    wish = parser.parse_args()
    cv2.setNumThreads(1)
    seeing = eye()
    cutouts = sprites(wish.cache, [emoji for thing in things() for emoji in thing.emoji])
    videos = [video(seeing, crowd, seed, cutouts) for crowd, seed in seeds(REPORTING, wish.videos)]
    ways = list(levers(seeing.texts(captions()), float(seeing.model.logit_scale.detach().exp())))
    rows, ends = measured(videos, ways), extents(videos)
    print(table(rows, ends))
    if wish.write:
        put("levers", f"Measured on {wish.videos} videos of each kind.\n\n{table(rows, ends)}")
    if wish.json:
        wish.json.write_text(json.dumps({"videos": wish.videos, "levers": rows, "extents": ends}, indent=2))


if __name__ == "__main__":
    main()
