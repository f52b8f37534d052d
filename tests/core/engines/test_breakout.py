"""A decoding child that was taken over gets at nothing: as root, as an ordinary user, with each part of the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pytest

from core.engines.sandbox import kernel_filters

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is made of what Linux has"),
]

User: TypeAlias = Literal["root", "user"]
ROOT = Path(__file__).parents[3]
TOKEN = "xoxb-a-token-of-the-parent"
NOBODY = "65534"
WITHIN = 'mount --bind "$0" "$1" && shift && exec setpriv --reuid="$U" --regid="$U" --clear-groups "$@"'
"""Python is often somewhere that nobody else may look, as in root's home: it is shown elsewhere too, to these alone."""
FILES = {"read the database", "write the database by mmap", "empty the database", "delete a file", "make a file"}
FILES |= {"rename a file", "make a link", "list a folder", "read passwords", "write the parent's memory"}
PARENT = {"write the parent's memory", "write the parent's memory by a call", "read the parent's token"}
PARENT |= {"see the parent's files", "take the parent's file", "trace the parent", "rejoin the network"}
PARENT |= {"rejoin the network by a handle"}
CHANGES = {"write the database by mmap", "empty the database", "delete a file", "make a file", "rename a file"}
CHANGES |= {"make a link", "change its mode", "change its times", "write the parent's memory"}
CALLS = {"connect", "signal the parent", "slow the parent", "fork 300 times", "start a program", "become a program"}
CALLS |= {"leave its session", "have namespaces", "mount", "load a program into the kernel", "use rings"}
CALLS |= {
    "make a socket",
    "leave a grandchild",
    "share memory",
    "trace the parent",
    "have a stack that grows",
    "write the parent's memory by a call",
}


@pytest.fixture
def shown() -> Iterator[Path]:
    """Give a folder that all may look into."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=["root", "user"])
def user(request: pytest.FixtureRequest) -> User:
    if request.param == "root" and os.geteuid() != 0:
        pytest.skip("only root can try what root could do")
    if request.param == "user" and os.geteuid() == 0 and not (shutil.which("unshare") and shutil.which("setpriv")):
        pytest.skip("root becomes an ordinary user by util-linux")
    kind: User = request.param
    return kind


def attacked(user: User, shown: Path, *words: str, module: str = "tests.support.breakout") -> dict[str, Any]:
    """Give what a child could do to a parent of that user, and what came of it."""
    python, paths = Path(sys.base_prefix), [place for place in sys.path if not place.startswith(sys.base_prefix)]
    environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *paths]), "PATH": os.environ["PATH"], "TOKEN": TOKEN}
    call = [sys.executable, "-m", module, *words]
    if user == "user" and os.geteuid() == 0:
        call[0] = str(shown / Path(sys.executable).resolve().relative_to(python))
        call = ["unshare", "--mount", "sh", "-c", WITHIN, str(python), str(shown), *call]
        environment |= {"U": NOBODY, "LD_LIBRARY_PATH": str(shown / "lib")}
    done = subprocess.run(call, capture_output=True, text=True, timeout=100, env=environment, check=False, cwd="/")
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


FETCHING = """
import certifi, os, signal, socket, ssl, subprocess, sys
from dataclasses import asdict
from pathlib import Path
from core.engines.download import worker as fetcher
from core.limits import FetchLimits
folder, secret, port, parent = sys.argv[1:]
limits = {**asdict(FetchLimits(10**8, 60)), "sites": []}
def trusted():
    return len(ssl.create_default_context().get_ca_certs()), open(certifi.where()).read()
before = trusted()
fetcher.shut_in({"limits": limits, "allowed_hosts": [], "folder": folder})
def attempt(name, act):
    try:
        act()
    except OSError as error:
        print(name, "refused")
    else:
        print(name, "done")
attempt("read", lambda: open(secret).read())
attempt("write", lambda: open(secret, "w"))
attempt("delete", lambda: os.unlink(secret))
attempt("environment", lambda: open(f"/proc/{parent}/environ").read())
attempt("memory", lambda: open(f"/proc/{parent}/mem", "r+b"))
attempt("signal", lambda: os.kill(int(parent), 0))
attempt("port", lambda: socket.create_connection(("127.0.0.1", int(port)), 2))
attempt("program", lambda: subprocess.run(["/bin/true"]))
os.environ.update(HOME=folder, DENO_DIR=folder)
(Path(folder) / "film.mp4").write_bytes(b"video")
runtime = fetcher.runtime()
said = subprocess.run([runtime, "eval", "console.log(6*7)"], capture_output=True, text=True) if runtime else None
print("names", socket.getaddrinfo("localhost", 80)[0][4][0] in ("127.0.0.1", "::1"))
print("trusts", trusted() == before)
print("deno", said.stdout.strip() if said else "42")
"""
UNHARMED = {"video": "video", "memory": "memory", "database": "database", "signals": 0, "left": []}
UNTOUCHED = ["database", "deleted", "film.mp4", "renamed"]


def test_given_no_sandbox_when_a_child_attacks_then_all_succeeds(user: User, shown: Path) -> None:
    told = attacked(user, shown, "free")
    expected = {"write the database by mmap", "delete a file", "read the parent's token", "write the parent's memory"}
    expected |= {"fork 300 times", "leave a grandchild", "connect", "start a program", "share memory"}
    expected |= {"have a stack that grows", "map addresses without end", "start 600 threads"}
    assert expected | ({"rejoin the network"} if user == "root" else {"signal the parent"}) <= set(told["done"])
    assert told["memory"] == "!emory"


def test_given_the_sandbox_when_a_child_attacks_then_nothing_succeeds(user: User, shown: Path) -> None:
    told = attacked(user, shown)
    if told["missing"]:
        pytest.skip(f"this system lacks {told['missing']}; `keaton doctor` says so")
    assert told["done"] == []
    assert {name: told[name] for name in UNHARMED} == UNHARMED
    assert told["files"] == UNTOUCHED
    assert set(told["loaded"]) >= {"sqlite3", "xml.dom.minidom"}


def test_given_no_namespaces_when_a_child_attacks_then_nothing_succeeds(user: User, shown: Path) -> None:
    told = attacked(user, shown, "container")
    if set(told["missing"]) & {"files", "calls"}:
        pytest.skip(f"this system lacks {told['missing']}; `keaton doctor` says so")
    unbounded = [] if user == "root" else ["threads"]  # root can be a user of its own without namespaces
    assert told["done"] == ["start 600 threads"] * len(unbounded)
    assert {name: told[name] for name in UNHARMED} == UNHARMED
    assert told["files"] == UNTOUCHED
    assert told["missing"] == ["network", "processes", "users", *unbounded]
    assert set(told["loaded"]) >= {"sqlite3", "xml.dom.minidom"}


@pytest.mark.parametrize(
    ("part", "refused"), [("files", FILES | PARENT | {"signal the parent"}), ("calls", CALLS | CHANGES | PARENT)]
)
def test_given_one_part_of_the_sandbox_when_attacked_then_it_holds(
    user: User, shown: Path, part: Literal["files", "calls"], refused: set[str]
) -> None:
    told = attacked(user, shown, part)
    if {part, "signals"} & set(told["missing"]):
        pytest.skip(f"this system lacks {told['missing']}")
    unproven = {"read the parent's token", "see the parent's files"} if part == "calls" else set()
    assert set(told["done"]) & (refused - unproven) == set()


def test_given_namespaces_alone_when_attacked_then_the_parent_is_safe(user: User, shown: Path) -> None:
    told = attacked(user, shown, "spaces")
    if "users" in told["missing"] or "processes" in told["missing"]:
        pytest.skip(f"this system lacks {told['missing']}")
    bounded = {"fork 300 times", "start 600 threads", "signal the parent", "connect"}
    assert set(told["done"]) & (PARENT | bounded) == set()
    assert told["left"] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may read what others own")
def test_given_root_in_anothers_home_when_decoding_then_the_rest_holds(shown: Path, colour_video: Path) -> None:
    home = shown / "home"
    shutil.copytree(ROOT / "core", home / "core", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(colour_video, home / "film.mp4")
    home.chmod(0o700)
    os.chown(home, int(NOBODY), int(NOBODY))
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from core.engines.diagnostics import check_sandbox\n"
        "from core.engines.sandbox.pool import ChildPool\n"
        "from core.engines.video.reader import ChildFrameReader\n"
        "from core.ports.metrics import Unwatched\n"
        "async def main():\n"
        "    children = ChildPool('core.engines.video.worker', forks=True)\n"
        "    still = await ChildFrameReader(children, watch=Unwatched()).still(Path(sys.argv[1]), 0.0, 64)\n"
        "    await children.close()\n"
        "    print(still.width_px, *(await check_sandbox()).missing)\n"
        "asyncio.run(main())\n"
    )
    paths = [place for place in sys.path if Path(place).name == "site-packages"]
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(home / "film.mp4")],
        capture_output=True,
        text=True,
        timeout=100,
        env={"PYTHONPATH": os.pathsep.join([str(home), *paths]), "PATH": os.environ["PATH"]},
        check=True,
    )
    width, *missing = done.stdout.split()
    assert width == "64"
    assert "rights" in missing
    assert "files" not in missing


def test_given_a_fetching_child_when_it_attacks_then_only_the_net_is_open(tmp_path: Path) -> None:
    if kernel_filters.landlock_version() < kernel_filters.SIGNALS_SINCE:
        pytest.skip("Linux 6.12 and later can do that")
    (tmp_path / "job").mkdir()
    (tmp_path / "secret").write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as server:
        words = (tmp_path / "job", tmp_path / "secret", server.getsockname()[1], os.getpid())
        call = [sys.executable, "-c", FETCHING, *map(str, words)]
        environment = {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PATH": os.environ["PATH"]}
        with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
            done = child.stdout.read() if child.stdout else ""  # it ends with its stdin
    said = dict(line.split() for line in done.splitlines())
    assert [said.pop(name) for name in ("names", "trusts", "deno")] == ["True", "True", "42"]
    assert set(said.values()) == {"refused"}
    assert len(said) == 8
    assert (tmp_path / "secret").read_text() == "secret"
    assert (tmp_path / "job" / "film.mp4").read_bytes() == b"video"


WORKS_STILL = {"deno": "42", "names": True, "addresses": True}


def test_given_no_sandbox_when_a_fetch_is_taken_over_then_it_can_do_it_all(user: User, shown: Path) -> None:
    told = attacked(user, shown, "free", module="tests.support.fetch_breakout")
    expected = {"bound the parent's files", "slow the parent", "slow the parent's disk", "connect to a server's file"}
    expected |= {"send to a server's file", "keep shared memory", "fork 450 times", "leave a grandchild"}
    assert expected <= set(told["done"])
    assert told["changed"]
    assert told["left"] > 0


@pytest.mark.parametrize("part", ["whole", "container"])
def test_given_a_fetch_taken_over_when_it_ends_then_nothing_outlives_it(user: User, shown: Path, part: str) -> None:
    if kernel_filters.landlock_version() < kernel_filters.SIGNALS_SINCE:
        pytest.skip("Linux 6.12 and later can do that")
    told = attacked(user, shown, part, module="tests.support.fetch_breakout")
    # Nothing bounds how many processes root has, nor anybody's who has no users of their own; they end with the job.
    unbounded = {"fork 450 times"} if user == "root" or part == "container" else set()
    assert set(told["done"]) - unbounded == {"leave a grandchild"}
    assert (told["changed"], told["left"]) == (False, 0)
    assert {name: told[name] for name in WORKS_STILL} == WORKS_STILL
