"""What `keaton doctor` says of the decoder's sandbox."""

from __future__ import annotations

from typing import get_args

from bot.cli.doctor import told_of
from bot.wiring.diagnostics import Bar, SandboxReport


def test_given_a_missing_sandbox_part_then_it_is_named_with_its_meaning() -> None:
    told = [told_of(SandboxReport((bar,), 1)) for bar in get_args(Bar)]
    assert {finding.health for finding in told} == {"note"}
    assert len({finding.text for finding in told}) == len(told)
    both = told_of(SandboxReport(("network", "files"), 1)).text
    assert "has the machine's network" in both
    assert "may read and write Keaton's files" in both


def test_given_a_whole_sandbox_then_doctor_says_so() -> None:
    assert told_of(SandboxReport((), 1)).health == "ok"
