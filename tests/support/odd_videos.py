"""Makes videos as people post them: cut without encoding, joined, with the sound first. For tests.

The pictures are those of `tests.support.clips`, each with its number as bars.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from av import Packet
    from av.container import InputContainer, OutputContainer
    from av.stream import Disposition, Stream


@dataclass(frozen=True, slots=True)
class Part:
    """One stream of a file that is put together from others; its first stream there."""

    path: Path
    shift_s: float = 0.0
    """What is added to its times."""
    from_s: float | None = None
    """Leave out what comes before the keyframe at or before this time, which becomes 0: `ffmpeg -ss … -c copy`."""
    disposition: Disposition | None = None


def put_together(
    path: Path, parts: Sequence[Part], container: str | None = None, options: dict[str, str] | None = None
) -> Path:
    """Write the streams of other files into one, in this order, without encoding them anew."""
    with av.open(path, "w", format=container, options=options or {}) as target:
        packets = [packet for part in parts for packet in _packets(part, target)]
        for packet in sorted(packets, key=lambda one: float(_stamp(one) * one.time_base)):
            target.mux(packet)
    return path


def joined(path: Path, parts: Sequence[Path]) -> Path:
    """Write one file after the other into one, byte for byte."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def _packets(part: Part, target: OutputContainer) -> list[Packet[Stream]]:
    with av.open(part.path) as source:
        template = source.streams[0]
        stream = target.add_stream_from_template(template)
        if part.disposition is not None:
            stream.disposition = part.disposition
        found = _kept(source, part.from_s)
        moved = part.shift_s - (part.from_s or 0.0)
        for packet in found:
            ticks = round(moved / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts + ticks
            packet.dts = None if packet.dts is None else packet.dts + ticks
            packet.stream = stream
    return found


def _kept(source: InputContainer, from_s: float | None) -> list[Packet[Stream]]:
    packets = [packet for packet in source.demux(source.streams[0]) if packet.size]
    if from_s is None:
        return packets
    keys = [n for n, one in enumerate(packets) if one.is_keyframe and float((one.pts or 0) * one.time_base) <= from_s]
    return packets[keys[-1] :]


def _stamp(packet: Packet[Stream]) -> int:
    return packet.dts if packet.dts is not None else packet.pts or 0
