"""How well a verdict by picture, alone and with words, tells what a video holds; on videos of known content.

python -m bench.likening CACHE [--videos N] [--write]      report on the videos for reporting
python -m bench.likening CACHE --fit                                    work the bars of words out, on others
CACHE is the folder of the emoji font (`python -m demo.emoji CACHE`).

Each look in turn is the picture: mirrored, or its middle square alone, asked of its own video; as it is, asked of its
own video without that scene and of another video. With words, each true question is asked beside a picture (mirrored or
the middle square, by turns): both of one scene; words of nothing in the video; the picture of another video; neither of
the video; and both of it, but of two scenes.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import ImageOps

from bench.figures import put
from bench.known import CALIBRATING, REPORTING, absent, drawn, present, seeds
from core.model.results import Curve
from core.model.video import EncoderInfo, Preprocess, Video
from core.search.judge import captions
from core.search.query_vectors import unit
from core.search.shots import Likeness
from core.search.verdict import BEST, SHOT_WEAK_FROM, Blend, background, blend_baseline, likened, odds
from demo.emoji import sprites
from demo.evaluate import random_video
from demo.looking import eye, looks
from demo.things import things

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator

    from bench.known import Question
    from core.model.results import Verdict
    from core.model.video import Floats
    from core.search.verdict import CaptionLevels
    from demo.emoji import Sprite
    from demo.looking import Eye

VERDICTS: tuple[Verdict, ...] = ("strong", "weak", "absent")
CASES: Final = {
    "both": "both, of one scene",
    "words": "the shot, but not what the words say",
    "picture": "what the words say, but no such shot",
    "either": "neither",
    "together": "both, but of two scenes",
}
"""By what the video lacks, if anything."""
_GONE, _CRIED = 0.97, 0.01
"""What bars of words aim at: blends that lack something called absent, and called a strong hit."""


@dataclass(frozen=True)
class Footage:
    """A video as the model saw it."""

    crowd: int
    """Things in each scene."""
    whole: Floats
    """(N, D) unit rows; the others likewise."""
    mirrored: Floats
    middle: Floats
    scenes: np.ndarray[tuple[int], np.dtype[np.int64]]
    """(N,) number of the scene of each look."""
    questions: tuple[Question, ...]
    texts: Floats
    """(Q, D) unit rows."""


@dataclass(frozen=True)
class Asked:
    """Words beside a picture."""

    crowd: int
    case: str
    verdict: Verdict
    lacks: str
    """What the answer says is missing."""
    words: float
    """Highest odds of the words among the best looks that hold the shot; minus infinity where none does."""


def video(seeing: Eye, crowd: int, seed: int, cutouts: Mapping[str, Sprite], cache: Path) -> Footage:
    """Draw a video and look at it in each way."""
    posed = random_video(seed, crowd)
    data = drawn(cache / "videos" / f"{seed}.mp4", posed, cutouts).read_bytes()
    pictures = [picture for _, picture in looks(BytesIO(data))]
    starts = np.cumsum([0, *(one.length_s for one in posed)])
    scenes = np.searchsorted(starts, np.arange(len(pictures)), side="right") - 1
    squares = [ImageOps.fit(picture, (picture.height, picture.height)) for picture in pictures]
    mirrored = [ImageOps.mirror(picture) for picture in pictures]
    known = (*present(posed), *absent(posed, np.random.default_rng(seed + 5)))
    questions = tuple(one for one in known if one.kind != "nonsense")
    texts = seeing.texts([one.text for one in questions])
    whole, reversed_, middle = (seeing.images(one) for one in (pictures, mirrored, squares))
    return Footage(crowd, whole, reversed_, middle, scenes, questions, texts)


def curve(among: Floats, aim: Floats) -> Curve:
    """Give the curve of an aim (D,) over a video (N, D)."""
    video = Video("v", "", "", float(len(among)), 1, 1)
    return Curve(video, np.arange(len(among), dtype=np.float64), among @ aim, vectors=among)


def verdict(picture: Floats, among: Floats) -> Verdict | None:
    """Ask a video (N, D) for a picture's shot."""
    return likened(curve(among, picture)).verdict


def asked(videos: Sequence[Footage]) -> dict[str, list[Verdict | None]]:
    """Ask for every look in each way."""
    told: dict[str, list[Verdict | None]] = defaultdict(list)
    for one, other in zip(videos, [*videos[1:], videos[0]], strict=True):
        told["mirrored, of its video"] += [verdict(picture, one.whole) for picture in one.mirrored]
        told["middle square, of its video"] += [verdict(picture, one.whole) for picture in one.middle]
        others = [one.whole[one.scenes != scene] for scene in one.scenes]
        told["of its video without that scene"] += [verdict(*pair) for pair in zip(one.whole, others, strict=True)]
        told["of another video"] += [verdict(picture, other.whole) for picture in one.whole]
    return told


def table(told: Mapping[str, Sequence[Verdict | None]]) -> str:
    """Give the shares as Markdown."""
    lines = ["| a picture is asked for | strong | weak | absent |", "|---|---|---|---|"]
    for way, said in told.items():
        shares = " | ".join(f"{said.count(one) / len(said):.1%}" for one in VERDICTS)
        lines.append(f"| {way} ({len(said)}) | {shares} |")
    return "\n".join(lines)


def blends(one: Footage, other: Footage, rng: Generator) -> Iterator[tuple[str, Blend]]:
    """Give words with a picture in each case, for every true question; foreign pictures are of the other video."""
    there = [number for number, question in enumerate(one.questions) if question.scene is not None]
    gone = [number for number, question in enumerate(one.questions) if question.scene is None]
    for count, number in enumerate(there):
        scene = one.questions[number].scene
        look = int(rng.choice(np.flatnonzero(one.scenes == scene)))
        own, foreign = (one.mirrored, one.middle)[count % 2][look], other.whole[int(rng.integers(len(other.whole)))]
        elsewhere = [known for known in there if one.questions[known].scene != scene]
        yield "both", Blend(one.texts[number], own)
        yield "words", Blend(one.texts[int(rng.choice(gone))], own)
        yield "picture", Blend(one.texts[number], foreign)
        yield "either", Blend(one.texts[int(rng.choice(gone))], foreign)
        yield "together", Blend(one.texts[int(rng.choice(elsewhere))], own)


def blended(videos: Sequence[Footage], bank: Floats, info: EncoderInfo) -> list[Asked]:
    """Ask all videos for words with pictures."""
    rng, found = np.random.default_rng(1), []
    for one, other in zip(videos, [*videos[1:], videos[0]], strict=True):
        known = background(one.whole, bank, info)
        for case, blend in blends(one, other, rng):
            aim = unit(blend.words + blend.picture)
            judged = curve(one.whole, aim)
            level = blend_baseline(judged, one.whole, blend, known, bank, info)
            if level is None:
                raise ValueError("a video that tells no shots apart")
            told = level.verdict(float(judged.scores.max()))
            found.append(Asked(one.crowd, case, told, level.lacks, _words(judged, blend, known, bank, info)))
    return found


def _words(judged: Curve, blend: Blend, known: CaptionLevels, bank: Floats, info: EncoderInfo) -> float:
    among = judged.vectors
    if among is None:
        raise ValueError("a curve without its looks")
    said, likeness = among @ blend.words, Likeness(among)
    surely = odds(said, among, float(said.mean()), known, bank, info)
    best = np.argsort(-judged.scores, kind="stable")[:BEST]
    held = best[among[best] @ blend.picture >= likeness.cosine(SHOT_WEAK_FROM)]
    return float(surely[held].max()) if len(held) else -np.inf


def blended_table(found: Sequence[Asked]) -> str:
    """Give the shares as Markdown."""
    lines = ["| things in a scene | the video has | strong | weak | absent | of these, what is missing is told |"]
    lines += ["|---|---|---|---|---|---|"]
    for crowd in sorted({one.crowd for one in found}):
        for case, says in CASES.items():
            chosen = [one for one in found if (one.crowd, one.case) == (crowd, case)]
            shares = " | ".join(f"{np.mean([one.verdict == kind for one in chosen]):.1%}" for kind in VERDICTS)
            told = [one.lacks == case for one in chosen if one.verdict == "absent"]
            right = f"{np.mean(told):.0%}" if told and case != "both" else "-"
            lines.append(f"| {crowd} | {says} ({len(chosen)}) | {shares} | {right} |")
    return "\n".join(lines)


def fitted(found: Sequence[Asked]) -> dict[str, float]:
    """Give the bars of words by blends that lack something alone, the shot at least being there."""
    missing = [one.words for one in found if one.case in {"words", "together"}]
    bars = np.quantile(np.maximum(missing, np.finfo(np.float32).min), [_GONE, 1 - _CRIED])
    return {
        name: round(float(bar), 2) for name, bar in zip(("WORDS_WEAK_FROM", "WORDS_STRONG_FROM"), bars, strict=True)
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--videos", type=int, default=6, help="of each kind")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--write", action="store_true", help="into demo/README.md")
    wish = parser.parse_args()
    seeing, cutouts = eye(), sprites(wish.cache, [emoji for thing in things() for emoji in thing.emoji])
    first = CALIBRATING if wish.fit else REPORTING
    videos = [video(seeing, crowd, seed, cutouts, wish.cache) for crowd, seed in seeds(first, wish.videos)]
    bank, info = seeing.texts(captions()), _info(seeing)
    together = blended(videos, bank, info)
    if wish.fit:
        print(fitted(together))
        return
    found = f"{table(asked(videos))}\n\n{blended_table(together)}"
    print(found)
    if wish.write:
        put("likening", f"Measured on {wish.videos} videos of each kind.\n\n{found}")


def _info(seeing: Eye) -> EncoderInfo:
    preprocess = Preprocess(1, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    scale = float(seeing.model.logit_scale.detach().exp())
    return EncoderInfo("demo", "", 0, preprocess, "fp32", scale, 0.0, "cpu")


if __name__ == "__main__":
    main()
