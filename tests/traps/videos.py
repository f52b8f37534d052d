"""Hostile files: real ones whose headers lie, playlists under a video's name, and mutations of sound ones."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tests.support import clips

if TYPE_CHECKING:
    import random
    from pathlib import Path

KINDS = ("mp4", "webm", "mkv", "avi", "gif")
_CODECS = {"mp4": "libx264", "webm": "libvpx", "mkv": "libx264", "avi": "mpeg4", "gif": "gif"}
_HEAD_BYTES = 2048
DAY_S = 86400.0


def sound(path: Path, seconds: float = 2.0) -> Path:
    """Write a small video of the kind that the suffix names."""
    kind = path.suffix.removeprefix(".")
    pixel_format = "rgb8" if kind == "gif" else "yuv420p"
    shape = clips.Shape((96, 64), 10, _CODECS[kind], pixel_format, gop=5, patterned=True)
    return clips.make_clip(path, [("red", seconds / 2), ("blue", seconds / 2)], shape)


def huge_gif(path: Path, side_px: int = 40000) -> Path:
    """Write a GIF of a few bytes whose canvas is gigantic; it holds two frames of one pixel."""
    frame = (
        b"\x21\xf9\x04\x00\x0a\x00\x00\x00" + b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\x00\x02\x02\x44\x01\x00"
    )
    header = b"GIF89a" + struct.pack("<HH", side_px, side_px) + b"\x80\x00\x00" + b"\xff\xff\xff\x00\x00\x00"
    path.write_bytes(header + frame * 2 + b"\x3b")
    return path


def huge_frames(path: Path, side_px: int = 7000) -> Path:
    """Write an AVI whose header claims a small picture, and whose one frame is larger than any limit."""
    shape = clips.Shape((side_px, side_px), 5, "mjpeg", "yuvj420p")
    clips.make_clip(path, [("red", 0.2)], shape)
    large, small = struct.pack("<II", side_px, side_px), struct.pack("<II", 160, 120)
    path.write_bytes(path.read_bytes().replace(large, small))
    return path


def one_frame_a_day(path: Path, days: int = 30) -> Path:
    """Write a video with one frame a day."""
    times_s = [day * DAY_S for day in range(days)]
    return clips.make_clip(path, [("red", days)], clips.Shape((64, 48), 1, times_s=times_s))


def playlists(address: str) -> dict[str, bytes]:
    """Give playlists of all sorts that lead to an address, and to a file of this machine."""
    return {
        "m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{address}/seg.ts\n#EXT-X-ENDLIST\n".encode(),
        "file": b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{address}/seg.ts'\nfile '/etc/hostname'\n".encode(),
        "sdp": f"v=0\ns=x\nc=IN IP4 127.0.0.2\nt=0 0\na=control:{address}\nm=video 9 RTP/AVP 96\n".encode(),
        "mpd": (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" mediaPresentationDuration="PT10S" '
            f'type="static"><Period><BaseURL>{address}/</BaseURL><AdaptationSet mimeType="video/mp4">'
            '<Representation id="1" bandwidth="1" width="64" height="48"><BaseURL>seg.mp4</BaseURL>'
            "</Representation></AdaptationSet></Period></MPD>"
        ).encode(),
        "smil": f'<smil><body><video src="{address}/seg.mp4"/></body></smil>'.encode(),
    }


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Give a damaged copy: bytes changed, cut out, doubled, swapped or cut off, headers more often than the rest."""
    damaged = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        if len(damaged) > _HEAD_BYTES // 8:
            _damage(damaged, chance)
    return bytes(damaged)


def _damage(damaged: bytearray, chance: random.Random) -> None:
    reach = min(len(damaged), _HEAD_BYTES) if chance.random() < 0.6 else len(damaged)
    place = chance.randrange(reach)
    match chance.randrange(7):
        case 0:
            damaged[place] ^= 1 << chance.randrange(8)
        case 1:
            damaged[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"))
        case 2:
            damaged[place : place + 16] = chance.randbytes(16)
        case 3:
            del damaged[place : place + chance.randint(1, 64)]
        case 4:
            damaged[place:place] = damaged[place : place + chance.randint(1, 512)]
        case 5:
            other = chance.randrange(len(damaged))
            damaged[place : place + 32], damaged[other : other + 32] = (
                damaged[other : other + 32],
                damaged[place : place + 32],
            )
        case _:
            del damaged[max(64, chance.randrange(len(damaged))) :]
