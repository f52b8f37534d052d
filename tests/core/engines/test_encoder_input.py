"""A sampled frame is what open_clip itself would have made of the frame."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from core.engines.clip.open_clip_models import import_open_clip
from core.engines.video import frame as pictures
from core.model.video import Preprocess

if TYPE_CHECKING:
    from core.model.video import Interpolation, Pixels, ResizeMode

SIZES = [(640, 360), (360, 640), (161, 121), (224, 224), (50, 37), (225, 1000), (1, 1)]


def noise(size: tuple[int, int]) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


def open_clips(rgb: Pixels, preprocess: Preprocess) -> Pixels:
    """Return what open_clip's own transform makes of a picture, (S, S, 3) uint8."""
    transform = import_open_clip().transform.image_transform(
        preprocess.size_px,
        is_train=False,
        mean=(0.0,) * 3,
        std=(1.0,) * 3,
        resize_mode=preprocess.resize_mode,
        interpolation=preprocess.interpolation,
        fill_color=preprocess.fill,
    )
    made = (transform(Image.fromarray(rgb)).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    return np.asarray(made, np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("size_px", "fill"), [(224, 0), (65, 127)])
def test_given_any_picture_when_resized_then_open_clips_very_pixels(
    size: tuple[int, int], mode: ResizeMode, interpolation: Interpolation, size_px: int, fill: int
) -> None:
    rgb = noise(size)
    preprocess = Preprocess(size_px, mode, interpolation, (0.0,) * 3, (1.0,) * 3, fill)
    assert (pictures.encoder_input(rgb, preprocess) == open_clips(rgb, preprocess)).all()


@pytest.mark.slow
@pytest.mark.parametrize("size", [(9000, 20), (20, 9000), (4001, 7)])
def test_given_a_very_long_picture_when_resized_then_nearly_open_clips(size: tuple[int, int]) -> None:
    rgb = noise(size)
    preprocess = Preprocess(224, "shortest", "bicubic", (0.0,) * 3, (1.0,) * 3)
    difference = np.abs(pictures.encoder_input(rgb, preprocess).astype(int) - open_clips(rgb, preprocess))
    assert difference.mean() < 1


@pytest.mark.slow
def test_given_frames_when_embedded_then_0_999_of_open_clips_cosine() -> None:
    from core.engines.clip import model as clip  # noqa: PLC0415 - torch
    from core.engines.clip import presets  # noqa: PLC0415 - torch

    folder = Path(__file__).parents[3] / "demo"
    model = clip.load(clip.ClipOptions(presets.choose("demo", folder / "model"), "cpu", None))
    with av.open(folder / "film.mp4") as video:
        frames = [frame for frame in video.decode(video=0) if frame.key_frame]
    converter, preprocess = pictures.FrameConverter(None), model.info.preprocess
    rgb = [frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False) for frame in frames]
    ours = model.images(np.stack([converter.for_encoder(frame, preprocess) for frame in frames]))
    theirs = model.images(np.stack([pictures.encoder_input(one, preprocess) for one in rgb]))
    assert (ours * theirs).sum(axis=1).min() > 0.9999
    smooth = model.images(np.stack([pictures.encoder_input(converter.rgb(frame), preprocess) for frame in frames]))
    assert (ours * smooth).sum(axis=1).min() > 0.999


def test_given_a_frame_when_converted_then_opencvs_colours() -> None:
    video = Path(__file__).parents[3] / "demo" / "film.mp4"
    with av.open(video) as opened:
        frame = next(opened.decode(video=0))
    theirs = cv2.VideoCapture(str(video)).read()[1][..., ::-1]
    whole = Preprocess(frame.height, "shortest", "bicubic", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    left = (frame.width - frame.height) // 2
    assert (pictures.FrameConverter(None).for_encoder(frame, whole) == theirs[:, left : left + frame.height]).all()
