"""Counters and timers, and the id that ties together all log lines of one turn."""

from __future__ import annotations

import secrets
from contextlib import nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

Stage: TypeAlias = Literal["fetch", "read", "encode", "words", "compute", "scan", "save", "search", "plot", "still"]
"""What takes time: "encode" is for frames, "words" for what people ask, "compute" for both without their waiting.

"scan" is the part of a search that goes through all vectors.
"""
TURN_ID: ContextVar[str] = ContextVar("turn_id", default="-")
"""Follows tasks and threads that are started for a turn, as contexts do."""


def begin_turn() -> str:
    """Return this context, and all that grows out of it from now on, a new id: eight hex digits."""
    turn_id = secrets.token_hex(4)
    TURN_ID.set(turn_id)
    return turn_id


class Watch(Protocol):
    """Counts and times. Its methods are quick, raise nothing, and may be called from any thread."""

    def turn(self, kind: str, platform: str) -> AbstractContextManager[None]:
        """Follow one turn under an id of its own: how long it takes, and how it ends."""
        ...

    def problem(self, kind: str) -> None:
        """Count an expected error, by its class."""
        ...

    def stage(self, stage: Stage) -> AbstractContextManager[None]:
        """Time a piece of work."""
        ...

    def took(self, stage: Stage, seconds: float) -> None:
        """Note how long a piece of work took."""
        ...

    def encoded(self, frames: int, seconds: float) -> None:
        """Note how many frames were encoded in one go, and how long that took."""
        ...

    def cache(self, name: str, *, hit: bool) -> None:
        """Note whether something was found where it is kept at hand."""
        ...


class Unwatched:
    """Counts nothing. Implements Watch where nobody reads figures: `keaton doctor`, tests, measurements."""

    def turn(self, kind: str, platform: str) -> AbstractContextManager[None]:
        """Count nothing."""
        del kind, platform
        return nullcontext()

    def problem(self, kind: str) -> None:
        """Count nothing."""

    def stage(self, stage: Stage) -> AbstractContextManager[None]:
        """Count nothing."""
        del stage
        return nullcontext()

    def took(self, stage: Stage, seconds: float) -> None:
        """Count nothing."""

    def encoded(self, frames: int, seconds: float) -> None:
        """Count nothing."""

    def cache(self, name: str, *, hit: bool) -> None:
        """Count nothing."""
