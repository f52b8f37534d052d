"""The guard of a fetching child: where it may connect, what it may start."""

from __future__ import annotations

import ipaddress
import shutil
import subprocess
import sys

import pytest

from core.engines.download.network_guard import Guard

PROGRAM = """
import socket, subprocess, os, sys
from core.engines.download.network_guard import Guard
guard = Guard(frozenset(), sys.executable, frozenset)
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
def test_given_the_guard_when_code_connects_then_it_hears() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    said = dict(line.split() for line in done.stdout.splitlines())
    assert said.pop("runtime") == "done"
    assert said.pop("why") == "private"
    assert set(said.values()) == {"refused"}
    assert len(said) == 9


OWN = frozenset({ipaddress.ip_address("93.184.215.99"), ipaddress.ip_address("2606:2800:220:1::99")})
"""Public addresses, as a machine without a router before it has them."""


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
        ("168.63.129.16", 80, "private"),
        ("192.0.0.192", 80, "private"),
        ("fec0::1", 80, "private"),
        ("192.88.99.1", 80, "private"),
        ("93.184.215.99", 80, "private"),
        ("::ffff:93.184.215.99", 80, "private"),
        ("64:ff9b::5db8:d763", 80, "private"),
        ("2606:2800:220:1::99", 443, "private"),
        ("2606:2800:220:1::98", 443, None),
    ],
)
def test_given_a_connection_when_judged_then_by_its_address(host: str, port: int, why: str | None) -> None:
    allowed = frozenset({ipaddress.ip_address("192.168.7.7")})
    assert Guard(allowed, "", lambda: OWN).judge(host, port) == why


def test_given_an_allowed_own_address_when_judged_then_allowed() -> None:
    assert Guard(OWN, "", lambda: OWN).judge("93.184.215.99", 8080) is None


INTERFACES = """
import subprocess, sys
from core.engines.download.network_guard import Guard; from core.engines.download.network_guard import own_addresses
guard = Guard(frozenset(), "", own_addresses)
def judge():
    return [guard.judge(host, 80) for host in ("93.184.215.14", "2606:2800:220:1::1")]
print(judge())
for address in ("93.184.215.14/32", "2606:2800:220:1::1/128"):
    subprocess.run(["ip", "address", "add", address, "dev", "lo"], check=True)
print(judge())
for address in ("93.184.215.14/32", "2606:2800:220:1::1/128"):
    subprocess.run(["ip", "address", "del", address, "dev", "lo"], check=True)
print(judge())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("ip"), reason="makes a network of its own")
def test_given_own_public_addresses_when_they_change_then_refused() -> None:
    command = ["unshare", "--net", "--map-root-user", sys.executable, "-c", INTERFACES]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if "unshare failed" in done.stderr:
        pytest.skip("this system gives nobody a network of their own")
    assert done.stdout.splitlines() == ["[None, None]", "['private', 'private']", "[None, None]"]


LOOKUPS = """
import socket
from core.engines.download.network_guard import Guard
guard = Guard(frozenset(), "", frozenset, frozenset({"films.example", "127.0.0.1"}))
guard.install()
asks = {
    "other": lambda: socket.getaddrinfo("other.example", 80),
    "bytes": lambda: socket.getaddrinfo(b"other.example", 80),
    "number": lambda: socket.getaddrinfo("127.0.0.2", 80),
    "nothing": lambda: socket.getaddrinfo(None, 80),
    "old": lambda: socket.gethostbyname("other.example"),
    "older": lambda: socket.gethostbyname_ex("other.example"),
    "end": lambda: socket.create_connection(("notfilms.example", 80)),
    "named": lambda: socket.getaddrinfo("127.0.0.1", 80),
    "below": lambda: socket.getaddrinfo("cdn.films.example", 80),
}
for name, act in asks.items():
    try:
        act()
    except PermissionError:
        print(name, "refused")
    except OSError:
        print(name, "tried")
    else:
        print(name, "done")
"""


@pytest.mark.slow
def test_given_named_sites_when_another_is_asked_then_no_lookup() -> None:
    done = subprocess.run([sys.executable, "-c", LOOKUPS], capture_output=True, text=True, check=True, timeout=60)
    said = dict(line.split() for line in done.stdout.splitlines())
    assert (said.pop("named"), said.pop("below")) == ("done", "tried")
    assert set(said.values()) == {"refused"}
    assert len(said) == 7


@pytest.mark.parametrize("hosts", [frozenset(), frozenset({"youtube.com"})])
@pytest.mark.parametrize("between", ["\0", "/", "#", "%", "%00", "?", "@", ":", "\\", " ", "\n", "\u2100", "\ufffd"])
def test_given_characters_of_no_host_when_asked_then_no_lookup(between: str, hosts: frozenset[str]) -> None:
    """A resolver reads up to the zero byte: evil.com is asked for, not a host below youtube.com."""
    assert not Guard(frozenset(), "", frozenset, hosts).knows(f"evil.com{between}.youtube.com")


@pytest.mark.parametrize(
    "host", ["www.youtube.com", "_dmarc.example", "m\u00fcnchen.example", "93.184.215.14", "::1", ""]
)
def test_given_a_host_or_address_when_asked_then_it_is_looked_up(host: str) -> None:
    assert Guard(frozenset(), "", frozenset).knows(host)


NO_HOSTS = """
import socket
from core.engines.download.network_guard import Guard
Guard(frozenset(), "", frozenset, frozenset({"localhost"})).install()
for host in ("127.0.0.1\\0.localhost", b"127.0.0.1\\0.localhost", "127.0.0.1%.localhost", b"127.0.0.1/.localhost"):
    try:
        print(socket.getaddrinfo(host, 80))
    except PermissionError:
        print("refused")
"""


@pytest.mark.slow
def test_given_a_zero_byte_in_a_host_when_asked_then_no_lookup() -> None:
    done = subprocess.run([sys.executable, "-c", NO_HOSTS], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["refused"] * 4
