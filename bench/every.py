"""All benchmarks that need nothing but this machine, one after the other: `python -m bench.every`, or `make bench`.

Each is a command of its own; this runs them, says how long each took, and whether all stayed within the bar.
"""

from __future__ import annotations

import subprocess
import sys
import time

from bench.table import Row, report

BAR_S = 15 * 60.0
COMMANDS = (
    ("indexing", "--repeats", "2"),
    ("backends",),
    ("searching",),
    ("finding",),
    ("growth",),
    ("answering",),
    ("restart",),
    ("memory",),
    ("discord_ack", "--acks", "60"),
    ("slack_ack", "--acks", "60"),
    ("sandbox", "--rounds", "5"),
    ("refining",),
    ("journeys",),
)


def main() -> None:
    """Run all; end with an error where one of them did."""
    rows, failed = [], []
    for name, *options in COMMANDS:
        began_s = time.perf_counter()
        print(f"\n== {name}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"bench.{name}", *options], check=False)  # noqa: S603 - our own
        took_s = time.perf_counter() - began_s
        rows.append(Row(name, took_s, "s", note="" if done.returncode == 0 else f"failed with {done.returncode}"))
        failed += [name] * (done.returncode != 0)
    total_s = sum(row.value for row in rows)
    shares = [Row(f"share of {row.name}", 100 * row.value / total_s, "%") for row in rows]
    report("All benchmarks", "every", [*rows, Row("in all", total_s, "s", BAR_S), *shares])
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
