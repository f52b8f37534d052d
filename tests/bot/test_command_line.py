"""The command line does the product's main job, and its exit codes and JSON can be relied on."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image

from storage.data_folder import alone
from tests.support import clips
from tests.support.command_line import Keaton
from tests.support.models import write_model
from tests.support.weights import point_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{write_model(tmp_path_factory.mktemp('model'))}"


@pytest.fixture(scope="module")
def keaton(tmp_path_factory: pytest.TempPathFactory, model: str) -> Keaton:
    """A program that has taken one video in."""
    home = tmp_path_factory.mktemp("home")
    clips.make_clip(home / "colours.mp4", [("red", 4), ("green", 4), ("blue", 8)])
    keaton = Keaton(home, model)
    assert keaton("index", "colours.mp4").returncode == 0
    return keaton


def test_given_the_program_when_run_as_a_process_then_it_works(keaton: Keaton) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bot", "find", "--json", "red"],
        cwd=keaton.home,
        env=keaton.environment(),
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["query"] == "red"


def test_given_find_json_then_it_has_the_answer_and_its_files(keaton: Keaton) -> None:
    answer = keaton.json("find", "--json", "--out", "answers", "--top", "2", "something", "green")
    assert set(answer) >= {"query", "video", "best", "moments", "curve", "plot", "verdict", "baseline", "form"}
    assert answer["query"] == "something green"
    assert (answer["video"]["title"], answer["video"]["duration_s"]) == ("colours", 16.0)
    assert len(answer["curve"]["times_s"]) == len(answer["curve"]["scores"]) == 16
    assert answer["best"]["score"] == max(answer["curve"]["scores"])
    assert 1 <= len(answer["moments"]) <= 2
    assert set(answer["moments"][0]) >= {"video_id", "start_s", "end_s", "peak_s", "score"}
    for path in (answer["best"]["image"], answer["plot"]):
        with Image.open(keaton.home / path) as picture:
            assert picture.width >= 160


def test_given_a_video_when_clipped_and_drawn_then_a_cut_and_a_sheet_exist(keaton: Keaton) -> None:
    done = keaton("clip", "colours", "--from", "0:03.5", "--to", "5.5")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "colours_0m03.5s-0m05.5s.mp4")
    with av.open(str(keaton.home / "colours_0m03.5s-0m05.5s.mp4")) as clip:
        assert clip.duration == 2_000_000
    assert keaton("clip", "colours", "--from", "15", "--to", "99", "--out", "end.gif").returncode == 0
    assert (keaton.home / "end.gif").read_bytes().startswith(b"GIF89a")
    assert keaton("sheet", "colours", "--tiles", "8").returncode == 0
    with Image.open(keaton.home / "sheet.jpg") as picture:
        assert picture.size == (990, 288)
    for wrong in (("--from", "5", "--to", "4"), ("--from", "soon", "--to", "4"), ("--from", "16", "--to", "17")):
        assert keaton("clip", "colours", *wrong).returncode == 2


def test_given_a_known_video_when_indexed_again_then_no_frame_is_embedded(keaton: Keaton) -> None:
    document = keaton.json("index", "--json", "colours.mp4")
    assert [(video["title"], video["frames"]) for video in document["videos"]] == [("colours", 0)]


def test_given_kept_files_then_their_owner_alone_may_read_them(keaton: Keaton) -> None:
    kept = [keaton.home / "data", *(keaton.home / "data").rglob("*")]
    modes = {path: path.stat().st_mode & 0o777 for path in kept}
    assert {path.name for path in kept} >= {"keaton.sqlite3", "media"}
    assert [path for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)] == []


def test_given_the_page_when_its_address_is_asked_then_it_has_the_token(keaton: Keaton) -> None:
    first = keaton("page").stdout
    assert re.fullmatch(r"http://127\.0\.0\.1:8765/\?token=[\w-]{32,}\n", first)
    assert keaton("page").stdout == first
    assert keaton("page", settings={"KEATON_WEB_PORT": "9001"}).stdout == first.replace("8765", "9001")
    assert "KEATON_WEB" in keaton("page", settings={"KEATON_WEB": "off"}).stderr


def test_given_videos_json_then_it_lists_the_videos(keaton: Keaton) -> None:
    (video,) = keaton.json("videos", "--json")["videos"]
    assert (video["title"], video["duration_s"], video["posted_by"]) == ("colours", 16.0, "you")


def test_given_two_spaces_when_searched_then_each_finds_its_own(keaton: Keaton) -> None:
    assert keaton.json("videos", "--json", "--space", "elsewhere")["videos"] == []
    done = keaton("find", "--space", "elsewhere", "red")
    assert (done.returncode, done.stdout) == (1, "")
    assert "nothing to search" in done.stderr


def test_given_one_bad_source_when_indexing_then_the_others_are_done(keaton: Keaton) -> None:
    clips.make_clip(keaton.home / "other.mp4", [("red", 2)])
    done = keaton("index", "--json", "--space", "mixed", "missing.mp4", "other.mp4")
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert [video["title"] for video in document["videos"]] == ["other"]
    assert document["failed"] == [{"source": "missing.mp4", "error": "There is no file missing.mp4."}]


@pytest.mark.timeout(60)
def test_given_no_file_or_one_too_large_then_a_sentence_names_it_at_once(keaton: Keaton) -> None:
    os.mkfifo(keaton.home / "pipe.mp4")
    (keaton.home / "folder").mkdir()
    (keaton.home / "nothing.mp4").touch()
    sources = ("pipe.mp4", "folder", "nothing.mp4", "colours.mp4", "/dev/zero")
    done = keaton("index", "--json", "--space", "odd", *sources, settings={"KEATON_FETCH_LIMIT_GB": "0.000001"})
    assert done.returncode == 1
    told = [failed["error"] for failed in json.loads(done.stdout)["failed"]]
    assert told[:3] == [
        "pipe.mp4 is a pipe, not a file.",
        "There is no video in it.",
        "nothing.mp4 is empty.",
    ]
    assert re.fullmatch(r"colours\.mp4 has .* MB; I take up to 0.001 MB\.", told[3])
    assert told[4] == "zero is a device, not a file."


@pytest.mark.timeout(60)
def test_given_a_picture_that_is_no_file_then_a_sentence_at_once(keaton: Keaton) -> None:
    os.mkfifo(keaton.home / "picture.png")
    done = keaton("find", "--picture", "picture.png")
    assert (done.returncode, done.stderr) == (1, "picture.png is a pipe, not a file.\n")


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://a.example/x.mp4", "data:video/mp4;base64,AAAA"])
def test_given_a_link_that_is_not_http_then_it_is_refused(keaton: Keaton, link: str) -> None:
    done = keaton("index", link)
    assert done.returncode == 1
    assert "I only follow http and https links" in done.stderr


def test_given_a_private_address_then_only_a_setting_allows_it(keaton: Keaton) -> None:
    done = keaton("index", "http://127.0.0.1:9/x.mp4")
    assert done.returncode == 1
    assert "KEATON_ALLOWED_HOSTS" in done.stderr
    allowed = keaton("index", "http://127.0.0.1:9/x.mp4", settings={"KEATON_ALLOWED_HOSTS": "127.0.0.1"})
    assert "refused the connection" in allowed.stderr


def test_given_a_wrong_call_then_the_usage_is_told_with_exit_code_2(keaton: Keaton) -> None:
    done = keaton("find")
    assert (done.returncode, done.stdout) == (2, "")
    assert "Usage" in done.stderr


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("KEATON_MODEL", "nonsense", "KEATON_MODEL='nonsense' cannot be used"),
        ("KEATON_MODEL", "local-dir:/nowhere", "cannot be had"),
        ("KEATON_WEB_PORT", "many", "KEATON_WEB_PORT is wrong"),
        ("KEATON_DATA_DIR", "/proc/keaton", "cannot be used"),
    ],
)
def test_given_a_fault_the_operator_can_mend_then_a_sentence_with_exit_3(
    keaton: Keaton, name: str, value: str, said: str
) -> None:
    done = keaton("find", "red", settings={name: value})
    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_given_a_changed_model_when_next_asked_then_all_is_indexed_anew(keaton: Keaton, tmp_path: Path) -> None:
    other = {"KEATON_MODEL": f"local-dir:{write_model(tmp_path)}"}
    first = json.loads(keaton("find", "--json", "red", settings=other).stdout)
    assert first["curve"]["scores"] != keaton.json("find", "--json", "red")["curve"]["scores"]


def test_given_a_forgotten_video_then_it_is_gone(keaton: Keaton) -> None:
    clips.make_clip(keaton.home / "secret.mp4", [("blue", 2)])
    assert keaton("index", "--space", "brief", "secret.mp4").returncode == 0
    assert keaton("forget", "--space", "brief", "secret").returncode == 0
    assert keaton.json("videos", "--json", "--space", "brief")["videos"] == []


def test_given_a_healthy_system_when_doctor_runs_then_all_is_well(keaton: Keaton) -> None:
    done = keaton("doctor")
    assert done.returncode == 0, done.stdout
    for check in (
        "Python",
        "torch",
        "Device",
        "Model",
        "Weights",
        "Decoder",
        "Sandbox",
        "Data",
        "Database",
        "Disk",
        "Tokens",
    ):
        assert f" {check} " in done.stdout


def test_given_a_faulty_system_when_doctor_runs_then_it_says_what_to_do(keaton: Keaton) -> None:
    done = keaton("doctor", settings={"KEATON_MODEL": "local-dir:/nowhere", "SLACK_BOT_TOKEN": "xoxb-1"})
    assert done.returncode == 3
    assert "local-dir:PATH" in done.stdout
    assert "SLACK_APP_TOKEN (xapp-...) is missing" in done.stdout
    assert "xoxb-1" not in done.stdout + done.stderr


def test_given_a_second_bot_on_one_folder_then_it_alone_is_refused(keaton: Keaton) -> None:
    with alone(keaton.home / "data"):
        for words in (("run",), ("doctor", "--repair")):
            refused = keaton(*words)
            assert (refused.returncode, refused.stdout) == (3, "")
            assert "Another Keaton runs on the data folder" in refused.stderr
        assert keaton.json("videos", "--json")["videos"]


def test_given_a_damaged_database_and_no_sound_backup_then_help_is_told(keaton: Keaton, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(keaton.home / "data", data)
    database = data / "keaton.sqlite3"
    content = database.read_bytes()
    page = content.index(b"colours\x00") if b"colours\x00" in content else content.index(b"sha256:")
    with database.open("r+b") as file:
        file.seek(page // 4096 * 4096)
        file.write(b"\xa5" * 4096)
    settings = {"KEATON_DATA_DIR": str(data)}
    assert "run `keaton doctor --repair`" in keaton("doctor", settings=settings).stdout
    repaired = keaton("doctor", "--repair", settings=settings)
    assert repaired.returncode == 1, repaired.stderr
    assert "The database as it was lies in" in repaired.stdout
    assert ".recover" in repaired.stdout


def test_given_no_model_set_and_no_hub_when_asked_then_the_trial_is_told(
    keaton: Keaton, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to("http://127.0.0.1:9", monkeypatch)
    unset = {"KEATON_MODEL": "", "KEATON_MODEL_CACHE": str(tmp_path)}
    assert keaton("videos", settings=unset).stderr == ""
    done = keaton("find", "--json", "a car", settings=unset)
    assert "Trial: the small demo model" in done.stderr
    assert "keaton model fetch" in done.stderr
    assert json.loads(done.stdout)["moments"]


def test_given_find_json_of_several_texts_then_each_has_a_curve(keaton: Keaton) -> None:
    answer = keaton.json("find", "--json", "something green | something blue")
    assert answer["form"] == "comparison"
    assert [line["text"] for line in answer["curves"]] == ["something green", "something blue"]
    assert all(len(line["scores"]) == len(answer["curve"]["times_s"]) for line in answer["curves"])
    assert sum(one["probability"] for one in answer["probabilities"]) == pytest.approx(1.0)


def test_given_odd_or_long_names_when_indexed_then_all_are(keaton: Keaton, tmp_path: Path) -> None:
    long = tmp_path / f"{'The beginning ' * 17}.mp4"
    places = [os.fsencode(tmp_path / "not_utf8") + b"\xff\xfe.mp4", os.fsencode(long)]
    for number, place in enumerate(places):
        made = clips.make_clip(tmp_path / f"{number}.mp4", [("grey", 2), (("red", "green")[number], 2)])
        made.rename(os.fsdecode(place))
    names = [os.fsdecode(place) for place in places]
    done = keaton("index", names[0], str(tmp_path / "missing\udcff.mp4"), names[1], "--space", "names")
    assert done.returncode == 1
    assert "not_utf8" in done.stdout
    assert "The beginning The beginning" in done.stdout
    assert "no file" in done.stderr
    listed = keaton.json("videos", "--json", "--space", "names")
    assert sorted(one["title"][:8] for one in listed["videos"]) == ["The begi", "not_utf8"]


def test_given_an_unknown_setting_when_a_command_runs_then_it_is_named(keaton: Keaton) -> None:
    done = keaton("videos", settings={"KEATON_WEBPORT": "80"})
    assert done.returncode == 0
    assert "KEATON_WEBPORT is no setting, so it does nothing. Did you mean KEATON_WEB_PORT?" in done.stderr


def test_given_a_setting_that_is_gone_when_a_command_runs_then_it_says_why(keaton: Keaton) -> None:
    done = keaton("videos", settings={"KEATON_COMPILE": "on"})
    assert done.returncode == 0
    assert (
        "KEATON_COMPILE is no setting any more, so it does nothing: the model is not compiled any more." in done.stderr
    )


def test_given_an_old_setting_when_a_command_runs_then_the_new_one_is_told(keaton: Keaton) -> None:
    done = keaton("videos", settings={"KEATON_FILMS_AT_ONCE": "2"})
    assert done.returncode == 0
    assert "KEATON_FILMS_AT_ONCE is called KEATON_VIDEOS_AT_ONCE now. The old name still works." in done.stderr
