"""What all benchmarks share: a table with bars, the machine's name, a JSON file. Measures nothing itself."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines.diagnostics import processor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Row:
    """One figure, and what it must and should be."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    aim: float | None = None
    more_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """Tell what is reached: "aim", "bar" or "below"; "" where nothing is asked."""
        sign = 1 if self.more_is_better else -1
        if self.aim is not None and sign * self.value >= sign * self.aim:
            return "aim"
        if self.bar is None:
            return ""
        return "bar" if sign * self.value >= sign * self.bar else "below"


def machine() -> Mapping[str, str | int]:
    """Name the machine."""
    return {
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def median_s(work: Callable[[], object], repeats: int, warm_ups: int = 1) -> float:
    """Give the median of some runs, in seconds, after others that do not count."""
    taken = []
    for turn in range(warm_ups + repeats):
        started_s = time.perf_counter()
        work()
        if turn >= warm_ups:
            taken.append(time.perf_counter() - started_s)
    return statistics.median(taken)


def paired_ratio(some: Sequence[float], others: Sequence[float]) -> float:
    """Return the median of the ratios of what was measured in the same turn, which a busy machine slows alike."""
    return statistics.median(one / other for one, other in zip(some, others, strict=True))


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table."""
    print(f"\n{title}  ({', '.join(str(value) for value in machine().values())})")
    for row in rows:
        asked = " ".join(
            f"{name} {value:g}" for name, value in (("bar", row.bar), ("aim", row.aim)) if value is not None
        )
        print(f"  {row.name:<52} {row.value:10.2f} {row.unit:<8} {row.verdict:<6} {asked:<18} {row.note}".rstrip())


def write(name: str, rows: Sequence[Row], folder: Path = RESULTS) -> Path:
    """Write the same as JSON; give the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    kept = [{**asdict(row), "verdict": row.verdict} for row in rows]
    path.write_text(json.dumps({"machine": machine(), "rows": kept}, indent=2) + "\n", encoding="utf-8")
    return path


def report(title: str, name: str, rows: Sequence[Row]) -> None:
    """Print a table, and write the same as JSON."""
    show(title, rows)
    print(f"JSON: {write(name, rows)}")
