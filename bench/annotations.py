"""Annotated videos as their authors publish them: QVHighlights' lines, DiDeMo's JSON, and CSV. Pure but for reading.

QVHighlights (arXiv:2107.09609): a JSON object a line, `vid`, `query` and `relevant_windows` in seconds.
DiDeMo (arXiv:1708.01641): a JSON list, `video`, `description` and `times`: what four people or so chose, each as first
and last piece of five seconds. What most of them chose counts; of equals, what overlaps the others' most.
CSV: a header, then video, start, end, text; times as 75, 1:15.5 or 1:02:03. Rows of one video and text belong together.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from core.formatting import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Window: TypeAlias = tuple[float, float]
"""Start and end in seconds."""
PIECE_S = 5.0


@dataclass(frozen=True, slots=True)
class Annotation:
    """A text, and when a video shows what it says."""

    id: str
    video: str
    """The name of its file, with or without its ending."""
    text: str
    windows: tuple[Window, ...]


def read(path: Path) -> tuple[Annotation, ...]:
    """Read a file in the format that it is in; raises ValueError for any other."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() == ".csv":
        return _of_csv(text)
    if text.lstrip().startswith("["):
        return tuple(_of_didemo(row) for row in json.loads(text))
    if text.lstrip().startswith("{"):
        return tuple(_of_qvhighlights(json.loads(line)) for line in text.splitlines() if line.strip())
    raise ValueError(f"{path} is neither a list of DiDeMo's, nor lines of QVHighlights', nor CSV")


def files_of(annotations: Iterable[Annotation], folder: Path) -> dict[str, Path]:
    """Return the file of each video that is in a folder or below it, by its name with or without its ending."""
    there: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            there.setdefault(path.stem, path)
            there[path.name] = path
    found = {one.video: there.get(one.video) or there.get(Path(one.video).stem) for one in annotations}
    return {name: path for name, path in found.items() if path}


def overlap(one: Window, other: Window) -> float:
    """Return the intersection of two windows over their union."""
    both = min(one[1], other[1]) - max(one[0], other[0])
    either = max(one[1], other[1]) - min(one[0], other[0])
    return max(0.0, both) / either if either > 0 else 0.0


def _of_qvhighlights(row: dict[str, Any]) -> Annotation:
    windows = tuple((float(start), float(end)) for start, end in row["relevant_windows"])
    return Annotation(str(row["qid"]), row["vid"], row["query"], windows)


def _of_didemo(row: dict[str, Any]) -> Annotation:
    chosen = [(PIECE_S * first, PIECE_S * (last + 1)) for first, last in row["times"]]
    return Annotation(str(row["annotation_id"]), row["video"], row["description"], (_agreed(chosen),))


def _agreed(chosen: Sequence[Window]) -> Window:
    counted = Counter(chosen)
    return max(chosen, key=lambda one: (counted[one], sum(overlap(one, other) for other in chosen)))


def _of_csv(text: str) -> tuple[Annotation, ...]:
    windows: dict[tuple[str, str], list[Window]] = {}
    for row in csv.DictReader(text.splitlines()):
        window = seconds(row["start"]), seconds(row["end"])
        windows.setdefault((row["video"].strip(), row["text"].strip()), []).append(window)
    return tuple(
        Annotation(str(number), video, said, tuple(found))
        for number, ((video, said), found) in enumerate(windows.items(), 1)
    )
