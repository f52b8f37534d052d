"""Folders, standard input and shells: the command line does what people know from others."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from bot.cli.folders import appearing, state_of
from tests.support import clips
from tests.support.command_line import ROOT, Keaton

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def keaton(tmp_path: Path) -> Keaton:
    return Keaton(tmp_path, "demo")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Videos on two floors, one of them damaged, and what is none."""
    folder = tmp_path / "videos"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    clips.make_clip(folder / "a red.mp4", [("red", 2)])
    clips.make_clip(folder / "deep" / "er" / "blue.mkv", [("blue", 2)])
    clips.make_clip(folder / ".hidden" / "green.mp4", [("green", 2)])
    (folder / "broken.mp4").write_bytes(b"no video")
    (folder / "notes.txt").write_text("no video either")
    return folder


def test_given_a_folder_when_indexed_then_one_bad_file_stops_nothing(keaton: Keaton, folder: Path) -> None:
    done = keaton("index", str(folder))
    assert done.returncode == 1
    assert [line.split(" (")[0] for line in done.stdout.splitlines()] == ["a red", "blue"]
    assert "broken.mp4" in done.stderr
    assert "3 videos: 2 indexed, 0 known already, 1 failed." in done.stderr
    (folder / "broken.mp4").unlink()
    again = keaton("index", str(folder))
    assert (again.returncode, again.stdout.count("known already")) == (0, 2)
    assert "2 videos: 0 indexed, 2 known already, 0 failed." in again.stderr


def test_given_a_glob_when_a_folder_is_indexed_then_only_what_matches(keaton: Keaton, folder: Path) -> None:
    document = keaton.json("index", str(folder), "--glob", "*.mkv", "--json")
    assert [video["title"] for video in document["videos"]] == ["blue"]
    none = keaton("index", str(folder), "--glob", "*.avi")
    assert none.returncode == 1
    assert "No file in it matches *.avi." in none.stderr
    assert keaton("index", "a.mp4", "--watch").returncode == 2
    assert keaton("index", str(folder), "--watch", "--json").returncode == 2


def test_given_a_watched_folder_when_a_video_comes_then_it_is_indexed(
    keaton: Keaton, folder: Path, tmp_path: Path
) -> None:
    (folder / "broken.mp4").unlink()
    made = clips.make_clip(tmp_path / "late.mp4", [("yellow", 2)])
    words = [sys.executable, "-u", "-m", "bot", "index", str(folder), "--watch"]
    with subprocess.Popen(
        words, cwd=tmp_path, env=keaton.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline().split(" (")[0] for _ in range(2)] == ["a red", "blue"]
        with (folder / "late.mp4").open("wb") as growing:  # half of it, then the rest: it is read when it is whole
            content = made.read_bytes()
            growing.write(content[: len(content) // 2])
            growing.flush()
            time.sleep(1)
            growing.write(content[len(content) // 2 :])
        assert process.stdout.readline().startswith("late (0:02): ")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "3 videos: 3 indexed" in errors
    listed = keaton.json("videos", "--json")["videos"]
    assert sorted(video["title"] for video in listed) == ["a red", "blue", "late"]


def test_given_questions_on_stdin_when_asked_then_each_answer_is_one_line(
    keaton: Keaton, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "demo" / "film.mp4", keaton.home / "demo.mp4")
    assert keaton("index", "demo.mp4").returncode == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("a dog at night\n\nfrom:nobody a cat\na camel in the desert\n"))
    done = keaton("find", "-", "--json", "--limit", "2")
    assert done.returncode == 1
    assert "from:nobody a cat: " in done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["query"] for answer in answers] == ["a dog at night", "a camel in the desert"]
    assert all(len(answer["moments"]) <= 2 for answer in answers)
    piped = subprocess.run(
        [sys.executable, "-m", "bot", "find", "-"],
        cwd=keaton.home,
        env=keaton.environment(),
        input="a camel in the desert\n",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert piped.stdout.startswith("“a camel in the desert”: best at 0:")


def test_given_no_standard_input_when_questions_are_read_then_at_once(keaton: Keaton) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "find", "-"],
        cwd=keaton.home,
        env=keaton.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_given_questions_on_stdin_when_drawn_then_each_has_its_folder(
    keaton: Keaton, monkeypatch: pytest.MonkeyPatch
) -> None:
    clips.make_clip(keaton.home / "red.mp4", [("red", 2)])
    assert keaton("index", "red.mp4").returncode == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("red\nblue\n"))
    assert keaton("find", "-", "--out", "answers").returncode == 0
    assert sorted(path.parent.name for path in keaton.home.glob("answers/*/plot.png")) == ["1", "2"]
    assert "  1 video in 1 channel\n" in keaton("spaces").stdout
    assert keaton("sheet", "red", "--out", "sheet.txt").returncode == 2
    assert not (keaton.home / "sheet.txt").exists()


def test_given_refine_when_asked_then_the_best_frame_is_at_least_as_good(keaton: Keaton) -> None:
    shutil.copy(ROOT / "demo" / "film.mp4", keaton.home / "demo.mp4")
    assert keaton("index", "demo.mp4").returncode == 0
    first = keaton.json("find", "--json", "a steam train in the snow")["best"]["score"]
    refined = keaton.json("find", "--json", "--refine", "a steam train in the snow")["best"]["score"]
    assert refined > first
    doubtful = keaton("find", "a dog")
    assert "--refine looks closer" in doubtful.stderr
    assert keaton.json("find", "--json", "a dog")["verdict_in_doubt"]
    closer = keaton.json("find", "--json", "--refine", "a dog")
    assert (closer["verdict_in_doubt"], closer["verdict"]) == (False, "weak")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_given_a_shell_when_completion_is_asked_then_it_knows_the_commands(keaton: Keaton, shell: str) -> None:
    assert "_KEATON_COMPLETE" in keaton("completion", shell).stdout
    asked = {"_KEATON_COMPLETE": "bash_complete", "COMP_WORDS": "keaton pro", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bot"],
        env={**keaton.environment(), **asked},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == b"plain,prove\n"


def test_given_a_narrow_terminal_when_doctor_speaks_then_plainly(keaton: Keaton) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "doctor"],
        cwd=keaton.home,
        env={**keaton.environment(), "NO_COLOR": "1", "FORCE_COLOR": "1", "COLUMNS": "40"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "\x1b[3" not in done.stdout
    assert os.linesep in done.stdout


async def test_given_a_file_that_grew_when_watched_then_it_comes_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"half")
    known = {str(path): state_of(str(path))}
    path.write_bytes(b"half and the rest")
    async with asyncio.timeout(30):
        assert await anext(appearing([tmp_path], "", known)) == str(path)
