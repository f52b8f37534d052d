"""After a change of model, videos are looked at anew without anybody waiting in vain, and without undoing anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import UnknownVideo
from core.model.events import FilePosted, Find
from tests.core.conftest import ColourHouse, build, ignore, turn
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeClip


def with_new_eyes(house: ColourHouse) -> ColourHouse:
    return build(house.library, house.media, house.reader, ColourEncoder("new eyes"), house.index)


async def post(house: ColourHouse, video: Path) -> None:
    assert (await house.last(FilePosted(turn(), video, video.name))).tone == "plain"


async def test_given_a_video_being_reindexed_when_forgotten_then_it_stays_so(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    (posted,) = await house.library.videos(turn().view)
    await house.library.forget(posted.video.id, turn().view)
    with pytest.raises(UnknownVideo):
        await with_new_eyes(house).indexer.again(posted, ignore)
    assert await house.library.videos(turn().view) == ()
    assert await house.library.video(posted.video.id) is None
    assert await house.media.path(posted.video.id) is None


async def test_given_a_video_when_reindexed_then_it_is_posted_nowhere(house: ColourHouse, colour_video: Path) -> None:
    await post(house, colour_video)
    (before,) = await house.library.videos(turn().view)
    await with_new_eyes(house).indexer.again(before, ignore)
    assert await house.library.videos(turn().view) == (before,)


async def test_given_a_lost_video_when_reindexing_then_no_answer_is_delayed(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    await post(house, make_clip("lost.mp4", [("red", 3), ("blue", 3)]))
    (lost,) = await house.library.videos(turn().view)
    await house.media.forget(lost.video.id)
    other = with_new_eyes(house)
    await post(other, make_clip("kept.mp4", [("green", 3), ("blue", 3)]))
    first = await other.say(Find(turn(), "blue"))
    assert first
    assert all("1 more video is being looked at" in one.text for one in first)
    await other.renewal.close()
    assert "more video" not in (await other.last(Find(turn(), "blue"))).text


async def test_given_no_other_video_when_asked_then_the_first_is_waited_for(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    for name in ("one.mp4", "two.mp4"):
        await post(house, make_clip(name, [("red", 2), ("blue" if name == "one.mp4" else "green", 2)]))
    other = with_new_eyes(house)
    replies = await other.say(Find(turn(), "red"))
    assert "model has changed" in replies[0].text
    assert replies[-1].title == "“red”"
    assert "1 more video is being looked at" in replies[-1].text
    await other.renewal.close()


async def test_given_a_failed_save_when_reindexing_then_no_file_is_left(
    house: ColourHouse, colour_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise UnknownVideo("gone")

    monkeypatch.setattr(house.library, "save", fail)
    assert (await house.last(FilePosted(turn(), colour_video, "colours.mp4"))).tone == "error"
    assert [path for path in (tmp_path / "data" / "media").iterdir() if path.is_file()] == []
