"""What a question costs as things grow: the library, the video, those who ask at once, the videos looked at meanwhile.

python -m bench.growth [--full] [--only videos|library|people ...] [--model demo|base]

The library is made up (`bench.synthetic`); the askers ask the shipped product, with the demo video, each something new.
`base` is ViT-B-32 with random weights, which cost what trained ones do. Each size has a process of its own; memory is
that of the process and its children (PSS) at the end. The default takes two minutes on two cores; `--full` takes
half an hour and 15 GB of the temporary folder's disk, and writes its table into docs/growth.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench import growing
from bench.alone import as_shipped
from bench.table import Row, machine, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.growing import Cost

PAGE = Path(__file__).parent.parent / "docs" / "growth.md"
BUSY_ASKERS = 32
SHORT = {"videos": [1, 60], "library": [1000, 100_000], "askers": [1, 32], "busy": [2]}
FULL = {
    "videos": [1, 10, 60, 240],
    "library": [1000, 10_000, 100_000, 1_000_000, 10_000_000],
    "askers": [1, 2, 4, 8, 16, 32],
    "busy": [1, 2, 4, 8],
}
KINDS = ("people", "videos", "library")


def costs(kind: str, sizes: dict[str, list[int]], model: str) -> Iterator[tuple[str, int, Cost]]:
    """Measure one kind, size by size."""
    if kind == "people":
        yield from as_shipped(growing.people, model, sizes["askers"], sizes["busy"])
        return
    work: Callable[[int], list[tuple[str, int, Cost]]] = growing.video if kind == "videos" else growing.library
    for size in sizes[kind]:
        yield from as_shipped(work, size)


def rows(what: str, size: int, cost: Cost) -> list[Row]:
    """Return the rows of one size, with the bar where it has one."""
    bar, aim = (3000.0, 1500.0) if what == growing.BUSY and size == 2 else (None, None)
    name = f"{what}: {size}"
    note = f"{cost.memory_mb:.0f} MB in all" + (f"; {cost.note}" if cost.note else "")
    return [
        Row(f"{name}: median", cost.median_ms, "ms", note=note),
        Row(f"{name}: p95", cost.p95_ms, "ms", bar, aim),
    ]


def page(found: Sequence[tuple[str, int, Cost]], model: str) -> str:
    """Return the table as Markdown."""
    about = ", ".join(str(value) for value in machine().values())
    lines = [
        "# Cost against size",
        "",
        f"Written by `python -m bench.growth --full`. Machine: {about}; model of the askers: {model}.",
        "Memory is that of the program and its children, shared pages counted once.",
        "",
        "| what | size | median | p95 | memory | |",
        "|---|---:|---:|---:|---:|---|",
    ]
    lines += [f"| {what} | {size:,} | {_cells(cost)} |" for what, size, cost in found]
    return "\n".join(lines) + "\n"


def _cells(cost: Cost) -> str:
    return f"{cost.median_ms:,.1f} ms | {cost.p95_ms:,.1f} ms | {cost.memory_mb:,.0f} MB | {cost.note}"


def main() -> None:
    """Measure, print a table, and write JSON, and the page where all was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--only", choices=KINDS, nargs="+", default=KINDS)
    parser.add_argument("--model", choices=["demo", "base"], default="demo")
    wish = parser.parse_args()
    os.chdir(tempfile.gettempdir())  # no .env of whoever measures
    found = []
    for kind in wish.only:
        for what, size, cost in costs(kind, FULL if wish.full else SHORT, wish.model):
            print(f"{what}: {size}: {cost.median_ms:.1f} ms, {cost.memory_mb:.0f} MB {cost.note}", flush=True)
            found.append((what, size, cost))
    table = [row for one in found for row in rows(*one)]
    report("Growth", "growth", table)
    if wish.full and set(wish.only) == set(KINDS):
        PAGE.write_text(page(found, wish.model), encoding="utf-8")


if __name__ == "__main__":
    main()
