"""A ledger of jobs as each new process has it, and a request to write down in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from core.model.requests import MessageKey, Request
from core.model.video import Scope, View
from core.ports.jobs import Work
from storage.jobs import SqliteJobs
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from core.model.requests import Job
    from storage.library import SqliteLibrary

SCOPE = Scope("discord", "1", "2")
VIEW = View.of(SCOPE)
REQUEST = Request(MessageKey(SCOPE, "77", "a link"), "link", "https://a.example/film", "", "u1", "Ada", message="77")
WORK = Work("sha256:x", "https://a.example/film", "https://a.example/film", "A video", "Buster", several=False)


@dataclass
class Clock:
    now_s: float = 1e9

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def born(library: SqliteLibrary, clock: Clock, *, is_bot: bool = True) -> SqliteJobs:
    """Give the jobs as a new process has them."""
    return SqliteJobs(library.connections, SqliteLedger(library.connections).run, clock, is_bot=is_bot)


async def taken(jobs: SqliteJobs, request: Request = REQUEST) -> Job:
    job = await jobs.accept(request)
    assert job is not None
    return job
