"""Who asks for a video to be forgotten is told what became of it, and it is that video, whenever Keaton dies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.doors.requests import event_of
from core.model.events import FilePosted, Forget
from core.model.requests import MessageKey
from tests.core.conftest import turn
from tests.support import clips
from tests.support.jobs_done import accepted, asked, reborn

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.requests import Job
    from tests.core.conftest import ColourHouse


async def to_forget(house: ColourHouse, name: str) -> Job:
    request = asked(name)
    return await accepted(house, replace(request, key=MessageKey(turn().scope, "", "asked"), kind="forget"))


async def after_a_crash(house: ColourHouse) -> str:
    job = await reborn(house, "forget")
    event = event_of(job.request, turn())
    assert isinstance(event, Forget)
    said = (await house.last(replace(event, job=job.ref))).text
    await house.runner.settle(job.ref)
    return said


async def test_given_a_forgotten_video_when_crashed_then_told_and_no_other_goes(
    house: ColourHouse, colour_video: Path, tmp_path: Path
) -> None:
    other = clips.make_clip(tmp_path / "other.mp4", [("white", 1.0)])
    await house.last(FilePosted(turn(), colour_video, "colours.mp4"))
    await house.last(FilePosted(turn(), other, "more colours.mp4"))
    job = await to_forget(house, "colours")
    said = (await house.last(Forget(turn(), "colours", job.ref))).text
    assert said.startswith("Forgotten: colours.")
    assert await after_a_crash(house) == said
    assert [one.video.title for one in await house.library.videos(turn().view)] == ["more colours"]


async def test_given_a_told_forgetting_when_done_then_nothing_names_the_video(
    house: ColourHouse, colour_video: Path
) -> None:
    await house.last(FilePosted(turn(), colour_video, "colours.mp4"))
    job = await to_forget(house, "colours")
    await house.last(Forget(turn(), "colours", job.ref))
    await house.runner.settle(job.ref)
    rows = await house.library.connections.rows("SELECT * FROM jobs", {})
    assert [value for row in rows for value in tuple(row) if "colours" in str(value)] == []


async def test_given_an_unknown_name_when_crashed_then_it_stays_unknown(house: ColourHouse, colour_video: Path) -> None:
    await house.last(FilePosted(turn(), colour_video, "colours.mp4"))
    job = await to_forget(house, "blues")
    said = (await house.last(Forget(turn(), "blues", job.ref))).text
    assert "blues" in said
    assert await after_a_crash(house) == said


async def test_given_part_of_a_name_then_the_whole_is_said_and_none_is_forgotten(
    house: ColourHouse, colour_video: Path
) -> None:
    await house.last(FilePosted(turn(), colour_video, "colours.mp4"))
    said = (await house.last(Forget(turn(), "colour"))).text
    assert "Do you mean “colours”?" in said
    assert len(await house.library.videos(turn().view)) == 1
