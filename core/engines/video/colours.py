"""Converts a frame's colours to what every screen shows (BT.709): matrices, transfer functions, tone mapping.

HDR and wide-gamut frames go through a colour table that FFmpeg looks up (`haldclut`). Runs in the child.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

import av
import numpy as np
import numpy.typing as npt
from av.filter import Graph
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

if TYPE_CHECKING:
    from av import VideoFrame
    from av.filter.context import FilterContext

Numbers: TypeAlias = npt.NDArray[np.float64]
"""(..., 3): red, green, blue."""
Transfer: TypeAlias = Literal["sdr", "pq", "hlg"]

_RGB, _BT709, _UNSPECIFIED, _BT601, _BT2020 = 0, 1, 2, 6, 9
"""As ITU-T H.273 numbers matrices."""
_KNOWN = frozenset({_BT709, 4, 5, _BT601, 7, _BT2020})
"""Matrices that FFmpeg computes with; it fails at every other."""
_LIKE_BT2020 = frozenset({10, 13, 14})
"""Constant luminance and ICtCp: of all matrices that FFmpeg knows, BT.2020's is the nearest."""
_SD_HEIGHT_PX = 576
"""Videos that do not name their colours: up to here as television had them (BT.601), above as HD has (BT.709)."""

_TO_BT709 = {
    "bt2020": ((1.660491, -0.587641, -0.072850), (-0.124550, 1.132900, -0.008349), (-0.018151, -0.100579, 1.118730)),
    "p3": ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
"""Linear light of wide gamuts (ITU-R BT.2020, Display P3), as linear light of BT.709."""
_HLG_SYSTEM_GAMMA = 1.2
"""Of a screen of 1000 nits (ITU-R BT.2100)."""
_WHITE_NITS = 203.0
"""Where paper is white in videos of high dynamic range (ITU-R BT.2408); brighter is light and glare."""
_PEAK = 1000.0 / _WHITE_NITS
_KNEE = 0.75
"""Of white: what is darker stays as it is, what is brighter makes room for glare."""
_GAMMA = 2.4
"""Of screens for videos (ITU-R BT.1886)."""
_TOE = 0.03
"""Taken from black: what compression leaves there of a colour that is pure would shine."""
_WHITE_LEVEL = 255 << 8
"""What FFmpeg makes of white in RGB of 16 bits."""
_SIDE = 64
"""Colours along each side of the table: a power of four, as `haldclut` wants it."""
_LEVEL = 8
_LEAST = -0.3
_CURVES = tuple(
    f"{channel}=65535*max(0\\,{1 + _TOE}*pow(clip(val/65535*{1 - _LEAST}+{_LEAST}\\,0\\,1)\\,{1 / _GAMMA:.6f})-{_TOE})"
    for channel in "rgb"
)
"""Makes levels of what the table gives."""
_TIME_BASE = Fraction(1, 25)


class Mapping(NamedTuple):
    """How colours that a usual screen cannot show are brought to it."""

    transfer: Transfer
    gamut: str
    """A key of `_TO_BT709`, or "" for BT.709 itself."""


def settle(frame: VideoFrame) -> None:
    """Name the matrix of a frame anew where FFmpeg does not know the named one; none is named for a usual video."""
    named = int(frame.colorspace)
    if frame.format.is_rgb:
        if named not in {_RGB, _UNSPECIFIED}:
            frame.colorspace = _UNSPECIFIED
    elif named not in _KNOWN:
        frame.colorspace = _nearest(frame, named)


def _nearest(frame: VideoFrame, named: int) -> int:
    primaries = int(frame.color_primaries)
    if named in _LIKE_BT2020 or primaries == ColorPrimaries.BT2020 or _transfer(frame) != "sdr":
        return _BT2020
    if named == _UNSPECIFIED:
        return _UNSPECIFIED
    known = {
        int(ColorPrimaries.BT709): _BT709,
        int(ColorPrimaries.BT470BG): _BT601,
        int(ColorPrimaries.SMPTE170M): _BT601,
    }
    return known.get(primaries, _UNSPECIFIED)


def assumed(frame: VideoFrame) -> Colorspace | None:
    """Return the matrix to assume where a settled frame names none; None leaves it to the frame."""
    if int(frame.colorspace) != _UNSPECIFIED or frame.format.is_rgb:
        return None
    return Colorspace.ITU601 if frame.height <= _SD_HEIGHT_PX else Colorspace.ITU709


def named(frame: VideoFrame) -> int:
    """Return the matrix that a settled frame's colours come with, as ITU-T H.273 numbers it."""
    if int(frame.colorspace) != _UNSPECIFIED:
        return int(frame.colorspace)
    return _BT601 if frame.height <= _SD_HEIGHT_PX else _BT709


def is_full(frame: VideoFrame) -> bool:
    """Return whether black is 0 and white the highest number, as in photographs; television leaves room at both."""
    return int(frame.color_range) == int(ColorRange.JPEG) or frame.format.name.startswith("yuvj")


def mapping(frame: VideoFrame) -> Mapping | None:
    """Return how the colours of a settled frame must be mapped; None for those that usual screens show as they are."""
    transfer, primaries = _transfer(frame), int(frame.color_primaries)
    if primaries in {int(ColorPrimaries.SMPTE431), int(ColorPrimaries.SMPTE432)}:
        return Mapping(transfer, "p3")
    is_named = primaries not in {0, _UNSPECIFIED}
    wide = primaries == ColorPrimaries.BT2020 or (not is_named and int(frame.colorspace) == _BT2020)
    return Mapping(transfer, "bt2020" if wide else "") if wide or transfer != "sdr" else None


def _transfer(frame: VideoFrame) -> Transfer:
    match int(frame.color_trc):
        case int(ColorTrc.SMPTE2084):
            return "pq"
        case 18:
            return "hlg"
        case _:
            return "sdr"


class ToneMapper:
    """Maps frames of one video, in RGB of 16 bits, to BT.709."""

    def __init__(self, mapping: Mapping) -> None:
        self.mapping = mapping
        self._table = av.VideoFrame.from_ndarray(table(mapping), "rgb48le")
        self._size_px = (0, 0)
        self._source: FilterContext | None = None
        self._sink: FilterContext | None = None
        self._graph: Graph | None = None
        self._count = 0

    def mapped(self, frame: VideoFrame) -> VideoFrame:
        """Return the same picture of a frame of the format rgb48le. Raises av.FFmpegError."""
        if self._source is None or self._sink is None or self._size_px != (frame.width, frame.height):
            self._source, self._sink = self._open(frame)
        frame.pts, frame.time_base = self._count, _TIME_BASE
        self._count += 1
        self._source.push(frame)
        return cast("VideoFrame", self._sink.pull())

    def _open(self, frame: VideoFrame) -> tuple[FilterContext, FilterContext]:
        self._size_px = frame.width, frame.height
        self._graph = graph = Graph()
        pictures, colours = _source(graph, frame), _source(graph, self._table)
        look_up, curve = graph.add("haldclut", "clut=first"), graph.add("lutrgb", ":".join(_CURVES))
        sink = graph.add("buffersink")
        pictures.link_to(look_up, 0, 0)
        colours.link_to(look_up, 0, 1)
        look_up.link_to(curve)
        curve.link_to(sink)
        graph.configure()
        self._table.pts, self._table.time_base = 0, _TIME_BASE
        colours.push(self._table)
        colours.push(None)
        return pictures, sink


def _source(graph: Graph, frame: VideoFrame) -> FilterContext:
    """Add where frames like this one come in."""
    return graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE)


def table(mapping: Mapping) -> npt.NDArray[np.uint16]:
    """Return what each of 64 x 64 x 64 colours becomes, for `haldclut`: (512, 512, 3) uint16, red changing first.

    It is linear light from `_LEAST` to 1, for between the colours of the table lies what lies between their lights.
    """
    steps = np.minimum(1.0, np.linspace(0.0, 1.0, _SIDE) * 65535 / _WHITE_LEVEL)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    light = np.clip(_screen_light(np.stack([red, green, blue], axis=-1), mapping), _LEAST, 1.0)
    side_px = _LEVEL**3
    return np.round((light - _LEAST) / (1 - _LEAST) * 65535).astype(np.uint16).reshape(side_px, side_px, 3)


def to_bt709(rgb: Numbers, mapping: Mapping) -> Numbers:
    """Return the colours of a video, (..., 3) of 0 to 1, as a usual screen shows them."""
    return np.maximum(0.0, (1 + _TOE) * np.clip(_screen_light(rgb, mapping), 0.0, 1.0) ** (1 / _GAMMA) - _TOE)


def _screen_light(rgb: Numbers, mapping: Mapping) -> Numbers:
    """Return linear light, 1 for the screen's white; below 0 for colours that no screen can show."""
    light = _light(rgb, mapping.transfer)
    if mapping.gamut:
        light = light @ np.array(_TO_BT709[mapping.gamut]).T
    if mapping.transfer == "sdr":
        return light
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    return np.asarray(light * (_rolled_off(brightest) / brightest))


def _light(rgb: Numbers, transfer: Transfer) -> Numbers:
    """Return linear light, 1 for paper white."""
    match transfer:
        case "pq":
            return _pq_nits(rgb) / _WHITE_NITS
        case "hlg":
            # Each colour by itself, as FFmpeg's zscale does it; BT.2100 would take the luminance for all three.
            return np.asarray(_hlg_scene(rgb) ** _HLG_SYSTEM_GAMMA * _PEAK)
        case "sdr":
            return np.asarray(rgb**_GAMMA)


def _pq_nits(rgb: Numbers) -> Numbers:
    """Undo SMPTE ST 2084."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    power = rgb ** (1 / m2)
    return np.asarray(10_000 * (np.maximum(power - c1, 0.0) / (c2 - c3 * power)) ** (1 / m1))


def _hlg_scene(rgb: Numbers) -> Numbers:
    """Undo the curve of ARIB STD-B67."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(rgb <= 0.5, rgb**2 / 3, (np.exp((rgb - c) / a) + b) / 12)


def _rolled_off(light: Numbers) -> Numbers:
    """Return brightness as it is up to the knee, and up to a peak of 1000 nits in what is left of white (Mobius)."""
    j, peak = _KNEE, _PEAK
    a = -(j**2) * (peak - 1) / (j**2 - 2 * j + peak)
    b = (j**2 - 2 * j * peak + peak) / (peak - 1)
    bright = (b**2 + 2 * b * j + j**2) / (b - a) * (light + a) / (light + b)
    return np.where(light <= j, light, np.minimum(bright, 1.0))
