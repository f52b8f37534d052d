"""The walls hold, whatever people do: 500 random steps here, and 10,000 or more by `make walls`."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.walls.machine import Walls


@pytest.mark.slow
def test_given_any_steps_when_shown_then_only_to_those_who_could_read_it() -> None:
    quick = settings(
        max_examples=12,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=True,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    before = Walls.tally.steps
    run_state_machine_as_test(Walls, settings=quick)
    assert Walls.tally.steps - before >= 500
    assert Walls.tally.answers > 50
    assert Walls.tally.attacks > 50
