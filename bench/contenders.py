"""Other means to find the nearest frames: sqlite-vec, numpy, usearch, torch. Each gives the ten nearest of all frames.

Each is asked as its makers would have it; the vectors lie in a file of float16 rows (`bench.synthetic`).
"""

from __future__ import annotations

import gc
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw
import numpy as np
import sqlite_vec  # type: ignore[import-untyped]
import torch
from usearch.index import search

from bench import synthetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from core.model.video import Floats
    from core.ports.index import Halves

MOST = 10
WARM_UPS = 2
_AT_ONCE = 1 << 15


@dataclass(frozen=True)
class Found:
    """What one means took, and what it gave."""

    took_ms: list[float]
    answers: list[list[int]]
    bytes_a_frame: float
    """In memory, for the search alone."""
    made_s: float
    """Until it could be asked."""


def parts(path: Path) -> Iterator[tuple[int, Halves]]:
    """Return all rows, some at a time, each time with the number of the first."""
    rows: Halves = np.memmap(path, np.float16, "r").reshape(-1, synthetic.DIM)
    for start in range(0, len(rows), _AT_ONCE):
        yield start, np.array(rows[start : start + _AT_ONCE])


def timed(questions: Floats, ask: Callable[[Floats], list[int]], bytes_a_frame: float, began_s: float) -> Found:
    """Ask each question once, after some that do not count."""
    made_s = time.perf_counter() - began_s
    for question in questions[:WARM_UPS]:
        ask(question)
    gc.collect()
    took_ms, answers = [], []
    for question in questions:
        asked_s = time.perf_counter()
        answers.append(ask(question))
        took_ms.append((time.perf_counter() - asked_s) * 1000)
    return Found(took_ms, answers, bytes_a_frame, made_s)


def top(scores: np.ndarray[Any, Any]) -> list[int]:
    """Return the places of the highest."""
    return [int(place) for place in np.argpartition(-scores, MOST)[:MOST]]


def in_sqlite_vec(path: Path, questions: Floats) -> Found:
    """Measure sqlite-vec, through apsw, since most Pythons' own SQLite loads no extensions."""
    began_s = time.perf_counter()
    db = apsw.Connection(":memory:")
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.execute(f"CREATE VIRTUAL TABLE frames USING vec0(vector float[{synthetic.DIM}] distance_metric=cosine)")
    with db:
        for start, rows in parts(path):
            blobs = ((number, memoryview(row)) for number, row in enumerate(rows.astype(np.float32), start))
            db.executemany("INSERT INTO frames (rowid, vector) VALUES (?, ?)", blobs)
    sql = f"SELECT rowid FROM frames WHERE vector MATCH ? AND k = {MOST} ORDER BY distance"  # noqa: S608 - a number

    def ask(question: Floats) -> list[int]:
        return [int(found) for (found,) in db.execute(sql, (question.tobytes(),))]

    return timed(questions, ask, 4 * synthetic.DIM, began_s)


def in_numpy(path: Path, questions: Floats) -> Found:
    """Measure a float32 matrix in numpy."""
    began_s = time.perf_counter()
    wide = np.empty((path.stat().st_size // (2 * synthetic.DIM), synthetic.DIM), np.float32)
    for start, rows in parts(path):
        wide[start : start + len(rows)] = rows
    return timed(questions, lambda question: top(wide @ question), 4 * synthetic.DIM, began_s)


def in_usearch(path: Path, questions: Floats) -> Found:
    """Measure usearch's exact search."""
    began_s = time.perf_counter()
    rows = np.fromfile(path, np.float16).reshape(-1, synthetic.DIM)

    def ask(question: Floats) -> list[int]:
        return [int(key) for key in search(rows, question.astype(np.float16), MOST, "ip", exact=True, threads=2).keys]

    return timed(questions, ask, 2 * synthetic.DIM, began_s)


def in_torch(path: Path, questions: Floats) -> Found:
    """Measure torch's product of a float16 matrix with a vector."""
    began_s = time.perf_counter()
    frames = torch.from_numpy(np.fromfile(path, np.float16).reshape(-1, synthetic.DIM))

    def ask(question: Floats) -> list[int]:
        found = torch.topk(torch.mv(frames, torch.from_numpy(question).half()), MOST).indices.tolist()
        return list(map(int, found))

    return timed(questions, ask, 2 * synthetic.DIM, began_s)


def exact(path: Path, questions: Floats) -> tuple[list[set[int]], list[set[int]]]:
    """Return for each question the nearest frames, and the videos with the nearest frames, by float32."""
    scores = np.concatenate([questions @ rows.astype(np.float32).T for _, rows in parts(path)], axis=1)
    starts = np.arange(0, scores.shape[1], synthetic.FRAMES_A_VIDEO)
    return [set(top(one)) for one in scores], [_best_videos(np.maximum.reduceat(one, starts)) for one in scores]


def _best_videos(peaks: Sequence[float] | np.ndarray[Any, Any]) -> set[int]:
    return set(map(int, np.argsort(-np.asarray(peaks), kind="stable")[: synthetic.MOST_VIDEOS]))
