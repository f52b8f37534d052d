"""What the benchmarks compute with, and that `make bench` names those that there are."""

from __future__ import annotations

import threading
from functools import partial
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.every import COMMANDS
from bench.table import paired_ratio
from bench.traced import Tracer
from core import formatting
from core.model.video import Scope

if TYPE_CHECKING:
    from collections.abc import Callable

BENCHMARKS = Path(__file__).parent.parent / "bench"


def traced(work: Callable[[], object]) -> list[str]:
    """Return the modules of the product that run while a thread of its own works, or while this one does."""
    tracer = Tracer()
    tracer.start()
    try:
        work()
    finally:
        tracer.stop()
    return tracer.taken()


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


@pytest.mark.parametrize("name", [name for name, *_ in COMMANDS])
def test_given_make_bench_when_it_names_a_command_then_there_is_one(name: str) -> None:
    assert '__name__ == "__main__"' in (BENCHMARKS / f"{name}.py").read_text(encoding="utf-8")


def test_given_a_busy_machine_when_turns_are_compared_then_by_their_ratios() -> None:
    assert paired_ratio([10.0, 60.0, 20.0], [1.0, 1.0, 2.0]) == 10.0


def test_given_a_function_when_run_in_any_thread_then_its_module_counts() -> None:
    assert traced(lambda: formatting.clock(75.0)) == ["core.formatting"]
    assert traced(lambda: in_a_thread(lambda: formatting.clock(75.0))) == ["core.formatting"]


def test_given_a_dataclass_when_one_is_made_then_its_module_counts() -> None:
    assert traced(lambda: Scope("local", "home", "main")) == ["core.model.video"]


def test_given_a_module_when_it_is_merely_imported_then_it_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("class Made:\n    made = (lambda: 1)()\n\ndef work():\n    return Made\n")
    spec = spec_from_file_location("core.made", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    assert traced(partial(spec.loader.exec_module, module)) == []
    assert traced(module.work) == ["core.made"]
