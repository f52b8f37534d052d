"""Finds and wipes what SQLite leaves between the cells of a page. Runs in a process of its own.

`secure_delete` wipes deleted cells, not the old bytes in a page's unused middle after cells moved to another page. A
process of its own, because closing the file would drop all locks that SQLite holds on it in the same process. The
caller makes sure that no process writes meanwhile. Format: https://www.sqlite.org/fileformat2.html
"""

from __future__ import annotations

import json
import os
import struct
import sys

_LEAVES = {0x0A, 0x0D}
_INNER = {0x02, 0x05}
_FIRST_HEADER = 100
"""The first page begins with the file's header."""


class Pages:
    """The pages of a database file."""

    def __init__(self, file: int) -> None:
        self._file = file
        header = os.pread(file, _FIRST_HEADER, 0)
        (size,) = struct.unpack_from(">H", header, 16)
        self._size = 65536 if size == 1 else size

    def residue(self, roots: list[int], most: int) -> list[int]:
        """Return the numbers of the pages of these trees with something in their middle; reads so many at most."""
        found, left, seen = [], list(reversed(roots)), 0
        while left and seen < most:
            number = left.pop()
            page = self._page(number)
            seen += 1
            left += reversed(_children(page, _header_at(number)))
            start, stop = _middle(page, _header_at(number))
            if page[start:stop].strip(b"\0"):
                found.append(number)
        return found

    def wipe(self, number: int) -> None:
        """Wipe the middle of a page."""
        start, stop = _middle(self._page(number), _header_at(number))
        os.pwrite(self._file, bytes(stop - start), (number - 1) * self._size + start)

    def _page(self, number: int) -> bytes:
        return os.pread(self._file, self._size, (number - 1) * self._size)


def _header_at(number: int) -> int:
    return _FIRST_HEADER if number == 1 else 0


def _children(page: bytes, at: int) -> list[int]:
    if len(page) <= at or page[at] not in _INNER:
        return []
    (count,) = struct.unpack_from(">H", page, at + 3)
    cells = struct.unpack_from(f">{count}H", page, at + 12)
    return [*(struct.unpack_from(">I", page, cell)[0] for cell in cells), struct.unpack_from(">I", page, at + 8)[0]]


def _middle(page: bytes, at: int) -> tuple[int, int]:
    """Return where the unused middle of a page begins and ends; (0, 0) for what is no sound page of a tree."""
    if len(page) <= at or page[at] not in _LEAVES | _INNER:
        return 0, 0
    count, content = struct.unpack_from(">HH", page, at + 3)
    start, stop = at + (12 if page[at] in _INNER else 8) + 2 * count, content or 65536
    return (start, stop) if start <= stop <= len(page) else (0, 0)


def main() -> None:
    """Run `find PATH ROOTS MOST`, which prints pages as JSON, or `wipe PATH PAGES PARENT`, which wipes them."""
    what, path, numbers, number = sys.argv[1:]
    file = os.open(path, os.O_RDONLY if what == "find" else os.O_RDWR)
    pages = Pages(file)
    if what == "find":
        sys.stdout.write(json.dumps(pages.residue(json.loads(numbers), int(number))))
        return
    for page in json.loads(numbers):
        if os.getppid() != int(number):  # the process that holds the lock has died
            sys.exit(1)
        pages.wipe(page)
    os.fsync(file)


if __name__ == "__main__":
    main()
