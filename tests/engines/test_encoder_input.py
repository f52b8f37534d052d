"""A look is what open_clip itself would have made of the frame."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from core.engines import pictures, torchvision_ops
from core.model import Preprocess

if TYPE_CHECKING:
    from core.model import Interpolation, ResizeMode

SIZES = [(640, 360), (360, 640), (161, 121), (224, 224), (50, 37), (225, 1000), (1, 1)]


@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("size_px", "fill"), [(224, 0), (65, 127)])
def test_the_encoders_input_is_bit_for_bit_open_clips_own(
    size: tuple[int, int], mode: ResizeMode, interpolation: Interpolation, size_px: int, fill: int
) -> None:
    kept = torchvision_ops.make_importable()
    image_transform = importlib.import_module("open_clip.transform").image_transform

    rgb = np.random.default_rng(7).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    zero, one = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    transform = image_transform(
        size_px, is_train=False, mean=zero, std=one, resize_mode=mode, interpolation=interpolation, fill_color=fill
    )
    theirs = (transform(Image.fromarray(rgb)).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    ours = pictures.encoder_input(rgb, Preprocess(size_px, mode, interpolation, zero, one, fill))
    np.testing.assert_array_equal(ours, theirs)
    del kept
