"""Uses the command line within the process of the tests."""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bot.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Done:
    """How a run ended."""

    returncode: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Keaton:
    """Runs the program's own `main` in a place of its own; a new process each time would only load torch anew."""

    home: Path
    model: str

    def environment(self, settings: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "KEATON_DATA_DIR": str(self.home / "data"),
            "KEATON_MODEL": self.model,
        }
        return {**own, **(settings or {})}

    def __call__(self, *words: str, settings: Mapping[str, str] | None = None) -> Done:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.home)
            patch.setattr(os, "environ", self.environment(settings))
            patch.setattr(sys, "argv", ["keaton", *words])
            code = _exit_code()
        return Done(code, out.getvalue(), err.getvalue())

    def json(self, *words: str) -> dict[str, Any]:
        done = self(*words)
        assert done.returncode == 0, done.stderr
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def _exit_code() -> int:
    try:
        main()
    except SystemExit as end:
        return int(end.code or 0)
    return 0
