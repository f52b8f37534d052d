"""`python -m tests.walls.long --steps 10000`: the walls for as long as one likes, and figures."""

from __future__ import annotations

import argparse
import logging
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.walls.machine import Walls

_STEPS_A_TOWN = 100


def main() -> None:
    """Run until there were that many steps; a leak ends it with an error and the steps that lead there."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--steps", type=int, default=10_000)
    steps: int = wanted.parse_args().steps
    logging.disable(logging.CRITICAL)
    at_random = settings(
        max_examples=10,
        stateful_step_count=_STEPS_A_TOWN,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    began_s = time.monotonic()
    towns, tally = 0, Walls.tally
    while tally.steps < steps:
        run_state_machine_as_test(Walls, settings=at_random)
        towns += 10
        print(f"{tally.steps} steps, {tally.checks} answers held against the model, 0 leaked", flush=True)  # noqa: T201
    rate = tally.steps / (time.monotonic() - began_s)
    print(  # noqa: T201
        f"{tally.steps} steps in {towns} towns, {rate:.0f} a second: {tally.checks} answers held against the model, "
        f"{tally.answers} of them showed a video, {tally.attacks} attacks by link, id or redirect; "
        "0 leaked, nothing lived on"
    )


if __name__ == "__main__":
    main()
