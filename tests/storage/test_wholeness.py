"""A video is there whole or not at all, whatever happens in the middle of saving it.

The links are saved last and are read one by one in the connection's thread: what happens while they are read happens
in the middle of the transaction.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, overload

import pytest

from core.errors import StorageUnusable
from core.model.video import IndexedVideo, Posting, Recipe, Scope, View
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

VideoMaker = Callable[..., IndexedVideo]
PostingMaker = Callable[..., Posting]


class Links(Sequence[str]):
    """One link, and something that happens while it is read."""

    def __init__(self, event: Callable[[], object]) -> None:
        self._event = event

    def __iter__(self) -> Iterator[str]:
        yield "link"
        self._event()

    def __len__(self) -> int:
        return 1

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        return ["link"][at]


def fail() -> None:
    raise RuntimeError("in the middle")


async def test_a_save_that_fails_half_way_leaves_nothing_and_the_next_succeeds(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    with pytest.raises(RuntimeError):
        await library.save(make_video(), make_posting(), Links(fail))
    assert await library.video("youtube:buster") is None
    assert await library.videos(View.of(channel)) == ()
    await library.save(make_video("next"), make_posting("next"), ["link"])
    assert [shown.video.id for shown in await library.videos(View.of(channel))] == ["next"]


async def test_a_video_that_fails_half_way_leaves_its_older_self_as_it_was(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, recipe: Recipe
) -> None:
    old = make_video(title="Old", frames=10)
    await library.save(old, make_posting(title="Old"), [])
    with pytest.raises(RuntimeError):
        await library.save(make_video(title="New", frames=30, thumbnails=9), make_posting(), Links(fail))
    ((video, index),) = await library.indexes(View.of(channel), recipe.key)
    assert (video.title, len(index)) == ("Old", 10)
    assert await library.thumbnails("youtube:buster") == old.thumbnails


async def test_a_save_cancelled_half_way_leaves_nothing_and_the_next_succeeds(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    reached, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def pause() -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait(10)

    saving = asyncio.create_task(library.save(make_video(), make_posting(), Links(pause)))
    await reached.wait()
    saving.cancel()
    # The next one queues up behind the rollback, which queues up behind the paused statement.
    following = asyncio.create_task(library.save(make_video("next"), make_posting("next"), []))
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await saving
    await following
    assert await library.video("youtube:buster") is None
    assert await library.video("next") is not None


async def test_a_save_cancelled_before_it_began_leaves_the_library_usable(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    for _ in range(5):
        saving = asyncio.create_task(library.save(make_video(), make_posting(), []))
        await asyncio.sleep(0)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving
    assert await library.video("youtube:buster") is None
    await library.save(make_video(), make_posting(), [])
    assert await library.video("youtube:buster") is not None


async def test_others_read_the_state_before_while_a_video_is_being_saved(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video("first"), make_posting("first"), [])
    reached, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def pause() -> None:
        loop.call_soon_threadsafe(reached.set)
        go_on.wait(10)

    saving = asyncio.create_task(library.save(make_video(), make_posting(minute=1), Links(pause)))
    await reached.wait()
    during = await library.videos(View.of(channel))
    go_on.set()
    await saving
    assert [shown.video.id for shown in during] == ["first"]
    assert len(await library.videos(View.of(channel))) == 2


async def test_many_saves_at_once_all_arrive(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    names = [f"video{n}" for n in range(20)]
    await asyncio.gather(*(library.save(make_video(name), make_posting(name), [name]) for name in names))
    assert {shown.video.id for shown in await library.videos(View.of(channel))} == set(names)


async def test_two_open_libraries_share_one_file(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    other = await SqliteLibrary.open(tmp_path / "keaton.db")
    names = [f"video{n}" for n in range(10)]
    await asyncio.gather(*(at.save(make_video(n), make_posting(n), []) for n in names for at in (library, other)))
    assert len(await other.videos(View.of(channel))) == len(await library.videos(View.of(channel))) == 10
    await other.close()


KILLED = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from core.model.video import *
from storage.library import SqliteLibrary

class Links(list):
    def __iter__(self):
        yield "link"
        os.kill(os.getpid(), signal.SIGKILL)

def video(name, frames):
    vectors = np.tile(np.eye(1, 512, dtype=np.float32), (frames, 1))
    recipe = Recipe("m", "w", Preprocess(224, "shortest", "bicubic", (0, 0, 0), (1, 1, 1)), Sampling(), "fp32")
    index = FrameIndex(np.arange(frames, dtype=np.float64), vectors)
    thumbnails = tuple(Thumbnail(float(n), bytes(9000)) for n in range(600))
    return IndexedVideo(Video(name, "", name, 1.0, 1, 1), recipe, index, thumbnails)

async def main():
    library = await SqliteLibrary.open(Path(sys.argv[1]))
    posting = lambda name: Posting(name, Scope("discord", "guild", "general"), "u", "U", "m", datetime.now(UTC))
    await library.save(video("whole", 5), posting("whole"), [])
    await library.save(video("half", 7200), posting("half"), Links())

asyncio.run(main())
"""


async def test_a_killed_save_leaves_nothing_and_older_videos_whole(tmp_path: Path, channel: Scope) -> None:
    path = tmp_path / "keaton.db"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", KILLED, str(path)], env=env, check=False)
    assert killed.returncode == -signal.SIGKILL
    library = await SqliteLibrary.open(path)
    assert [shown.video.id for shown in await library.videos(View.of(channel))] == ["whole"]
    for table in ("chunks", "indexings", "videos", "postings"):
        ((count,),) = await library.connections.rows(f"SELECT count(*) FROM {table}", {})  # noqa: S608 - a test's own words
        assert count == 1
    await library.close()


async def test_a_damaged_file_is_the_operators_to_mend(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope, tmp_path: Path
) -> None:
    await library.save(make_video(frames=5000, dim=512), make_posting(), [])
    await library.close()
    path = tmp_path / "keaton.db"
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x55" * (size - 4096))
    with pytest.raises(StorageUnusable) as caught:
        await _open_and_list(path, channel)
    assert caught.value.path == str(path)
    assert caught.value.__cause__ is not None


async def _open_and_list(path: Path, channel: Scope) -> None:
    library = await SqliteLibrary.open(path)
    try:
        await library.videos(View.of(channel))
    finally:
        await library.close()
