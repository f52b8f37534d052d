"""When nothing of a database can be read, the videos are kept, and looked at anew where that is nobody's secret."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.cli import doctor
from bot.settings import Settings
from bot.wiring.app import mend, open_core
from storage.library import SqliteLibrary
from tests.support.damaging import damage, page_with

if TYPE_CHECKING:
    from pathlib import Path

VIDEO = "0123456789abcdef0123456789abcdef.mp4"


async def ruined(folder: Path) -> Path:
    """Give a data folder with a video, and a database of which nothing can be read."""
    data = folder / "data"
    await (await SqliteLibrary.open(data / "keaton.sqlite3")).close()

    def ruin() -> None:
        content = (data / "keaton.sqlite3").read_bytes()
        (data / "keaton.sqlite3").write_bytes(b"\xa5" * len(content))
        (data / "media").mkdir()
        (data / "media" / VIDEO).write_bytes(b"a video")

    await asyncio.to_thread(ruin)
    return data


@pytest.mark.parametrize("token", ["", "a token"])
async def test_given_a_ruined_library_of_one_person_then_videos_are_indexed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    data = await ruined(tmp_path)
    monkeypatch.setenv("KEATON_DATA_DIR", str(data))
    monkeypatch.setenv("DISCORD_TOKEN", token)
    settings = Settings()
    mended = await mend(settings)
    assert (mended.repaired.outcome, mended.deleted) == ("begun", 0)
    assert mended.aside is not None
    assert (mended.aside.parent, (mended.aside / VIDEO).exists()) == (data / "set-aside", True)
    async with open_core(settings, is_bot=True) as core:
        left = await core.parts.runner.jobs.left("local")
    assert mended.queued == len(left) == (0 if token else 1)


async def test_given_a_damaged_database_without_backup_then_recovery_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keaton.sqlite3"
    library = await SqliteLibrary.open(path)
    async with library.connections.writing() as db:
        await db.execute("INSERT INTO notes VALUES ('long', ?)", ("far too long a note " * 5000,))
    await library.close()
    damage(path, page_with(path, b"far too long a note"))
    monkeypatch.setenv("KEATON_DATA_DIR", str(tmp_path))
    assert await doctor.repair(Settings()) == 1
    said = capsys.readouterr().out
    assert "no backup that is sound, so the database was left as it is" in said
    assert f'sqlite3 "{tmp_path}/backups/0001-before-repair.sqlite3" .recover | sqlite3 recovered.sqlite3' in said
