"""What `keaton doctor` says of the decoder's sandbox."""

from __future__ import annotations

from typing import get_args

from bot.cli.doctor import told_of
from bot.wiring.diagnostics import Bar, SandboxReport


def test_each_missing_bar_is_named_and_means_something_of_its_own() -> None:
    told = [told_of(SandboxReport((bar,), 1)) for bar in get_args(Bar)]
    assert {finding.health for finding in told} == {"note"}
    assert len({finding.text for finding in told}) == len(told)
    both = told_of(SandboxReport(("network", "files"), 1)).text
    assert "has the machine's network" in both
    assert "may read and write Keaton's files" in both


def test_a_whole_sandbox_is_said_to_be_one() -> None:
    assert told_of(SandboxReport((), 1)).health == "ok"
