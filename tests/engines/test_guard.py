"""The guard of a fetching child: where it may connect, what it may start."""

from __future__ import annotations

import ipaddress
import subprocess
import sys

import pytest

from core.engines.guard import Guard

PROGRAM = """
import socket, subprocess, os, sys
from core.engines.guard import Guard
guard = Guard(frozenset(), sys.executable)
guard.install()
def attempt(name, act):
    try:
        act()
    except PermissionError:
        print(name, "refused")
    except OSError:
        print(name, "tried")
    else:
        print(name, "done")
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
attempt("connect", lambda: socket.socket().connect(("127.0.0.1", 9)))
attempt("connect_ex", lambda: socket.socket().connect_ex(("10.0.0.1", 80)))
attempt("name", lambda: socket.socket().connect(("localhost", 80)))
attempt("six", lambda: socket.socket(socket.AF_INET6).connect(("::1", 80)))
attempt("sendto", lambda: udp.sendto(b"x", ("127.0.0.1", 80)))
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("/run/docker.sock"))
attempt("shell", lambda: os.system("true"))
attempt("popen", lambda: subprocess.Popen(["/bin/true"]))
attempt("fork", lambda: os.fork())
attempt("runtime", lambda: subprocess.run([sys.executable, "-c", ""]))
print("why", guard.refused)
"""


@pytest.mark.slow
def test_the_guard_hears_every_way_out() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    said = dict(line.split() for line in done.stdout.splitlines())
    assert said.pop("runtime") == "done"
    assert said.pop("why") == "private"
    assert set(said.values()) == {"refused"}
    assert len(said) == 9


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("93.184.215.14", 443, None),
        ("93.184.215.14", 8080, "port"),
        ("::ffff:93.184.215.14", 80, None),
        ("192.168.7.7", 9000, None),
        ("::ffff:192.168.7.7", 9000, None),
        ("192.168.7.8", 80, "private"),
        ("::ffff:192.168.7.8", 80, "private"),
        ("169.254.169.254", 80, "private"),
        ("example.com", 80, "private"),
    ],
)
def test_connections_are_judged_by_the_address_that_they_reach(host: str, port: int, why: str | None) -> None:
    assert Guard(frozenset({ipaddress.ip_address("192.168.7.7")}), "").judge(host, port) == why
