"""`keaton prove` compares Keaton with the published loop, offline: the demo model, and a page that yt-dlp fetches."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from bot.cli.proof import FoundFrame, PictureProof, Proof, QueryProof, Speed, summary
from bot.cli.proof_page import page
from bot.cli.prove import ProveWish
from tests.support.command_line import ROOT, Keaton

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = '<html><title>The {name} &amp; more</title><video src="/reel.mp4"></video></html>'


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is called there
        pass


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """A loopback page with the demo video in it."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text(PAGE.format(name="reel"))
    (folder / "reel.mp4").symlink_to(ROOT / "demo" / "film.mp4")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_given_a_page_when_keaton_is_proven_on_it_then_both_are_shown(link: str, tmp_path: Path) -> None:
    (tmp_path / "queries.txt").write_text("a dog at night\n\na steam train in the snow\n")
    Image.effect_noise((80, 60), 90).convert("RGB").save(tmp_path / "picture.png")
    words = ["--queries", "queries.txt", "--frames", "150", "--turns", "1", "--picture", "picture.png"]
    keaton = Keaton(tmp_path, "demo")
    done = keaton("prove", link, *words, settings={"KEATON_ALLOWED_HOSTS": "127.0.0.1"})
    assert done.returncode == 0, done.stderr
    assert "times as fast" in done.stdout
    found = json.loads((tmp_path / "keaton-proof" / "proof.json").read_text())
    assert found["passed"]
    assert [query["text"] for query in found["queries"]] == ["a dog at night", "a steam train in the snow"]
    assert 10 <= found["queries"][0]["keaton"]["time_s"] < 14
    assert all(query["gain"] >= -0.003 and query["verdict"] == "strong" for query in found["queries"])
    assert found["speed"]["ratio"] > 1
    assert not found["speed"]["all_frames"]
    assert found["cosine_difference"]["highest"] < 0.001
    assert found["picture"]["keaton"] == pytest.approx(found["picture"]["notebook"], abs=0.01)
    assert found["machine"]["Keaton"]
    assert not (tmp_path / "data").exists()


@pytest.mark.slow
def test_given_no_hub_when_nothing_is_named_then_the_demo_is_compared(tmp_path: Path) -> None:
    environment = {**Keaton(tmp_path, "").environment(), "HF_ENDPOINT": "http://127.0.0.1:9"}
    done = subprocess.run(
        [sys.executable, "-m", "bot", "prove", "--full", "--turns", "1"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "compares on the demo video" in done.stderr
    found = json.loads((tmp_path / "keaton-proof" / "proof.json").read_text())
    assert len(found["queries"]) == 5
    assert found["speed"]["all_frames"]
    assert all(query["keaton"]["time_s"] == query["notebook"]["time_s"] for query in found["queries"])


@pytest.mark.slow
def test_given_a_model_by_name_when_it_cannot_be_had_then_that_is_the_end(tmp_path: Path) -> None:
    done = Keaton(tmp_path, "local-dir:/nowhere")("prove")
    assert (done.returncode, done.stdout) == (3, "")
    missing = Keaton(tmp_path, "local-dir:/nowhere")("prove", "missing.mp4")  # said before a model is downloaded
    assert missing.returncode == 1
    assert "There is no file missing.mp4." in missing.stderr
    (tmp_path / "empty.txt").write_text("\n")
    assert Keaton(tmp_path, "demo")("prove", "--queries", "empty.txt").returncode == 2
    (tmp_path / "latin.txt").write_bytes(b"a caf\xe9")
    latin = Keaton(tmp_path, "demo")("prove", "--queries", "latin.txt")
    assert latin.returncode == 2
    assert "no text in UTF-8" in latin.stderr


def test_given_a_link_with_a_slip_when_proved_then_what_is_meant() -> None:
    link = "https://www.youtube.com/watch?v=frYIj2FGmMA"
    assert ProveWish.of("htps" + link[5:], None, (), **_OPTIONS).source == link
    assert ProveWish.of("film.mp4", None, (), **_OPTIONS).source == "film.mp4"


_OPTIONS = {"full": False, "frames": 8, "turns": 1, "model": None, "picture": None, "out": None}


def proof(*gains: float) -> Proof:
    def best(score: float) -> FoundFrame:
        return FoundFrame(62.4, score, score, b"jpeg")

    plots = {"light": b"light", "dark": b"dark"}
    queries = tuple(
        QueryProof(f"<b>query</b> {number}", best(0.3), best(0.3 + gain), "weak", plots, 0.02)  # type: ignore[arg-type]
        for number, gain in enumerate(gains)
    )
    speed = Speed((100.0, 90.0), (2.0, 1.0), 40, 1000, 60)
    picture = PictureProof("a.png", b"picture", ("dog", "cat"), (0.9, 0.1), (0.9, 0.1))
    return Proof("A & B", "a.mp4", 75.0, "ViT-B-32", queries, speed, (1e-4,), picture, {"Python": "3"}, "now")


@pytest.mark.parametrize(("gain", "is_worse"), [(0.0, False), (-0.0029, False), (-0.0031, True)])
def test_given_a_score_lower_than_noise_allows_then_the_proof_fails(gain: float, is_worse: bool) -> None:
    found = proof(0.1, gain)
    assert bool(found.worse) is is_worse
    assert found.document()["passed"] is not is_worse
    assert f"{2 - is_worse} of 2 best frames" in summary(found)[-1]


def test_given_turns_when_times_are_compared_then_by_each_turns_own_ratio() -> None:
    assert proof(0.0).speed.ratio == (100 / 2 + 90 / 1) / 2


def test_given_a_proof_when_its_page_is_made_then_it_needs_no_other_file() -> None:
    made = page(proof(0.0, -0.1))
    links = re.findall(r'(?:src|srcset|href)="([^"]*)"', made)
    assert len(links) == 2 * 4 + 1
    assert all(link.startswith("data:image/") for link in links)
    assert "&lt;b&gt;query&lt;/b&gt;" in made
    assert "<b>" not in made
    assert "better frame for 1 of 2 queries" in made
    assert "prefers-color-scheme: dark" in made
