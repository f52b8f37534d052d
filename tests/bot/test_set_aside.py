"""No media file is deleted for want of a database that knows it: what happened is told, and it comes back with that."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot.cli.doctor import findings
from bot.settings import Settings
from bot.wiring.app import mend, open_core
from core.model.video import FrameIndex, IndexedVideo, Posting, Preprocess, Recipe, Sampling, Scope, Video, View

if TYPE_CHECKING:
    from pathlib import Path

    from bot.cli.doctor import Finding
    from bot.wiring.app import Product

pytestmark = pytest.mark.slow
HERE = Scope("local", "home", "main")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KEATON_DATA_DIR", str(tmp_path / "data"))
    return Settings()


async def keep(core: Product, name: str) -> None:
    """Keep a video with its file."""
    recipe = Recipe("m", "w", Preprocess(8, "squash", "bilinear", (0, 0, 0), (1, 1, 1)), Sampling(), "fp32")
    video = IndexedVideo(
        Video(name, "", name, 1.0, 8, 8), recipe, FrameIndex(np.zeros(1), np.eye(1, 4, dtype=np.float32)), ()
    )
    async with core.kept.media.workshop() as folder:
        await asyncio.to_thread((folder / "film.mp4").write_bytes, name.encode())
        await core.kept.media.keep(folder / "film.mp4", name)
    await core.kept.library.save(video, Posting(name, HERE, "u", "Ada", "", datetime.now(UTC), title=name), [])


async def started(settings: Settings, *names: str) -> int:
    """Start and stop, as `keaton run` does; return how many of these videos have their file."""
    async with open_core(settings, is_bot=True) as core:
        await core.parts.runner.tidy()
        return len([name for name in names if await core.kept.media.path(name)])


async def told(settings: Settings, what: str) -> list[Finding]:
    return [finding async for finding in findings(settings) if finding.what == what]


def aside(settings: Settings) -> set[bytes]:
    return {path.read_bytes() for path in (settings.data_dir / "set-aside").glob("*/*")}


async def test_given_a_missing_database_then_its_files_are_kept_and_come_back(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_core(settings, is_bot=True) as core:
        await keep(core, "one")
        await keep(core, "two")
        await asyncio.to_thread((core.kept.media.inbox / "posted.mp4").write_bytes, b"posted")
    away = settings.data_dir.with_name("away")
    await asyncio.to_thread(shutil.move, settings.database, away)
    async with open_core(settings) as core:  # some command was the first to find no database
        assert await core.kept.library.videos(View.of(HERE)) == ()
    assert "was gone, so a new one was made" in caplog.text
    assert await started(settings, "one", "two") == 0
    assert await asyncio.to_thread(aside, settings) == {b"one", b"two", b"posted"}
    assert "3 files that no video leads to were set aside" in caplog.text
    (finding,) = await told(settings, "Set aside")
    assert (finding.health, str(settings.database) in finding.text, "3 media files" in finding.text) == (
        "note",
        True,
        True,
    )
    await asyncio.to_thread(away.replace, settings.database)
    assert await started(settings, "one", "two") == 2
    assert await asyncio.to_thread(aside, settings) == {b"posted"}
    (finding,) = await told(settings, "Database")
    assert (finding.health, "not the one that lay there before" in finding.text) == ("note", True)


async def test_given_videos_lost_with_a_log_then_files_stay_and_doctor_tells(
    settings: Settings,
) -> None:
    died = settings.data_dir.with_name("died")
    async with open_core(settings, is_bot=True) as core:
        await keep(core, "one")
        await core.kept.library.connections.empty_log()
        await keep(core, "two")
        await asyncio.to_thread(shutil.copytree, settings.data_dir, died)
    await asyncio.to_thread(shutil.rmtree, settings.data_dir)
    await asyncio.to_thread(died.replace, settings.data_dir)
    settings.database.with_name(settings.database.name + "-shm").unlink()
    log = settings.database.with_name(settings.database.name + "-wal")
    await asyncio.to_thread(log.write_bytes, b"\xa5" * log.stat().st_size)
    assert await started(settings, "one", "two") == 1
    assert await asyncio.to_thread(aside, settings) == {b"two"}
    (finding,) = await told(settings, "Database")
    assert finding.health == "wrong"
    assert "the newest 1 changes" in finding.text
    await mend(settings)
    (finding,) = await told(settings, "Database")
    assert finding.health == "ok"


@pytest.mark.parametrize("is_log_there", [False, True])
async def test_given_a_database_without_its_mark_then_strays_are_kept_and_told(
    settings: Settings, caplog: pytest.LogCaptureFixture, is_log_there: bool
) -> None:
    """So it is after a kill with the log and the mark gone, or on another machine to which they were not copied."""
    died = settings.data_dir.with_name("died")
    async with open_core(settings, is_bot=True) as core:
        await keep(core, "one")
        await core.kept.library.connections.empty_log()
        await keep(core, "two")
        await asyncio.to_thread(shutil.copytree, settings.data_dir, died)
    await asyncio.to_thread(shutil.rmtree, settings.data_dir)
    await asyncio.to_thread(died.replace, settings.data_dir)
    for ending in (".mark", "-shm", *(() if is_log_there else ("-wal",))):
        settings.database.with_name(settings.database.name + ending).unlink()
    assert await started(settings, "one", "two") == 1 + is_log_there
    assert await asyncio.to_thread(aside, settings) == (set() if is_log_there else {b"two"})
    assert "not known whether the newest changes" in caplog.text
    (finding,) = await told(settings, "Database")
    assert (finding.health, "nothing tells whether the newest changes" in finding.text) == ("note", True)
    caplog.clear()
    assert await started(settings, "one") == 1
    assert "not known" not in caplog.text
    await mend(settings)
    (finding,) = await told(settings, "Database")
    assert finding.health == "ok"


async def test_given_strays_and_kept_files_when_tidied_or_forgotten_then_deleted(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert await started(settings) == 0
    async with open_core(settings, is_bot=True) as core:
        await keep(core, "kept")
        for name in ("stray", "set aside"):
            async with core.kept.media.workshop() as folder:
                await asyncio.to_thread((folder / "film.mp4").write_bytes, name.encode())
                await core.kept.media.keep(folder / "film.mp4", name)
            if name == "set aside":
                await core.parts.runner.set_aside()
            else:
                assert await core.parts.runner.tidy() == 1
                assert "1 media files that no video and no request leads to were deleted" in caplog.text
        assert await asyncio.to_thread(aside, settings) == {b"set aside"}
        await core.kept.media.forget("set aside")
    assert not [path for path in (settings.data_dir / "set-aside").rglob("*") if path.is_file()]
    assert await started(settings, "kept", "stray") == 1
