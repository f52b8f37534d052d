"""How often "probably not in this footage" is right: on films of known content that thresholds were not made from.

python -m bench.verdict CACHE [--films N] [--json FILE]     report on the films for reporting
python -m bench.verdict CACHE --write                       the same, into demo/README.md
python -m bench.verdict CACHE --fit                         work the thresholds out, on the films for calibrating
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
from bench.known import CALIBRATING, REPORTING, films
from core.verdict import WEAK_FROM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bench.known import Kind, Known, Question
    from bot.wiring import Core
    from core.verdict import Verdict

_GONE, _CRIED = 0.93, 0.01
"""What the thresholds aim at: absent things called absent, and absent things called a strong hit."""


@dataclass(frozen=True)
class Asked:
    """One answer."""

    crowd: int
    kind: Kind
    there: bool
    verdict: Verdict
    odds: float
    """Of the query at the best look against the background, as a natural logarithm."""


async def answers(first: int, count: int, cache: Path) -> list[Asked]:
    """Ask everything of every film."""
    with tempfile.TemporaryDirectory(prefix="keaton-bench-") as home:
        async with films(Path(home), cache, first, count) as (core, known):
            return [await ask(core, film, question) for film in known for question in film.questions]


async def ask(core: Core, film: Known, question: Question) -> Asked:
    """Ask one thing, as `/find` does."""
    curve = (await core.searcher.search(film.query(question), 1)).curve
    if curve.baseline is None or curve.verdict is None:
        raise RuntimeError("a film without a baseline")
    scale = (await core.encoder.ready()).logit_scale
    odds = WEAK_FROM + scale * (float(curve.scores.max()) - curve.baseline.weak_from)
    return Asked(film.crowd, question.kind, question.scene is not None, curve.verdict, odds)


def rows(asked: Sequence[Asked]) -> dict[tuple[int, Kind, bool], dict[Verdict, int]]:
    """Count verdicts by things in a scene, kind of query, and whether it is there."""
    found: dict[tuple[int, Kind, bool], dict[Verdict, int]] = defaultdict(lambda: {"strong": 0, "weak": 0, "absent": 0})
    for one in asked:
        found[one.crowd, one.kind, one.there][one.verdict] += 1
    return dict(sorted(found.items()))


def share_absent(asked: Sequence[Asked], crowd: int, *, there: bool) -> float:
    """Give the share that was called absent, of what is there or is not."""
    chosen = [one for one in asked if one.crowd == crowd and one.there == there and one.kind != "nonsense"]
    return sum(one.verdict == "absent" for one in chosen) / len(chosen)


def table(asked: Sequence[Asked]) -> str:
    """Give the counts as Markdown."""
    lines = ["| things in a scene | query names | in the film | strong | weak | absent |", "|---|---|---|---|---|---|"]
    for (crowd, kind, there), counts in rows(asked).items():
        total = sum(counts.values())
        shares = " | ".join(f"{100 * count / total:.1f} %" for count in counts.values())
        lines.append(f"| {crowd} | {kind} | {'yes' if there else 'no'} ({total}) | {shares} |")
    for crowd in (1, 2):
        gone, missed = share_absent(asked, crowd, there=False), share_absent(asked, crowd, there=True)
        sort = "one thing" if crowd == 1 else "two things"
        lines += [
            "",
            f"Scenes of {sort}: of what is not there {gone:.1%} is called absent, of what is there {missed:.1%}.",
        ]
    return "\n".join(lines)


def fitted(asked: Sequence[Asked]) -> Mapping[str, float]:
    """Give thresholds by what is not there alone: what is there depends on how much a model can see."""
    gone = [one.odds for one in asked if not one.there and one.kind != "nonsense"]
    return {
        "WEAK_FROM": round(float(np.quantile(gone, _GONE)), 2),
        "STRONG_FROM": round(float(np.quantile(gone, 1 - _CRIED)), 2),
    }


def main() -> None:
    """Measure, print, and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--films", type=int, default=10, help="of each kind")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", type=Path)
    wish = parser.parse_args()
    asked = asyncio.run(answers(CALIBRATING if wish.fit else REPORTING, wish.films, wish.cache))
    print(fitted(asked) if wish.fit else table(asked))
    if wish.write:
        put("verdict", f"Measured on {wish.films} films of each kind.\n\n{table(asked)}")
    if wish.json:
        listed = [
            {"things": crowd, "kind": kind, "there": there, **counts}
            for (crowd, kind, there), counts in rows(asked).items()
        ]
        wish.json.write_text(json.dumps({"films": wish.films, "rows": listed}, indent=2))


if __name__ == "__main__":
    main()
