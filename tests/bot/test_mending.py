"""When nothing of a database can be read, the videos are kept, and looked at anew where that is nobody's secret."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.settings import Settings
from bot.wiring.app import mend, open_core
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from pathlib import Path

VIDEO = "0123456789abcdef0123456789abcdef.mp4"


async def ruined(folder: Path) -> Path:
    """Give a data folder with a video, and a database of which nothing can be read, nor was anything kept."""
    data = folder / "data"
    await (await SqliteLibrary.open(data / "keaton.sqlite3")).close()

    def ruin() -> None:
        (data / "keaton.sqlite3.tables").unlink()
        content = (data / "keaton.sqlite3").read_bytes()
        (data / "keaton.sqlite3").write_bytes(b"\xa5" * len(content))
        (data / "media").mkdir()
        (data / "media" / VIDEO).write_bytes(b"a video")

    await asyncio.to_thread(ruin)
    return data


@pytest.mark.parametrize("token", ["", "a token"])
async def test_videos_of_a_ruined_library_are_set_aside_and_looked_at_anew_where_one_person_alone_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    data = await ruined(tmp_path)
    monkeypatch.setenv("KEATON_DATA_DIR", str(data))
    monkeypatch.setenv("DISCORD_TOKEN", token)
    settings = Settings()
    mended = await mend(settings)
    assert (mended.repaired.salvaged_rows, mended.deleted) == (0, 0)
    assert mended.aside is not None
    assert (mended.aside.parent, (mended.aside / VIDEO).exists()) == (data / "set-aside", True)
    async with open_core(settings, is_bot=True) as core:
        left = await core.parts.foreman.left("local")
    assert mended.queued == len(left) == (0 if token else 1)
