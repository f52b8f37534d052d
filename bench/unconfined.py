"""The decoding child without its sandbox, for `bench.sandbox` to compare with; nothing else may run it."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from core.engines.sandbox import forkserver
from core.engines.video import worker

if TYPE_CHECKING:
    from collections.abc import Mapping


def prepare() -> None:
    """Keep everything."""


def serve(request: Mapping[str, object], out: BinaryIO) -> None:
    """Serve as the confined child does."""
    worker.serve(request, out)


def shut_in(request: Mapping[str, object]) -> Mapping[str, object]:
    """Keep everything; return the request."""
    return request


if __name__ == "__main__":
    forkserver.run(serve, shut_in)
