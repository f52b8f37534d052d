"""Turns a decoded frame into pictures: upright RGB, the encoder's input, a JPEG.

Runs in the decoding child. Owns colour and geometry; must not know files or times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Colorspace, Interpolation, VideoReformatter
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from fractions import Fraction

    from av import VideoFrame
    from av.sidedata.sidedata import SideDataContainer

    from core.model import Pixels, Preprocess

_UNSPECIFIED = 2
"""AVCOL_SPC_UNSPECIFIED."""
_SD_HEIGHT_PX = 576
"""Films that do not name their colours: up to here as television had them (BT.601), above as HD has (BT.709)."""
_SMOOTH = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
_MAX_SQUEEZE = 10


class Developer:
    """Develops the frames of one film."""

    def __init__(self, pixel_aspect: Fraction | None) -> None:
        self._reformatter = VideoReformatter()
        self._pixel_aspect = squeeze(pixel_aspect)

    def rgb(self, frame: VideoFrame) -> Pixels:
        """Give (H, W, 3) uint8 RGB as it is displayed: colours, pixel aspect and rotation applied, alpha over black."""
        return np.ascontiguousarray(_upright(self._flat(frame), _matrix(frame)))

    def _flat(self, frame: VideoFrame) -> Pixels:
        if not any(component.is_alpha for component in frame.format.components):
            return self._converted(frame, "rgb24")
        rgba = self._converted(frame, "rgba").astype(np.uint16)
        return ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)

    def _converted(self, frame: VideoFrame, pixel_format: str) -> Pixels:
        converted = self._reformatter.reformat(
            frame,
            width=max(1, round(frame.width * self._pixel_aspect)),
            format=pixel_format,
            src_colorspace=_colorspace(frame),
            interpolation=_SMOOTH,
        )
        return converted.to_ndarray().astype(np.uint8, copy=False)


def is_plain(frame: VideoFrame) -> bool:
    """Tell whether a frame is luma and chroma that stands upright, so that it may be scaled as it is."""
    a, b, c, d = _matrix(frame)
    upright = a > 0 and d > 0 and abs(a) + abs(d) >= abs(b) + abs(c)
    return upright and not frame.format.is_rgb and not any(part.is_alpha for part in frame.format.components)


def squeeze(pixel_aspect: Fraction | None) -> float:
    """Give how much wider a film's pixels are than high; 1 where it says something absurd."""
    if pixel_aspect is None or not 1 / _MAX_SQUEEZE <= pixel_aspect <= _MAX_SQUEEZE:
        return 1.0
    return float(pixel_aspect)


def encoder_input(rgb: Pixels, preprocess: Preprocess) -> Pixels:
    """Give (S, S, 3) uint8 RGB, bit for bit what open_clip's own image transform makes before it normalises."""
    image = Image.fromarray(rgb)
    size_px = preprocess.size_px
    resampling = Image.Resampling.BILINEAR if preprocess.interpolation == "bilinear" else Image.Resampling.BICUBIC
    resized = image.resize(_resized_px(image.size, preprocess), resampling)
    return np.asarray(_centred(resized, size_px, preprocess.fill))


def shrunk(rgb: Pixels, max_px: int) -> Pixels:
    """Give the picture at most max_px wide or high; a smaller one stays as it is."""
    height, width = rgb.shape[:2]
    scale = max_px / max(height, width)
    if scale >= 1:
        return rgb
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def jpeg(rgb: Pixels, quality: int) -> bytes:
    """Encode as JPEG. Raises ValueError when a side is longer than the format allows."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"no JPEG of {rgb.shape}")
    return data.tobytes()


def _resized_px(size: tuple[int, int], preprocess: Preprocess) -> tuple[int, int]:
    width, height = size
    target = preprocess.size_px
    match preprocess.resize_mode:
        case "squash":
            return target, target
        case "longest":
            ratio = max(width, height) / target
            return round(width / ratio), round(height / ratio)
        case "shortest":
            long = int(target * max(size) / min(size))
            return (target, long) if width <= height else (long, target)


def _centred(image: Image.Image, size_px: int, fill: int) -> Image.Image:
    """Pad, then crop, to a square around the middle, rounding as torchvision does."""
    spare = [max(0, size_px - side) for side in image.size]
    if any(spare):
        border = (spare[0] // 2, spare[1] // 2, (spare[0] + 1) // 2, (spare[1] + 1) // 2)
        image = ImageOps.expand(image, border, (fill, fill, fill))
    left, top = (round((side - size_px) / 2) for side in image.size)
    return image.crop((left, top, left + size_px, top + size_px))


def _colorspace(frame: VideoFrame) -> Colorspace | None:
    """Give the matrix to assume where the frame names none; None leaves it to the frame."""
    if frame.colorspace != _UNSPECIFIED or frame.format.is_rgb:
        return None
    return Colorspace.ITU601 if frame.height <= _SD_HEIGHT_PX else Colorspace.ITU709


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Give a, b, c, d of the display matrix: a source point (x, y) is shown at (ax + cy, bx + dy)."""
    side_data = cast("SideDataContainer", frame.side_data)  # PyAV's stub says dict
    if SideDataType.DISPLAYMATRIX not in side_data:
        return 1, 0, 0, 1
    values = np.frombuffer(bytes(side_data[SideDataType.DISPLAYMATRIX]), dtype=np.int32)
    return int(values[0]), int(values[1]), int(values[3]), int(values[4])


def _upright(rgb: Pixels, matrix: tuple[int, int, int, int]) -> Pixels:
    """Turn and mirror by quarter turns as the display matrix says."""
    a, b, c, d = matrix
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return rgb[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return rgb.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]
