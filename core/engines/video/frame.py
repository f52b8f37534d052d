"""Turns a decoded frame into upright RGB, the encoder's input, a JPEG, or a picture of a clip. Runs in the child."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from PIL import Image

from core.engines.video import colours
from core.engines.video.container import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from av import VideoFrame
    from av.sidedata.sidedata import SideDataContainer

    from core.engines.video.seek import SoughtFrame
    from core.model.video import Pixels, Preprocess

_SMOOTH = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND
_AS_OTHERS_DO = Interpolation.BICUBIC
"""For sampled frames: the very bytes that OpenCV, FFmpeg and PyAV give by default, so that scores are what others get.

They are a level or two away from the smooth ones, and made in an eighth of the time."""
_MAX_SQUEEZE = 10
_QUARTERS = ((1, 0, 0, 1), (0, -1, 1, 0), (-1, 0, 0, -1), (0, 1, -1, 0))
"""Display matrices of turns by 0, 90, 180 and 270 degrees counterclockwise."""
_PLAIN = frozenset({1, 5, 6})
"""Matrices that every player knows: BT.709, and BT.601 under both of its names."""
_KERNELS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}
MOST_STRETCH = 100
"""A picture that is more times longer than wide shows the encoder nothing, and would take hundreds of megabytes."""
_ROOM = 4
"""Frames whose colours must be mapped are first made so many times as large as the encoder's input, or left smaller."""
MOST_FPS = 60
_LEAST_BITS_A_PIXEL = 0.04
"""With fewer, a smaller picture looks better."""
_LONGEST_FRAME_S = 0.1
_BT709, _UNSPECIFIED = 1, 2
_TOLD = frozenset({1, 4, 5, 6})
"""Primaries and transfer functions of television, the same numbers for both."""
_LEAST_PX = 16


class FrameConverter:
    """Converts the frames of one video."""

    def __init__(self, pixel_aspect: Fraction | None) -> None:
        self._whole, self._small, self._sampled = VideoReformatter(), VideoReformatter(), VideoReformatter()
        self._pixel_aspect = squeeze(pixel_aspect)
        self._tones: colours.ToneMapper | None = None

    def size_px(self, frame: VideoFrame) -> tuple[int, int]:
        """Return width and height as they are displayed."""
        return _turned(self._stored_px(frame), _matrix(frame))

    def rgb(self, frame: VideoFrame) -> Pixels:
        """Return (H, W, 3) uint8 RGB as it is displayed: with colours, pixel aspect and rotation, alpha over black."""
        return self._converted(self._whole, frame, self.size_px(frame), _SMOOTH)

    def small(self, frame: VideoFrame, max_px: int) -> Pixels:
        """Return the same, at most max_px wide or high; a smaller picture stays as it is."""
        return self._converted(self._small, frame, _within(self.size_px(frame), max_px), _SMOOTH)

    def for_encoder(self, frame: VideoFrame, preprocess: Preprocess) -> Pixels:
        """Return the encoder's input, (S, S, 3) uint8 RGB."""
        size = self.size_px(frame)
        if colours.mapping(frame) is not None:
            size = _within(size, _ROOM * preprocess.size_px)
        return encoder_input(self._converted(self._sampled, frame, size, _AS_OTHERS_DO), preprocess)

    def fitted(self, frame: VideoFrame, box: tuple[int, int]) -> Pixels:
        """Return the same as wide and high as a box, (H, W, 3): black beside a picture of another shape."""
        wide, high = self.size_px(frame)
        scale = min(box[0] / wide, box[1] / high)
        inner = tuple(_side(side * scale, most) for side, most in zip((wide, high), box, strict=True))
        rgb = self._converted(self._whole, frame, (inner[0], inner[1]), _SMOOTH)
        left, top = (box[0] - inner[0]) // 2, (box[1] - inner[1]) // 2
        made = np.zeros((box[1], box[0], 3), np.uint8)
        made[top : top + inner[1], left : left + inner[0]] = rgb
        return made

    def _stored_px(self, frame: VideoFrame) -> tuple[int, int]:
        return max(1, round(frame.width * self._pixel_aspect)), frame.height

    def _converted(
        self, reformatter: VideoReformatter, frame: VideoFrame, size: tuple[int, int], flags: Interpolation
    ) -> Pixels:
        """Scale and convert in one go, then turn upright: so few pixels are touched."""
        matrix = _matrix(frame)
        width, height = _turned(size, matrix)
        colours.settle(frame)
        opaque = self._opaque(frame)
        mapping = colours.mapping(opaque)
        converted = reformatter.reformat(
            opaque,
            width,
            height,
            "rgb24" if mapping is None else "rgb48le",
            src_colorspace=colours.assumed(opaque),
            interpolation=flags if mapping is None else _SMOOTH,
        )
        if mapping is not None:
            converted = self._mapped(converted, mapping).reformat(format="rgb24")
        return np.ascontiguousarray(_upright(converted.to_ndarray().astype(np.uint8, copy=False), matrix))

    def _mapped(self, frame: VideoFrame, mapping: colours.Mapping) -> VideoFrame:
        if self._tones is None or self._tones.mapping != mapping:
            self._tones = colours.ToneMapper(mapping)
        return self._tones.mapped(frame)

    def _opaque(self, frame: VideoFrame) -> VideoFrame:
        if not any(component.is_alpha for component in frame.format.components):
            return frame
        converted = self._whole.reformat(
            frame, format="rgba", src_colorspace=colours.assumed(frame), interpolation=_SMOOTH
        )
        rgba = converted.to_ndarray().astype(np.uint16)
        flat = ((rgba[..., :3] * rgba[..., 3:] + 127) // 255).astype(np.uint8)
        made = type(frame).from_ndarray(flat, "rgb24")
        made.color_trc, made.color_primaries = frame.color_trc, frame.color_primaries
        return made


def is_plain(frame: VideoFrame) -> bool:
    """Return whether a frame is upright luma and chroma of usual colours, so that it may be scaled as it is."""
    a, b, c, d = _matrix(frame)
    upright = a > 0 and d > 0 and abs(a) + abs(d) >= abs(b) + abs(c)
    colours.settle(frame)
    if colours.mapping(frame) is not None or colours.named(frame) not in _PLAIN:
        return False
    return upright and not frame.format.is_rgb and not any(part.is_alpha for part in frame.format.components)


def squeeze(pixel_aspect: Fraction | None) -> float:
    """Return how much wider a video's pixels are than high; 1 where it says something absurd."""
    if pixel_aspect is None or not 1 / _MAX_SQUEEZE <= pixel_aspect <= _MAX_SQUEEZE:
        return 1.0
    return float(pixel_aspect)


def encoder_input(rgb: Pixels, preprocess: Preprocess) -> Pixels:
    """Return (S, S, 3) uint8 RGB, what open_clip's own image transform makes before it normalises.

    open_clip resizes by Pillow. Another library's bicubic moves scores visibly.
    """
    width, height = _resized_px((rgb.shape[1], rgb.shape[0]), preprocess)
    wide, high = min(width, preprocess.size_px), min(height, preprocess.size_px)
    left, top = round((width - wide) / 2), round((height - high) / 2)
    picture, kernel = Image.fromarray(rgb), _KERNELS[preprocess.interpolation]
    if max(width, height) <= MOST_STRETCH * preprocess.size_px:
        resized = picture.resize((width, height), kernel).crop((left, top, left + wide, top + high))
    else:  # nearly the same: Pillow takes the box in float32, and may go across before down
        across, down = picture.width / width, picture.height / height
        box = (left * across, top * down, (left + wide) * across, (top + high) * down)
        resized = picture.resize((wide, high), kernel, box)
    return _padded(np.asarray(resized), preprocess)


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


def _padded(rgb: Pixels, preprocess: Preprocess) -> Pixels:
    """Pad to a square around the middle, rounding as torchvision does."""
    spare = [preprocess.size_px - side for side in rgb.shape[:2]]
    if not any(spare):
        return rgb
    border = [(side // 2, (side + 1) // 2) for side in spare]
    return np.pad(rgb, (*border, (0, 0)), constant_values=preprocess.fill)


def _within(size: tuple[int, int], max_px: int) -> tuple[int, int]:
    scale = min(1.0, max_px / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _side(length_px: float, most_px: int) -> int:
    return min(most_px, max(1, round(length_px)))


def _turned(size: tuple[int, int], matrix: tuple[int, int, int, int]) -> tuple[int, int]:
    """Exchange width and height where the matrix lays the picture on its side."""
    return (size[1], size[0]) if _lies(matrix) else size


def _matrix(frame: VideoFrame) -> tuple[int, int, int, int]:
    """Return a, b, c, d of the display matrix: a source point (x, y) is shown at (ax + cy, bx + dy)."""
    try:
        side_data = cast("SideDataContainer", frame.side_data)  # PyAV's stub says dict
    except ValueError:  # FFmpeg gives kinds of data (Exif) that PyAV does not know
        return _QUARTERS[round(frame.rotation / 90) % 4]
    if SideDataType.DISPLAYMATRIX not in side_data:
        return 1, 0, 0, 1
    values = np.frombuffer(bytes(side_data[SideDataType.DISPLAYMATRIX]), dtype=np.int32)
    return int(values[0]), int(values[1]), int(values[3]), int(values[4])


def _lies(matrix: tuple[int, int, int, int]) -> bool:
    a, b, c, d = matrix
    return abs(a) + abs(d) < abs(b) + abs(c)


def _upright(rgb: Pixels, matrix: tuple[int, int, int, int]) -> Pixels:
    """Turn and mirror by quarter turns as the display matrix says."""
    a, b, c, d = matrix
    if not _lies(matrix):
        return rgb[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]
    return rgb.transpose(1, 0, 2)[:: -1 if b < 0 else 1, :: -1 if c < 0 else 1]


@dataclass(frozen=True, slots=True)
class ClipBounds:
    """What is to be made: of [start_s, end_s), at most that wide or high, about that large."""

    start_s: float
    end_s: float
    max_px: int
    max_bytes: int

    @property
    def length_s(self) -> float:
        """Return how long it is."""
        return self.end_s - self.start_s


class Rendition(NamedTuple):
    """What a clip says of its colours, as ITU-T H.273 numbers it."""

    matrix: int
    primaries: int
    transfer: int


class ClipScaler:
    """Scales the frames of one stretch to the size of a clip."""

    def __init__(self, frames: Iterator[SoughtFrame], bounds: ClipBounds, bits_a_second: float | None) -> None:
        """Take the first frame, for the size. Raises UnreadableError where there is none."""
        first = next(frames, None)
        if first is None:
            raise UnreadableError("no_frames")
        self._first, self._rest, self._bounds = first, frames, bounds
        self._converter = FrameConverter(first.pixel_aspect)
        self._aspect = first.pixel_aspect
        self._reformatter = VideoReformatter()
        self.size_px = _size_px(self._converter.size_px(first.frame), bounds.max_px, bits_a_second)
        self.frame_s = min(_LONGEST_FRAME_S, max(1 / MOST_FPS, first.step_s))
        self.rendition = _rendition(first.frame)

    def pictures(self) -> Iterator[tuple[float, VideoFrame]]:
        """Yield each picture, yuv420p, with its time since the start; the last one stands until the end."""
        last_s, last = 0.0, self._fitted(self._first)
        yield last_s, last
        for one in self._rest:
            last_s, last = max(0.0, one.time_s - self._bounds.start_s), self._fitted(one)
            yield last_s, last
        if self._bounds.length_s - last_s > 3 * self.frame_s:
            yield self._bounds.length_s - self.frame_s, last

    def _fitted(self, one: SoughtFrame) -> VideoFrame:
        """Scale a frame to the size of the clip; one of another shape than the first gets black bars."""
        frame = one.frame
        width, height = self.size_px
        alike = _rendition(frame) == self.rendition and one.pixel_aspect == self._first.pixel_aspect
        if is_plain(frame) and alike and (frame.width, frame.height) == self._first_px:
            return self._reformatter.reformat(
                frame,
                width,
                height,
                "yuv420p",
                src_color_range=ColorRange.JPEG if colours.is_full(frame) else ColorRange.MPEG,
                dst_color_range=ColorRange.MPEG,
            )
        if one.pixel_aspect != self._aspect:
            self._aspect, self._converter = one.pixel_aspect, FrameConverter(one.pixel_aspect)
        upright = av.VideoFrame.from_ndarray(self._converter.fitted(frame, self.size_px), "rgb24")
        return self._reformatter.reformat(
            upright,
            width,
            height,
            "yuv420p",
            dst_colorspace=Colorspace.ITU709 if self.rendition.matrix == _BT709 else Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
        )

    @property
    def _first_px(self) -> tuple[int, int]:
        return self._first.frame.width, self._first.frame.height


def _rendition(frame: VideoFrame) -> Rendition:
    """Return what a clip that begins with this frame says of its colours: a plain one's stay what they are."""
    if not is_plain(frame):
        return Rendition(_BT709, _BT709, _BT709)
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    named = primaries if primaries in _TOLD else _UNSPECIFIED, transfer if transfer in _TOLD else _UNSPECIFIED
    return Rendition(colours.named(frame), *named)


def _size_px(shown_px: tuple[int, int], max_px: int, bits_a_second: float | None) -> tuple[int, int]:
    """Return an even width and height, no larger than the video itself."""
    scale = min(1.0, max_px / max(shown_px))
    if bits_a_second is not None:
        wanted = shown_px[0] * shown_px[1] * scale**2 * 25 * _LEAST_BITS_A_PIXEL
        scale *= min(1.0, (bits_a_second / wanted) ** 0.5)
    width, height = (max(_LEAST_PX, round(side * scale / 2) * 2) for side in shown_px)
    return width, height
