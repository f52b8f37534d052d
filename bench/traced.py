"""The shipped program with a profiler in it, which tells which of the product's modules have run: for `bench.journeys`.

Run as `python -m bench.traced` it is Keaton, on a leash like `bench.leash`: each line that it is sent is answered with
the modules that have run since the line before. A module counts when a function of it is entered or resumed, in any
thread, those that a dataclass is given among them; what merely runs while it is imported does not count. Child
processes have memory of their own, and so do not count either.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from asyncio.subprocess import PIPE, create_subprocess_exec
from typing import TYPE_CHECKING

from tests.support.discord.program import Program

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from types import CodeType, FrameType

PACKAGES = ("bot", "core", "storage")
_IMPORTING = "<frozen importlib._bootstrap>"
"""The file of the frames that stand below each module that is being imported."""


class Tracer:
    """Notes each function that is entered or resumed, in threads that start after it and in the one that starts it."""

    def __init__(self) -> None:
        self._ran: dict[int, tuple[CodeType, str]] = {}
        """Code and its module, by the identity of the code: two codes are compared by all that they hold, which would
        be done at each call."""

    def start(self) -> None:
        """Begin to note."""
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def stop(self) -> None:
        """Note nothing more in this thread, and in threads that start from now on."""
        sys.setprofile(None)
        threading.setprofile(None)

    def taken(self) -> list[str]:
        """Return the dotted names of the modules that have run since this was last called."""
        ran, self._ran = self._ran, {}
        return sorted({module for _, module in ran.values() if module.partition(".")[0] in PACKAGES})

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        code = frame.f_code
        if event == "call" and id(code) not in self._ran and not is_importing(frame):
            # What a dataclass is given has no file, but the globals of its module.
            self._ran[id(code)] = code, frame.f_globals.get("__name__", "")


def is_importing(frame: FrameType) -> bool:
    """Tell whether a frame runs because a module is imported: its top level, a class body, or what these call."""
    above: FrameType | None = frame
    while above is not None:
        if above.f_code.co_filename == _IMPORTING:
            return True
        above = above.f_back
    return False


class Traced(Program):
    """`python -m bot run`, which tells which modules have run. It dies with its master."""

    _asked: Process | None = None

    async def _spawn(self, environment: dict[str, str]) -> Process:
        with (self._folder / "log").open("ab") as log:
            self._asked = await create_subprocess_exec(
                sys.executable, "-m", "bench.traced", stdin=PIPE, stdout=PIPE, stderr=log, env=environment
            )
        return self._asked

    async def modules(self) -> list[str]:
        """Return the product's modules that have run since this was last asked, or since the start."""
        if self._asked is None or self._asked.stdin is None or self._asked.stdout is None:
            raise RuntimeError("the program does not run")
        self._asked.stdin.write(b"\n")
        while line := await self._asked.stdout.readline():
            if line.startswith(b"["):
                found: list[str] = json.loads(line)
                return found
        raise RuntimeError(f"the program has ended: {self.log[-600:]}")


def _answer(tracer: Tracer) -> None:
    """Answer each line; end as soon as nobody holds the other end of the leash."""
    for _ in sys.stdin:
        print(json.dumps(tracer.taken()), flush=True)
    os._exit(1)


def main() -> None:
    """Be Keaton, traced, on a leash."""
    tracer = Tracer()
    tracer.start()
    from bot.__main__ import main as keaton  # noqa: PLC0415 - the benchmark itself needs none of it

    threading.Thread(target=_answer, args=(tracer,), daemon=True).start()
    sys.argv = ["keaton", "run"]
    keaton()


if __name__ == "__main__":
    main()
