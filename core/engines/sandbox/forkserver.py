"""The fork server's program: imports a module once, confines itself, and forks a child for each job. Linux only.

A fork takes milliseconds, a new interpreter a third of a second. The fork server itself never reads untrusted bytes.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from core.engines.sandbox import protocol
from core.engines.sandbox.namespaces import Numbering

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import ModuleType


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
        protocol.send(out, {"kind": "error", "code": "bug", "detail": f"{type(error).__name__}: {error}"[:500]})


def _claim_stdout() -> BinaryIO:
    """Return the pipe to the parent, which standard output is no more: libraries may print."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return out


def _die_with_parent() -> None:
    """Wait for the end of stdin, which comes when the parent ends or closes it."""
    while os.read(0, 4096):  # not through sys.stdin: a daemon thread in its lock would abort the exit
        pass
    with suppress(OSError):  # one that may start nothing may not kill either
        os.killpg(os.getpgid(0), signal.SIGKILL)
    os._exit(1)


NEWS = struct.Struct(">cii")
"""FORKED, pid, 0; or ENDED, pid, exit code (negative: the signal), whose pid stays taken until it is reaped."""


ORDER = struct.Struct(">ci")
"""FORK, 0, together with a socket that the child is to speak on; or REAP, pid."""


FORKED, ENDED, FORK, REAP = b"F", b"X", b"F", b"B"


@dataclass(slots=True, eq=False)
class ForkServer:
    """One process with a module in it, and its children."""

    program: ModuleType
    """With `prepare()`, called once before all, and in each child `shut_in(request)` and `serve(request, out)`."""
    orders: socket.socket
    """Of the kind SOCK_SEQPACKET: each message arrives as a whole."""
    deaths: int
    """Readable when a child may have ended."""
    bell: int
    """Where signals write to, so that the above is so."""
    living: set[int] = field(default_factory=set)
    numbering: Numbering | None = None
    """The children's own, from the first of them on."""

    def run(self) -> None:
        """Serve orders until the other side hangs up."""
        signal.set_wakeup_fd(self.bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        going, orders, waiting = True, self.orders.fileno(), select.poll()  # select takes no number beyond 1,023
        for descriptor in (orders, self.deaths):
            waiting.register(descriptor, select.POLLIN)
        while going:
            ready = [descriptor for descriptor, _ in waiting.poll()]
            if self.deaths in ready:
                os.read(self.deaths, 4096)
                self._tell_ended()
            if orders in ready:
                going = self._obey()
        for pid in self.living:  # stopped ones do not notice the end of their input
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        if self.numbering is not None:
            self.numbering.end()

    def _obey(self) -> bool:
        """Carry one order out; return whether there was one."""
        data, descriptors, _, _ = socket.recv_fds(self.orders, ORDER.size, 1)
        if len(data) < ORDER.size:
            return False
        kind, pid = ORDER.unpack(data)
        if kind == REAP:
            os.waitpid(pid, 0)
        else:
            self._fork(descriptors[0])
        return True

    def _fork(self, speech: int) -> None:
        if self.numbering is None:
            self.numbering = Numbering.begin(self.orders.fileno(), self.deaths, self.bell, speech)
        pid = os.fork()
        if pid == 0:
            self._be_child(speech)
        os.close(speech)
        os.setpgid(pid, pid)  # the child does so too: whichever comes first
        self.living.add(pid)
        self.orders.sendall(NEWS.pack(FORKED, pid, 0))

    def _be_child(self, speech: int) -> NoReturn:
        """Do the one job of a child."""
        code = 1
        try:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for own in (self.orders.detach(), self.deaths, self.bell):
                os.close(own)
            if self.numbering is not None:
                self.numbering.forget()
            for standard in (0, 1):
                os.dup2(speech, standard)
            os.close(speech)
            run(self.program.serve, self.program.shut_in)
            code = 0
        finally:
            os._exit(code)

    def _tell_ended(self) -> None:
        for pid in tuple(self.living):
            ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                self.living.discard(pid)
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                self.orders.sendall(NEWS.pack(ENDED, pid, code))


def main(module: str, orders: int) -> None:
    """Run the fork server of a module, which takes orders on that descriptor."""
    program = importlib.import_module(module)
    program.prepare()
    deaths, bell = os.pipe()
    os.set_blocking(bell, False)
    ForkServer(program, socket.socket(fileno=orders), deaths, bell).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
