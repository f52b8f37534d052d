"""The command line starts quickly, ends quietly, and fits the terminal that it runs in."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.hub import FakeHub
from tests.support.command_line import ROOT, Keaton
from tests.support.weights import REPO

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = ("torch", "matplotlib", "aiohttp", "av", "cv2", "numpy", "open_clip", "discord", "pydantic", "rich")
LOADED = """
import sys
sys.argv = ["keaton", {words}]
from bot.__main__ import main
try:
    main()
except SystemExit:
    pass
print("MODULES", *(name for name in {heavy} if name in sys.modules), len(sys.modules))
"""


def run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    own = {**Keaton(home, "demo").environment(), **environment}
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=home, env=own, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("words", ['"--help"', '"find", "-h"', '"--version"', '"find"'])
def test_given_a_call_for_help_when_answered_then_little_was_imported(words: str) -> None:
    code = LOADED.format(words=words, heavy=HEAVY)
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    ).stdout
    *_, heavy = told.partition("MODULES")
    *names, count = heavy.split()
    assert names == []
    assert int(count) < 400


def test_given_a_clip_when_its_file_is_no_video_then_it_is_refused(tmp_path: Path) -> None:
    done = Keaton(tmp_path, "demo")("clip", "a", "--from", "1", "--to", "2", "--out", "b.txt")
    assert done.returncode == 2
    assert ".mp4 or .gif" in done.stderr


UP = "print('up', flush=True); from bot.__main__ import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize("delay_s", [0.0, 0.03, 0.1, 0.3, 0.6, 1.0, 2.0])
def test_given_ctrl_c_when_a_command_has_just_begun_then_no_traceback(tmp_path: Path, delay_s: float) -> None:
    own = Keaton(tmp_path, "demo").environment()
    words = [sys.executable, "-c", UP, "index", str(ROOT / "demo" / "film.mp4")]
    with subprocess.Popen(words, cwd=tmp_path, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.01 + delay_s)
        process.send_signal(signal.SIGINT)
        began_s = time.monotonic()
        _, errors = process.communicate(timeout=60)
        assert time.monotonic() - began_s < 10
    assert errors.strip() == b""
    assert process.returncode in {130, 0}


@pytest.mark.slow
@pytest.mark.parametrize("language", [{"LANG": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_given_a_plain_terminal_when_doctor_speaks_then_nothing_breaks(
    tmp_path: Path, language: dict[str, str]
) -> None:
    done = run(tmp_path, "doctor", **language)
    assert done.returncode == 0, done.stderr
    assert b"Decoder" in done.stdout
    done = run(tmp_path, "doctor", PYTHONIOENCODING="ascii")
    assert b"ok   Decoder" in done.stdout
    assert all(byte < 128 for byte in done.stdout)


@pytest.mark.slow
def test_given_doctor_as_json_when_it_is_read_then_each_check_is_there(tmp_path: Path) -> None:
    keaton = Keaton(tmp_path, "demo")
    document = keaton.json("doctor", "--json")
    assert document["ok"]
    assert {"Model", "Decoder", "Data", "Disk"} <= {check["what"] for check in document["checks"]}
    failed = keaton("doctor", "--json", settings={"KEATON_MODEL": "local-dir:/nowhere"})
    assert failed.returncode == 3
    assert not json.loads(failed.stdout)["ok"]
    assert keaton("doctor", "--json", "--repair").returncode == 2


@pytest.mark.slow
@pytest.mark.parametrize("words", [("prove", "--full"), ("model", "fetch", "base")])
def test_given_ctrl_c_when_a_thread_is_busy_then_the_command_ends_soon(tmp_path: Path, words: tuple[str, ...]) -> None:
    with FakeHub({f"{REPO}/open_clip_model.safetensors": bytes(3_000_000)}) as hub:
        hub.may_send.clear()
        own = {**Keaton(tmp_path, "demo").environment(), "HF_ENDPOINT": hub.url, "KEATON_MODEL_CACHE": str(tmp_path)}
        command = [sys.executable, "-m", "bot", *words]
        with subprocess.Popen(
            command, cwd=tmp_path, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            if words[0] == "model":
                for _ in range(300):
                    if hub.ranges():
                        break
                    time.sleep(0.1)
            time.sleep(8 if words[0] == "prove" else 0.5)
            began_s = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert time.monotonic() - began_s < 5
    assert process.returncode == 130
    assert b"Traceback" not in errors


@pytest.mark.slow
def test_given_a_search_by_words_when_it_ends_then_no_plot_was_needed(tmp_path: Path) -> None:
    keaton = Keaton(tmp_path, "demo")
    assert keaton("index", str(ROOT / "demo" / "film.mp4")).returncode == 0
    code = LOADED.format(words='"find", "a dog"', heavy=("matplotlib",))
    told = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=keaton.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    ).stdout
    *_, heavy = told.partition("MODULES")
    assert "0:12 in film" in told
    assert "matplotlib" not in heavy
