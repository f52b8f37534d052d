"""The messages of a child to its parent: a JSON header, then raw bytes.

Never pickle: the child may have been taken over by what it reads, so the parent checks every length.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping


NOT_A_PICTURE = "not_a_picture"


_LENGTH = struct.Struct(">I")


_MAX_HEADER_BYTES = 1 << 16


class GarbledError(Exception):
    """The child said something that is no message."""


@dataclass(frozen=True, slots=True)
class ChildMessage:
    """One thing that a child said."""

    header: Mapping[str, object]
    parts: tuple[bytes, ...] = ()

    @property
    def kind(self) -> str:
        """Return what sort of message it is."""
        return self.text("kind")

    def text(self, key: str) -> str:
        """Return a string of the header. Raises GarbledError."""
        value = self.header.get(key)
        if not isinstance(value, str):
            raise GarbledError(f"{key} is {type(value).__name__}, not a string")
        return value

    def maybe_text(self, key: str) -> str | None:
        """Return a string of the header, or None where it is absent or null. Raises GarbledError."""
        return None if self.header.get(key) is None else self.text(key)

    def number(self, key: str) -> float:
        """Return a finite number of the header. Raises GarbledError."""
        value = self.header.get(key)
        if not isinstance(value, int | float) or value != value or abs(value) > 1e15:  # noqa: PLR0124 - NaN
            raise GarbledError(f"{key} is {value!r}, not a number")
        return value

    def maybe_number(self, key: str) -> float | None:
        """Return a finite number of the header, or None where it is absent or null. Raises GarbledError."""
        return None if self.header.get(key) is None else self.number(key)

    def part(self, index: int) -> bytes:
        """Return one of the byte strings after the header. Raises GarbledError."""
        if index >= len(self.parts):
            raise GarbledError(f"part {index} is missing, there are {len(self.parts)}")
        return self.parts[index]


def send(stream: BinaryIO, header: Mapping[str, object], *parts: bytes) -> None:
    """Write one message and flush it; blocks while the parent does not read."""
    head = json.dumps({**header, "parts": [len(part) for part in parts]}).encode()
    stream.write(_LENGTH.pack(len(head)) + head)
    stream.writelines(parts)
    stream.flush()


async def receive(stream: asyncio.StreamReader, most_bytes: int) -> ChildMessage | None:
    """Read one message, or None when the child has gone silent for good. Raises GarbledError.

    Its parts may have so many bytes together; what has more is not read.
    """
    try:
        (length,) = _LENGTH.unpack(await stream.readexactly(_LENGTH.size))
        header = _header(await stream.readexactly(_checked(length, _MAX_HEADER_BYTES)))
        return ChildMessage(header, tuple([await stream.readexactly(size) for size in _sizes(header, most_bytes)]))
    except EOFError:  # asyncio.IncompleteReadError; children need no asyncio
        return None


def _header(data: bytes) -> Mapping[str, object]:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:  # the latter where it is nested thousandfold
        raise GarbledError("header is not JSON") from error
    if not isinstance(header, dict):
        raise GarbledError("header is not an object")
    return header


def _sizes(header: Mapping[str, object], most_bytes: int) -> list[int]:
    sizes = header.get("parts")
    if not isinstance(sizes, list) or len(sizes) > 16:
        raise GarbledError("parts is no short list")
    checked = [_checked(size, most_bytes) for size in sizes]
    _checked(sum(checked), most_bytes)
    return checked


def _checked(size: object, limit: int) -> int:
    if not isinstance(size, int) or not 0 <= size <= limit:
        raise GarbledError(f"a length of {size!r} is not within 0 to {limit}")
    return size
