"""Videos in a folder and all below it, and those that appear there later."""

from __future__ import annotations

import asyncio
import os
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bot.doors.messages import is_video

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    State: TypeAlias = tuple[int, int]
    """Size and time of change of a file."""

LOOKED_AT_EACH_S = 2.0
"""Polled, since network folders tell nobody of changes."""


def videos_in(folder: Path, glob: str) -> Iterator[str]:
    """Yield the paths of the videos in a folder and below, in order; with a glob, the files whose names match it.

    What is hidden is left out, and links to folders are not followed, so that no folder is entered twice.
    """
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if not name.startswith(".") and (fnmatch(name, glob) if glob else is_video(name, "")):
                yield str(Path(place) / name)


async def appearing(folders: Sequence[Path], glob: str, known: Mapping[str, State]) -> AsyncIterator[str]:
    """Yield each video that appears or changes, once it has stopped growing; never ends.

    `known`: what was indexed already, with its state before that: what grew meanwhile is indexed anew.
    """
    done = dict(known)
    before = dict(done)
    while True:
        now = await asyncio.to_thread(_states, folders, glob)
        for path, state in now.items():
            if before.get(path) == state and done.get(path) != state:
                done[path] = state
                yield path
        before = now
        await asyncio.sleep(LOOKED_AT_EACH_S)


def _states(folders: Sequence[Path], glob: str) -> dict[str, State]:
    states = {path: state_of(path) for folder in folders for path in videos_in(folder, glob)}
    return {path: state for path, state in states.items() if state[0] > 0}


def state_of(path: str) -> State:
    """Return a file's size and time of change; zeros where it is gone."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - also for names that are no text
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns
