"""How often "probably not in this video" is right: on videos of known content that thresholds were not made from.

python -m bench.verdict CACHE [--videos N] [--json FILE]     report on the videos for reporting
python -m bench.verdict CACHE --write                       the same, into demo/README.md
python -m bench.verdict CACHE --fit [--seeds SEED ...]      work the thresholds out, on the videos for calibrating
CACHE is the folder of the emoji font (`python -m demo.emoji CACHE`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.figures import put
from bench.known import CALIBRATING, REPORTING, videos
from core.search.verdict import WEAK_FROM, seen_closer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.known import Kind, Known, Question
    from bot.wiring.app import Product
    from core.model.results import Verdict

_GONE, _CRIED = 0.93, 0.01
"""What the thresholds aim at: absent things called absent, and absent things called a strong hit."""
_GONE_CLOSER = 0.915
"""Likewise of things called absent after crops are compared, of each number of things in a scene: more than that costs
too much of what is there."""
_FAR = 99.0


@dataclass(frozen=True)
class Asked:
    """One answer."""

    crowd: int
    kind: Kind
    there: bool
    at_once: Verdict
    odds: float
    """Of the query at the best look against the background, as a natural logarithm."""
    verdict: Verdict
    """After crops were compared, where there was doubt."""
    closer: float | None
    """Odds of that look, where there was one."""


async def answers(first: int, count: int, cache: Path) -> list[Asked]:
    """Ask everything of every video."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as home:
        async with videos(Path(home), cache, first, count) as (core, known):
            return [await ask(core, video, question) for video in known for question in video.questions]


async def ask(core: Product, video: Known, question: Question) -> Asked:
    """Ask one thing, as `/find` does."""
    query, info = video.query(question), await core.engines.encoder.ready()
    result = await core.parts.searcher.search(query, 1)
    curve = result.curve
    best = await core.parts.refiner.close_up(query, result.best, curve)
    after = seen_closer(curve, [best], info)
    if curve.baseline is None or curve.verdict is None or after.verdict is None:
        raise RuntimeError("a video without a baseline")
    odds = WEAK_FROM + info.logit_scale * (float(curve.scores.max()) - curve.baseline.weak_from)
    there = question.scene is not None
    return Asked(video.crowd, question.kind, there, curve.verdict, odds, after.verdict, best.closer)


def rows(asked: Sequence[Asked]) -> dict[tuple[int, Kind, bool], dict[Verdict, int]]:
    """Count verdicts by things in a scene, kind of query, and whether it is there."""
    found: dict[tuple[int, Kind, bool], dict[Verdict, int]] = defaultdict(lambda: {"strong": 0, "weak": 0, "absent": 0})
    for one in asked:
        found[one.crowd, one.kind, one.there][one.verdict] += 1
    return dict(sorted(found.items()))


def share_absent(asked: Sequence[Asked], crowds: Sequence[int], *, there: bool) -> tuple[float, float]:
    """Give the share that was called absent, of what is there or is not: at once, and after crops are compared."""
    chosen = [one for one in asked if one.crowd in crowds and one.there == there and one.kind != "nonsense"]
    calls = [(one.at_once == "absent", one.verdict == "absent") for one in chosen]
    at_once, closer = np.mean(calls, axis=0)
    return float(at_once), float(closer)


def table(asked: Sequence[Asked]) -> str:
    """Give the counts as Markdown."""
    lines = ["| things in a scene | query names | in the video | strong | weak | absent |", "|---|---|---|---|---|---|"]
    for (crowd, kind, there), counts in rows(asked).items():
        total = sum(counts.values())
        shares = " | ".join(f"{100 * count / total:.1f} %" for count in counts.values())
        lines.append(f"| {crowd} | {kind} | {'yes' if there else 'no'} ({total}) | {shares} |")
    lines += ["", "| scenes of | called absent | of what is not there | of what is there |", "|---|---|---|---|"]
    for sort, crowds in {"one thing": (1,), "two things": (2,), "either": (1, 2)}.items():
        gone, missed = (share_absent(asked, crowds, there=there) for there in (False, True))
        for when, first, second in zip(("at once", "after crops are compared"), gone, missed, strict=True):
            lines.append(f"| {sort} | {when} | {first:.1%} | {second:.1%} |")
    looked = np.mean([one.closer is not None for one in asked if one.there])
    lines += [
        "",
        f"The upper table is after crops are compared, which {looked:.0%} of questions after what is there needed.",
    ]
    return "\n".join(lines)


def fitted(asked: Sequence[Asked]) -> Mapping[str, float]:
    """Give thresholds by what is not there alone: what is there depends on how much a model can see."""
    missing = [one for one in asked if not one.there and one.kind != "nonsense"]
    gone = [one.odds for one in missing]
    closer = [[_settled(one) for one in missing if one.crowd == crowd] for crowd in {one.crowd for one in missing}]
    looked = [one.closer for one in missing if one.closer is not None]
    return {
        "WEAK_FROM": round(float(np.quantile(gone, _GONE)), 2),
        "STRONG_FROM": round(float(np.quantile(gone, 1 - _CRIED)), 2),
        "CLOSER_WEAK_FROM": round(max(float(np.quantile(some, _GONE_CLOSER)) for some in closer), 2),
        "CLOSER_STRONG_FROM": round(float(np.quantile(looked, 1 - _CRIED)), 2),
    }


def _settled(one: Asked) -> float:
    """Return the odds that comparing crops gives; what needed none is as far off as can be."""
    if one.closer is not None:
        return one.closer
    return _FAR if one.at_once == "strong" else -_FAR


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--videos", type=int, default=10, help="of each kind")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", help="first seeds of the videos, others than usual")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", type=Path)
    wish = parser.parse_args()
    firsts = wish.seeds or [CALIBRATING if wish.fit else REPORTING]
    asked = [one for first in firsts for one in asyncio.run(answers(first, wish.videos, wish.cache))]
    print(fitted(asked) if wish.fit else table(asked))
    if wish.write:
        put("verdict", f"Measured on {wish.videos} videos of each kind.\n\n{table(asked)}")
    if wish.json:
        listed = [
            {"things": crowd, "kind": kind, "there": there, **counts}
            for (crowd, kind, there), counts in rows(asked).items()
        ]
        wish.json.write_text(json.dumps({"videos": wish.videos, "rows": listed}, indent=2))


if __name__ == "__main__":
    main()
