"""What every child process does first: keep its pipe for itself, and die with its parent.

Owns that; must not know what the child is for. Imports next to nothing.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO

from core.engines import wire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def run(
    serve: Callable[[Mapping[str, object], BinaryIO], None],
    shut_in: Callable[[Mapping[str, object]], Mapping[str, object]],
) -> None:
    """Read the one request, serve it on the pipe, and report a bug as a message instead of a traceback.

    Before anything else runs, `shut_in` gives up all that serving the request does not need. It returns the request as
    it is to be served.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out = _claim_stdout()
    line = sys.stdin.buffer.readline()
    if not line:
        return
    try:
        request = shut_in(json.loads(line))
        threading.Thread(target=_die_with_parent, daemon=True).start()
        serve(request, out)
    except BrokenPipeError:
        os._exit(1)
    except Exception as error:  # noqa: BLE001 - the parent hears of it
        wire.send(out, {"kind": "error", "code": "bug", "detail": f"{type(error).__name__}: {error}"[:500]})


def _claim_stdout() -> BinaryIO:
    """Give the pipe to the parent; whatever a library prints goes nowhere near it."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _die_with_parent() -> None:
    """Wait for the end of stdin, which comes when the parent ends or drops us."""
    while os.read(0, 4096):  # not through sys.stdin: a daemon thread in its lock would abort the exit
        pass
    with suppress(OSError):  # one that may start nothing may not kill either
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(1)
