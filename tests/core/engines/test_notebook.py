"""The published loop computes what the notebook does, and finds the same frames as Keaton's decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from core.engines.clip.open_clip_models import import_open_clip
from core.engines.clip.presets import choose
from core.engines.notebook import Notebook
from core.errors import NotAPicture, NotAVideo
from tests.support import clips
from tests.support.models import write_model

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SHAPE = clips.Shape(patterned=True, fps=10)
COLOURS = [("red", 2), ("green", 2)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def notebook(folder: Path) -> Notebook:
    return Notebook(choose(f"local-dir:{folder}", folder))


def published(folder: Path, video: Path) -> tuple[Any, Any]:
    """The post's own lines, by open_clip: the vectors of all frames, and of a text."""
    open_clip = import_open_clip()
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    model.eval()
    reading, rows = cv2.VideoCapture(str(video)), []
    with torch.no_grad():
        while True:
            there, frame = reading.read()
            if not there:
                break
            features = model.encode_image(preprocess(Image.fromarray(frame)).unsqueeze(0))
            rows.append(features / features.norm(dim=-1, keepdim=True))
        words = model.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(["a dog"]))
    return torch.cat(rows).numpy(), (words / words.norm(dim=-1, keepdim=True)).numpy()


def test_given_a_video_when_the_loop_runs_then_its_vectors_are_the_posts(
    folder: Path, notebook: Notebook, tmp_path: Path
) -> None:
    video = clips.make_clip(tmp_path / "a.mp4", COLOURS, SHAPE)
    vectors, words = published(folder, video)
    run = notebook.run(video)
    assert (len(run.vectors), run.frames_in_video, run.fps) == (40, 40, 10.0)
    np.testing.assert_allclose(run.vectors, vectors, atol=1e-5)
    np.testing.assert_allclose(notebook.texts(["a dog"]), words, atol=1e-5)
    best = int((words @ vectors.T).argmax())
    assert notebook.best_s(run, ["a dog"]) == pytest.approx([best / 10])


def test_given_turns_when_each_encodes_its_part_then_together_they_are_all(notebook: Notebook, tmp_path: Path) -> None:
    video = clips.make_clip(tmp_path / "a.mp4", COLOURS, SHAPE)
    parts = [notebook.run(video, every=4, first=first) for first in (0, 2)]
    assert sorted(np.concatenate([part.times_s for part in parts])) == pytest.approx([n / 5 for n in range(20)])
    assert all(part.whole_video_s > part.encode_s * 40 for part in parts)


@pytest.mark.parametrize("start_s", [0.0, 0.5])
def test_given_times_when_frames_are_cut_then_those_that_players_show(
    notebook: Notebook, tmp_path: Path, start_s: float
) -> None:
    shape = clips.Shape(patterned=True, fps=10, start_s=start_s, sound_s=4.5, size=(240, 160))
    video = clips.make_clip(tmp_path / "a.mp4", COLOURS, shape)
    at = [start_s + time_s for time_s in (3.9, 0.0, 1.25, 2.0)]
    frames = notebook.at(video, at)
    assert [clips.read_number(frame.pixels) for frame in frames] == [39, 0, 12, 20]
    assert [frame.time_s - start_s for frame in frames] == pytest.approx([3.9, 0.0, 1.2, 2.0])


def test_given_a_picture_when_texts_are_weighed_then_they_add_up(notebook: Notebook, tmp_path: Path) -> None:
    Image.fromarray(clips.plain((64, 48), (200, 10, 10))).save(tmp_path / "a.png")
    shares = notebook.shares(notebook.picture(tmp_path / "a.png").vector, ["a dog", "a cat", "red"])
    assert sum(shares) == pytest.approx(1.0)


def test_given_neither_video_nor_picture_when_it_is_read_then_that_is_said(notebook: Notebook, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(NotAVideo):
        notebook.run(tmp_path / "text.mp4")
    with pytest.raises(NotAPicture):
        notebook.picture(tmp_path / "text.mp4")
