"""The story of the product, told on a video of three colours."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from core.model.events import Action, FilePosted, Find, Forget, Help, LinkPosted, ListVideos, Unclear
from core.model.query import Query
from tests.core.conftest import build, ignore, opened, poster, turn
from tests.support.fakes import ColourEncoder

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.reply import Reply
    from tests.conftest import MakeClip
    from tests.core.conftest import ColourHouse

LINK = "https://films.example/colours.mp4"


async def post(house: ColourHouse, video: Path, channel: str = "main") -> Reply:
    return await house.last(FilePosted(turn(channel), video, video.name))


def picture(reply: Reply, kind: str) -> Image.Image:
    (found,) = [one for one in reply.pictures if one.kind == kind]
    return Image.open(io.BytesIO(found.data["light"])).convert("RGB")


def press(reply: Reply, label: str) -> str:
    return next(button.id for button in reply.buttons if button.label.startswith(label))


async def test_given_three_colours_when_green_is_asked_then_the_green_scene(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    await house.last(Find(turn(), "something green"))
    best = house.plotter.specs[0].numbered[0][1]
    assert 3 <= best.start_s <= best.peak_s < best.end_s < 6.3


async def test_given_three_colours_when_green_is_asked_then_a_green_frame(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    reply = await house.last(Find(turn(), "blue"))
    red, green, blue = picture(reply, "frame").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert blue > 150 > max(red, green)


async def test_given_no_room_in_memory_when_asked_then_it_says_so(colour_video: Path, tmp_path: Path) -> None:
    async with opened(tmp_path, budget_bytes=0) as cramped:
        await post(cramped, colour_video)
        reply = await cramped.last(Find(turn(), "blue"))
    assert "0:06 in colours" in reply.text
    assert "1 video does not fit into memory and had to be read from the disk, so this took longer." in reply.text


async def test_given_an_answer_when_shown_then_it_says_when_where_and_alt_texts(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    reply = await house.last(Find(turn(), "blue"))
    assert reply.title == "“blue”"
    assert "0:06 in colours" in reply.text
    assert all("“blue”" in one.alt and "colours" in one.alt for one in reply.pictures)


async def test_given_a_posted_video_when_indexed_then_progress_is_told_before(
    house: ColourHouse, colour_video: Path
) -> None:
    replies = await house.say(FilePosted(turn(), colour_video, "colours.mp4"))
    shares = [reply.progress.fraction for reply in replies if reply.progress and reply.progress.fraction is not None]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert replies[-1].progress is None
    assert "Ready to search" in replies[-1].text


@pytest.mark.slow
async def test_given_moments_when_next_is_pressed_then_they_follow(house: ColourHouse, make_clip: MakeClip) -> None:
    colours = [("red", 3), ("blue", 2), ("black", 8), ("blue", 3), ("grey", 6)]
    await post(house, make_clip("film.mp4", colours))
    first = await house.last(Find(turn(), "blue"))
    second = await house.last(Action(turn(), press(first, "Next")))
    assert second.updates
    assert [button.label[:1] for button in second.buttons if button.active] == ["2"]
    back = await house.last(Action(turn(), press(second, "Previous")))
    assert back.text == first.text


@pytest.mark.slow
async def test_given_several_videos_when_answered_then_buttons_name_them(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    for name in ("One long name of a video that does not fit.mp4", "Two.mp4"):
        video = make_clip(name, [("green", 2), ("red", 2), ("green", 2 if name == "Two.mp4" else 3)])
        await house.last(FilePosted(turn(), video, name))
    found = await house.last(Find(turn(), "green"))
    labels = [button.label for button in found.buttons if button.label[:1].isdigit()]
    names = [label.split(" · ")[2] for label in labels]
    assert set(names[:2]) == {"One long name of a vide…", "Two"}
    assert len(names) > 2
    alone = await house.last(Find(turn(), "green", "Two"))
    assert all(button.label.count(" · ") < 2 for button in alone.buttons)


async def test_given_an_answer_when_softmax_is_pressed_then_its_plot_shows_it(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    reply = await house.last(Find(turn(), "blue"))
    await house.last(Action(turn(), press(reply, "As softmax")))
    assert [spec.style for spec in house.plotter.specs] == ["similarity"] * 2 + ["softmax"] * 2


async def test_given_a_link_when_posted_twice_then_it_is_fetched_once(house: ColourHouse, colour_video: Path) -> None:
    house.fetcher.web[LINK] = colour_video
    first = await house.last(LinkPosted(turn(), LINK))
    second = await house.last(LinkPosted(turn(), LINK + "#t=3"))
    assert house.fetcher.fetched == [LINK]
    assert ("Ready to search" in first.text, "know this video already" in second.text) == (True, True)


async def test_given_an_uploader_when_fetched_then_it_is_told_and_kept(house: ColourHouse, colour_video: Path) -> None:
    house.fetcher.web[LINK] = colour_video
    assert "by Buster" in (await house.last(LinkPosted(turn(), LINK))).text
    (posted,) = await house.library.videos(turn().view)
    assert posted.video.uploader == "Buster"


async def test_given_a_dead_link_when_posted_then_a_private_sentence(house: ColourHouse) -> None:
    reply = await house.last(LinkPosted(turn(), "https://nowhere.example/a.mp4"))
    assert (reply.tone, reply.private) == ("error", True)
    assert "leads nowhere" in reply.text


async def test_given_two_channels_when_one_video_then_indexed_once_found_in_both(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, "one")
    looks = sum(house.encoder.batches)
    await post(house, colour_video, "two")
    assert sum(house.encoder.batches) == looks
    for channel in ("one", "two"):
        assert (await house.last(Find(turn(channel), "red"))).tone == "plain"


async def test_given_another_channel_when_asked_then_the_video_is_not_found(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, "one")
    for other in (turn("two"), turn("one", space="elsewhere"), turn("one", platform="slack")):
        assert (await house.last(Find(other, "red"))).tone == "error"


async def test_given_another_channel_when_a_button_is_pressed_then_nothing_shows(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, "one")
    reply = await house.last(Find(turn("one"), "red"))
    assert (await house.last(Action(turn("two"), press(reply, "1")))).tone == "error"


async def test_given_a_video_when_forgotten_then_file_and_answers_go(house: ColourHouse, colour_video: Path) -> None:
    await post(house, colour_video)
    answer = await house.last(Find(turn(), "red"))
    (posted,) = await house.library.videos(turn().view)
    reply = await house.last(Forget(turn(), "colours"))
    assert "Forgotten" in reply.text
    assert await house.media.path(posted.video.id) is None
    assert (await house.last(Action(turn(), press(answer, "1")))).tone == "error"
    assert (await house.last(Find(turn(), "red"))).tone == "error"


@pytest.mark.slow
async def test_given_another_model_when_asked_then_the_video_is_reindexed(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    other = build(house.library, house.media, house.reader, ColourEncoder("new eyes"), house.index)
    replies = await other.say(Find(turn(), "green"))
    assert "model has changed" in replies[0].text
    assert replies[-1].title == "“green”"
    assert other.encoder.batches[: len(house.encoder.batches)] == house.encoder.batches
    assert [reply.title for reply in await other.say(Find(turn(), "green"))] == ["“green”"]


async def test_given_a_lost_file_when_a_button_is_pressed_then_the_answer_stands(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    (posted,) = await house.library.videos(turn().view)
    await house.media.forget(posted.video.id)
    reply = await house.last(Find(turn(), "blue"))
    assert picture(reply, "frame").resize((1, 1)).getpixel((0, 0))[2] > 150  # type: ignore[index]


@pytest.mark.slow
async def test_given_a_truncated_video_when_asked_then_its_part_is_searched(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    from tests.support import clips  # noqa: PLC0415

    whole = make_clip("whole.mkv", [("red", 4), ("green", 4), ("blue", 8)])
    reply = await post(house, clips.cut(whole, 0.7))
    assert "breaks off" in reply.text
    assert (await house.last(Find(turn(), "red"))).tone == "plain"


async def test_given_two_posters_at_once_when_the_same_video_then_indexed_once(
    house: ColourHouse, colour_video: Path
) -> None:
    import asyncio  # noqa: PLC0415

    await asyncio.gather(post(house, colour_video, "one"), post(house, colour_video, "two"))
    assert sum(house.encoder.batches) == 3, "three colours, each of them looked at once"


async def test_given_no_video_when_posted_then_refused_and_nothing_left(house: ColourHouse, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video")
    reply = await post(house, text)
    assert (reply.tone, reply.text) == ("error", "notes.mp4 is not a video that I can open.")
    assert await house.library.videos(turn().view) == ()


async def test_given_any_frame_when_scored_then_it_is_the_cosine(house: ColourHouse, colour_video: Path) -> None:
    await house.indexer.file(colour_video, "colours.mp4", "", poster(), ignore)
    (curve,) = await house.searcher.curves(Query("green", turn().view))
    assert len(curve.times_s) == 16
    assert curve.scores.max() <= 1.0
    assert 3 <= curve.times_s[int(curve.scores.argmax())] < 6


async def test_given_a_channel_when_listed_then_its_videos_or_that_there_is_none(
    house: ColourHouse, colour_video: Path
) -> None:
    assert "no video here yet" in (await house.last(ListVideos(turn()))).text
    await post(house, colour_video)
    assert "colours (0:09)" in (await house.last(ListVideos(turn()))).text


async def test_given_help_or_unclear_words_when_said_then_a_private_reply(house: ColourHouse) -> None:
    assert [(await house.last(event)).private for event in (Help(turn()), Unclear(turn(), "hm"))] == [True, True]


async def test_given_an_empty_question_when_asked_then_it_asks_back(house: ColourHouse, colour_video: Path) -> None:
    await post(house, colour_video)
    assert "What shall I look for" in (await house.last(Find(turn(), "  "))).text


@pytest.mark.slow
async def test_given_a_named_video_when_asked_then_no_other_is_searched(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    await post(house, make_clip("first.mp4", [("red", 3), ("green", 3)]))
    await post(house, make_clip("second.mp4", [("blue", 3), ("green", 3)]))
    reply = await house.last(Find(turn(), "red", "second"))
    assert " in second" in reply.text
    everywhere = await house.last(replace(Find(turn(), "red")))
    assert " in first" in everywhere.text


async def test_given_an_absent_thing_when_asked_then_said_beside_the_nearest(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video)
    reply = await house.last(Find(turn(), "yellow"))
    assert reply.title == "“yellow”: probably not in this video"
    assert {one.kind for one in reply.pictures} == {"frame", "plot"}
    assert house.plotter.specs[-1].curve.baseline is not None
