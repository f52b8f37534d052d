"""How well moments are found in annotated videos, for each model: through the whole product.

python -m bench.retrieval ANNOTATIONS --videos FOLDER [--models base,accurate] [--work FOLDER] [--most N] [--refine]

ANNOTATIONS are QVHighlights' lines, DiDeMo's JSON or CSV (`bench/annotations.py`). Each video is indexed as a posted
one is, each text asked in its own video, and once more in another one, which most likely does not show it. R@1 is the
share of texts whose first moment overlaps a true one by that much (intersection over union); mAP is the mean over texts
of the average precision of all their moments, at that overlap, or the mean over overlaps from 0.5 to 0.95. What was
done lies in the work folder: broken off, the same command goes on there. Prints a table to paste, and writes JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from bench.annotations import files_of, overlap, read
from bench.table import RESULTS, machine
from bot.cli.find import refined
from bot.settings import Settings
from bot.wiring.app import open_core
from core.errors import AppError
from core.model.query import Query
from core.model.requests import Poster
from core.model.video import Scope, View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.annotations import Annotation, Window
    from bot.wiring.app import Product

SCOPE = Scope("local", "retrieval", "main")
MOMENTS = 10
OVERLAPS = tuple(0.5 + 0.05 * step for step in range(10))
SEED = 7


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered to one text in one video."""

    id: str
    shuffled: bool
    """Asked in a video that it was not written for."""
    windows: tuple[Window, ...]
    """The moments, best first."""
    verdict: str


@dataclass(frozen=True, slots=True)
class Indexing:
    """What indexing one video took."""

    video: str
    id: str
    length_s: float
    taken_s: float


@dataclass(frozen=True, slots=True)
class Score:
    """The figures of one model, shares from 0 to 1."""

    model: str
    videos: int
    texts: int
    recall_50: float
    recall_70: float
    map_50: float
    map_75: float
    map_mean: float
    strong: float
    """Of texts in their own videos."""
    missed: float
    """Likewise: called absent."""
    refused: float
    """Of texts in other videos: called absent."""
    real_time: float
    """How many times as fast as it plays a video is indexed."""


def average_precision(found: Sequence[Window], true: Sequence[Window], least: float) -> float:
    """Return the area under the interpolated precision-recall curve; each true window may be found once."""
    left, hits, precisions = list(true), 0, []
    for place, window in enumerate(found, 1):
        best = max(left, key=lambda one: overlap(one, window), default=None)
        if best is not None and overlap(best, window) >= least:
            left.remove(best)
            hits += 1
            precisions.append(hits / place)
    return sum(max(precisions[place:]) for place in range(len(precisions))) / len(true)


def score(
    model: str, annotations: Sequence[Annotation], answers: Sequence[Answered], indexed: Sequence[Indexing]
) -> Score:
    """Return the figures of one model."""
    known = {one.id: one for one in annotations}
    own = [one for one in answers if not one.shuffled]
    pairs = [(one.windows, known[one.id].windows) for one in own]
    best = [max((overlap(found[0], window) for window in true), default=0.0) if found else 0.0 for found, true in pairs]
    precise = {least: fmean(average_precision(*pair, least) for pair in pairs) for least in OVERLAPS}
    said = Counter(one.verdict for one in own)
    refused = [one.verdict == "absent" for one in answers if one.shuffled]
    return Score(
        model,
        len(indexed),
        len(own),
        fmean(one >= 0.5 for one in best),
        fmean(one >= 0.7 for one in best),
        precise[OVERLAPS[0]],
        precise[OVERLAPS[5]],
        fmean(precise.values()),
        said["strong"] / len(own),
        said["absent"] / len(own),
        fmean(refused) if refused else float("nan"),
        sum(one.length_s for one in indexed) / max(1e-9, sum(one.taken_s for one in indexed)),
    )


def table(name: str, scores: Sequence[Score]) -> str:
    """Return the figures as a table in Markdown."""
    head = (
        "model", "videos", "texts", "R@1 0.5", "R@1 0.7", "mAP 0.5", "mAP 0.75", "mAP",
        "strong", "called absent, there", "called absent, elsewhere", "real time",
    )  # fmt: skip
    lines = [f"{name}, on {machine()['processor']}", "", _row(head), _row(["---"] * len(head))]
    for one in scores:
        shares = (
            one.recall_50, one.recall_70, one.map_50, one.map_75, one.map_mean, one.strong, one.missed, one.refused,
        )  # fmt: skip
        figures = [one.model, str(one.videos), str(one.texts), *(f"{100 * share:.1f}" for share in shares)]
        lines.append(_row([*figures, f"{one.real_time:.1f}x"]))
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


class Notes:
    """What was done for one model: a JSON object a line, so that a run that was broken off goes on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._answers, self._videos = folder / "answers.jsonl", folder / "videos.jsonl"
        for path in (self._answers, self._videos):
            _drop_half_a_line(path)

    def answers(self) -> list[Answered]:
        """Return the answers so far."""
        rows = [Answered(**row) for row in _rows(self._answers)]
        return [Answered(one.id, one.shuffled, tuple((a, b) for a, b in one.windows), one.verdict) for one in rows]

    def videos(self) -> list[Indexing]:
        """Return the videos so far."""
        return [Indexing(**row) for row in _rows(self._videos)]

    def add(self, one: Answered | Indexing) -> None:
        """Write one down."""
        with (self._answers if isinstance(one, Answered) else self._videos).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(one)) + "\n")


def _rows(path: Path) -> list[Any]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]


def _drop_half_a_line(path: Path) -> None:
    """Cut off what a run that was killed had begun to write."""
    written = path.read_bytes() if path.exists() else b""
    if written and not written.endswith(b"\n"):
        path.write_bytes(written[: written.rfind(b"\n") + 1])


async def run(
    model: str, annotations: Sequence[Annotation], files: dict[str, Path], work: Path, *, refine: bool
) -> Score:
    """Index and ask what was not yet; return the figures of all."""
    folder = work / re.sub(r"[^\w.-]+", "_", model)
    notes = Notes(folder)
    done = {one.video: one.id for one in notes.videos()}
    async with open_core(Settings(model_name=model, data_dir=folder / "data")) as core:
        await core.warm()
        for number, (name, path) in enumerate(files.items(), 1):
            if name not in done and (indexing := await _index(core, name, path)):
                notes.add(indexing)
                done[name] = indexing.id
                print(f"{model}: {number} of {len(files)} videos, {name} in {indexing.taken_s:.1f} s", flush=True)
        asked = {(one.id, one.shuffled) for one in notes.answers()}
        there = [one for one in annotations if one.video in done]
        for number, (one, video, shuffled) in enumerate(_questions(there), 1):
            if (one.id, shuffled) not in asked:
                notes.add(await _ask(core, one, done[video], shuffled=shuffled, refine=refine))
                if number % 100 == 0:
                    print(f"{model}: {number} of {2 * len(there)} questions", flush=True)
    return score(model, there, notes.answers(), notes.videos())


def _questions(annotations: Sequence[Annotation]) -> list[tuple[Annotation, str, bool]]:
    """Return each text with its own video, and with another one, the same one in each run."""
    videos = sorted({one.video for one in annotations})
    asked: list[tuple[Annotation, str, bool]] = []
    for one in annotations:
        asked.append((one, one.video, False))
        others = [video for video in videos if video != one.video]
        if others:
            asked.append((one, random.Random(f"{SEED} {one.id}").choice(others), True))
    return asked


async def _index(core: Product, name: str, path: Path) -> Indexing | None:
    began_s = time.perf_counter()
    try:
        done = await core.parts.indexer.file(path, path.name, "", Poster(SCOPE, "u", "you", ""), lambda _progress: None)
    except AppError as error:
        print(f"{name} is left out: {error!r}")
        return None
    return Indexing(name, done.video.id, done.video.duration_s, time.perf_counter() - began_s)


async def _ask(core: Product, one: Annotation, video_id: str, *, shuffled: bool, refine: bool) -> Answered:
    query = Query(_plain(one.text), View.of(SCOPE), video_id)
    try:
        result = await core.parts.searcher.search(query, MOMENTS)
        result = await refined(core, result) if refine else result
    except AppError as error:
        print(f"{one.text!r} has no answer: {error!r}")
        return Answered(one.id, shuffled, (), "")
    windows = tuple((moment.start_s, moment.end_s) for moment in result.moments)
    return Answered(one.id, shuffled, windows, result.verdict or "")


def _plain(text: str) -> str:
    """Return a sentence without what would be a mark in a question."""
    return re.sub(r"(?<!\S)-+|[>|+\"“”„«»]", " ", text).strip() or "nothing"


def main() -> None:
    """Measure each model, print the table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("annotations", type=Path)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--models", default="base", help="names as of KEATON_MODEL, with commas between")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--most", type=int, help="only the first so many texts")
    parser.add_argument("--refine", action="store_true", help="as an answer is some seconds after it was shown")
    wish = parser.parse_args()
    annotations = read(wish.annotations)[: wish.most]
    files = files_of(annotations, wish.videos)
    lacking = {one.video for one in annotations} - files.keys()
    if lacking:
        print(f"{len(lacking)} videos are not in {wish.videos}, such as {min(lacking)}; their texts are left out.")
    if not files:
        raise SystemExit(1)
    work = wish.work or RESULTS / "retrieval" / f"{wish.annotations.stem}{'-refined' * wish.refine}"
    scores = []
    for model in wish.models.split(","):
        scores.append(asyncio.run(run(model.strip(), annotations, files, work, refine=wish.refine)))
        print(f"\n{table(wish.annotations.stem, scores)}\n", flush=True)
    (work / "scores.json").write_text(
        json.dumps({"machine": machine(), "scores": [asdict(one) for one in scores]}, indent=2) + "\n", encoding="utf-8"
    )
    print(f"JSON: {work / 'scores.json'}")


if __name__ == "__main__":
    main()
