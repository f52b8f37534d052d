"""The benchmark on annotated videos: three published formats, its figures, and a whole run over drawn videos."""

from __future__ import annotations

import asyncio
import json
import math
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from bench.annotations import Annotation, files_of, overlap, read
from bench.retrieval import Answered, Indexing, Notes, average_precision, main, run, score, table

DEMO = Path(__file__).parent.parent / "demo"
PARTS = {"first": (0.0, 25.0), "second": (25.0, 50.0), "third": (50.0, 80.0)}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [((0, 10), (0, 10), 1.0), ((0, 10), (5, 15), 1 / 3), ((0, 1), (2, 3), 0.0), ((2, 2), (2, 2), 0.0)],
)
def test_given_two_windows_when_compared_then_their_overlap(
    one: tuple[float, float], other: tuple[float, float], expected: float
) -> None:
    assert overlap(one, other) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([(0, 10), (20, 30)], 1.0),
        ([(50, 60), (0, 10), (20, 30)], 2 / 3),
        ([(0, 10), (0, 10), (0, 10)], 0.5),
        ([(50, 60)], 0.0),
        ([], 0.0),
    ],
)
def test_given_moments_when_they_are_ranked_then_their_average_precision(
    found: list[tuple[float, float]], expected: float
) -> None:
    assert average_precision(found, [(0, 10), (20, 30)], 0.5) == pytest.approx(expected)


def test_given_qvhighlights_lines_when_read_then_their_windows(tmp_path: Path) -> None:
    row = {
        "qid": 8737,
        "query": "A family plays",
        "duration": 126,
        "vid": "bP_660.0_810.0",
        "relevant_windows": [[0, 16]],
    }
    (tmp_path / "val.jsonl").write_text(json.dumps({**row, "saliency_scores": [[4, 2, 3]]}) + "\n\n")
    assert read(tmp_path / "val.jsonl") == (Annotation("8737", "bP_660.0_810.0", "A family plays", ((0.0, 16.0),)),)
    (tmp_path / "bP_660.0_810.0.mp4").touch()
    found = files_of(read(tmp_path / "val.jsonl"), tmp_path)
    assert found == {"bP_660.0_810.0": tmp_path / "bP_660.0_810.0.mp4"}


def test_given_didemo_when_read_then_what_most_people_chose(tmp_path: Path) -> None:
    row = {
        "annotation_id": 3,
        "video": "1@N02_2.mov",
        "description": "the dog jumps",
        "num_segments": 6,
        "times": [[0, 1], [2, 2], [2, 2], [1, 2]],
    }
    tied = {**row, "annotation_id": 4, "times": [[0, 0], [3, 4], [3, 3], [4, 4]]}
    (tmp_path / "test_data.json").write_text(json.dumps([row, tied]))
    first, second = read(tmp_path / "test_data.json")
    assert first == Annotation("3", "1@N02_2.mov", "the dog jumps", ((10.0, 15.0),))
    assert second.windows == ((15.0, 25.0),)


def test_given_csv_when_read_then_rows_of_one_text_belong_together(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(
        'video,start,end,text\na.mp4,1:05,70,"a dog, running"\na.mp4,90,95.5,"a dog, running"\n'
    )
    assert read(tmp_path / "own.csv") == (Annotation("1", "a.mp4", "a dog, running", ((65.0, 70.0), (90.0, 95.5))),)
    (tmp_path / "other.txt").write_text("nothing of that")
    with pytest.raises(ValueError, match="neither"):
        read(tmp_path / "other.txt")


def test_given_answers_when_they_are_scored_then_the_table_has_each_share() -> None:
    annotations = [Annotation(str(number), "a", "text", ((0.0, 10.0),)) for number in range(2)]
    answers = [
        Answered("0", shuffled=False, windows=((0.0, 10.0), (20.0, 30.0)), verdict="strong"),
        Answered("1", shuffled=False, windows=((0.0, 6.0),), verdict="absent"),
        Answered("0", shuffled=True, windows=((5.0, 9.0),), verdict="absent"),
        Answered("1", shuffled=True, windows=((5.0, 9.0),), verdict="weak"),
    ]
    figures = score("base", annotations, answers, [Indexing("a", "sha", 60.0, 4.0)])
    assert (figures.recall_50, figures.recall_70, figures.map_50, figures.map_75) == (1.0, 0.5, 1.0, 0.5)
    assert (figures.strong, figures.missed, figures.refused, figures.real_time) == (0.5, 0.5, 0.5, 15.0)
    *_, last = table("set", [figures]).splitlines()
    assert last == "| base | 1 | 2 | 100.0 | 50.0 | 100.0 | 50.0 | 65.0 | 50.0 | 50.0 | 50.0 | 15.0x |"


def test_given_a_broken_off_run_when_it_goes_on_then_no_half_line_counts(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    answered = Answered("0", shuffled=False, windows=((0.0, 1.5),), verdict="weak")
    notes.add(answered)
    with (tmp_path / "answers.jsonl").open("a") as file:
        file.write('{"id": "1", "shuf')
    assert Notes(tmp_path).answers() == [answered]


def write_part(path: Path, start_s: float, end_s: float) -> None:
    """Write a part of the demo's drawn video as one of its own."""
    with av.open(DEMO / "film.mp4") as source, av.open(path, "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"preset": "ultrafast", "g": "24"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        count = 0
        for frame in source.decode(video=0):
            if start_s <= frame.time < end_s:
                frame.pts, frame.time_base, count = count, Fraction(1, 24), count + 1
                target.mux(stream.encode(frame))
        target.mux(stream.encode(None))


@pytest.fixture(scope="module")
def drawn_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drawn videos, annotated in QVHighlights' way."""
    folder = tmp_path_factory.mktemp("set")
    scenes = json.loads((DEMO / "film.json").read_text())["scenes"]
    rows: list[dict[str, object]] = []
    for name, (start_s, end_s) in PARTS.items():
        write_part(folder / f"{name}.mp4", start_s, end_s)
        for scene in scenes:
            if start_s <= scene["start_s"] and scene["end_s"] <= end_s:
                window = [scene["start_s"] - start_s, scene["end_s"] - start_s]
                rows.append({"qid": len(rows), "query": scene["queries"][0], "vid": name, "relevant_windows": [window]})
    rows.append({"qid": len(rows), "query": "a dog", "vid": "absent", "relevant_windows": [[0, 1]]})
    (folder / "drawn.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


@pytest.mark.slow
def test_given_a_drawn_set_when_measured_twice_then_nothing_is_redone(
    drawn_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [str(drawn_set / "drawn.jsonl"), "--videos", str(drawn_set), "--models", "demo", "--work", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["retrieval", *words])
    main()
    told = capsys.readouterr().out
    assert "1 videos are not in" in told
    assert told.count("| demo | 3 |") == 1
    (figures,) = json.loads((tmp_path / "scores.json").read_text())["scores"]
    assert figures["texts"] >= 15
    assert figures["recall_50"] >= 0.8
    assert figures["map_50"] >= figures["map_75"]
    assert figures["missed"] <= 0.1
    assert figures["refused"] >= 0.7
    before = {path: path.read_bytes() for path in (tmp_path / "demo").glob("*.jsonl")}
    main()
    assert {path: path.read_bytes() for path in (tmp_path / "demo").glob("*.jsonl")} == before


@pytest.mark.slow
def test_given_a_run_that_lacks_answers_when_it_goes_on_then_it_asks_them(drawn_set: Path, tmp_path: Path) -> None:
    annotations = read(drawn_set / "drawn.jsonl")[:3]
    files = files_of(annotations, drawn_set)
    first = asyncio.run(run("demo", annotations, files, tmp_path, refine=False))
    answers = tmp_path / "demo" / "answers.jsonl"
    lines = answers.read_text().splitlines(keepends=True)
    answers.write_text("".join(lines[:2]) + lines[2][:10])
    again = asyncio.run(run("demo", annotations, files, tmp_path, refine=False))
    assert math.isclose(again.map_mean, first.map_mean)
    assert (again.texts, again.recall_50) == (first.texts, first.recall_50)
