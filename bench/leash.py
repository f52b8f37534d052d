"""The shipped program on a leash: it ends with the benchmark that started it, also where that is killed."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from asyncio.subprocess import PIPE
from typing import TYPE_CHECKING

from tests.support.discord.program import Program

if TYPE_CHECKING:
    from asyncio.subprocess import Process


class Leashed(Program):
    """`python -m bot run`, which holds one end of a pipe whose other end dies with its master."""

    async def _spawn(self, environment: dict[str, str]) -> Process:
        with (self._folder / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.leash", stdin=PIPE, stdout=log, stderr=log, env=environment
            )


def _follow() -> None:
    """End as soon as the other end of the leash is let go of."""
    os.read(0, 1)
    os._exit(1)


def main() -> None:
    """Be Keaton, on a leash."""
    from bot.__main__ import main as keaton  # noqa: PLC0415 - the benchmark itself needs none of it

    threading.Thread(target=_follow, daemon=True).start()
    sys.argv = ["keaton", "run"]
    keaton()


if __name__ == "__main__":
    main()
