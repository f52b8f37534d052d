"""What may be seen where: names stay in their channel, buttons are checked again, and who may take a video back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.model.events import Action, FilePosted, Find, Forget, ListVideos, MessageDeleted
from core.model.video import View
from tests.core.test_channels import said
from tests.core.test_story import press

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.events import Turn
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse


async def post(house: ColourHouse, video: Path, turn: Turn, name: str, url: str = "") -> Reply:
    return await house.last(FilePosted(turn, video, name, url))


def both(turn: Turn, *channels: str) -> Turn:
    """Give a turn whose answers draw on several channels."""
    return replace(turn, view=View(turn.scope.platform, turn.scope.space, frozenset(channels)))


async def test_given_two_channels_when_one_video_then_each_has_its_own_names(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, said("m1", "board", "Ada"), "Plan to sell.mp4", "https://films.example/secret")
    card = await post(house, colour_video, said("m2", "general", "Bob"), "Holiday.mp4")
    answer = await house.last(Find(said("", "general"), "blue"))
    listed = await house.last(ListVideos(said("", "general")))
    for reply in (card, answer, listed):
        assert "Holiday" in f"{reply.title} {reply.text}"
        assert "sell" not in repr(_all_of(reply))
        assert "secret" not in repr(_all_of(reply))
        assert "Ada" not in repr(_all_of(reply))
    inside = await house.last(Find(said("", "board"), "blue"))
    assert "Plan to sell" in inside.text
    assert [link.url for link in inside.links] == ["https://films.example/secret", "https://chat.test/m1"]


async def test_given_a_video_known_elsewhere_when_posted_then_nothing_tells(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await post(house, colour_video, said("m1", "board"), "colours.mp4")
    second = await post(house, colour_video, said("m2", "general"), "colours.mp4")
    assert (second.title, second.text) == (first.title, first.text)
    gone = await house.last(Forget(said("", "general"), "colours"))
    assert gone.text == "Forgotten: colours. Its frames, pictures and file are gone from here."


async def test_given_an_answers_button_when_pressed_elsewhere_then_it_is_gone(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, said("m1", "general"), "colours.mp4")
    answer = await house.last(Find(said("", "general"), "blue"))
    elsewhere = both(said("", "lobby"), "lobby", "general")
    assert (await house.last(Action(elsewhere, press(answer, "1")))).tone == "error"
    assert (await house.last(Action(said("", "general"), press(answer, "1")))).tone == "plain"


async def test_given_a_video_out_of_sight_when_pressed_then_the_answer_is_gone(
    house: ColourHouse, colour_video: Path
) -> None:
    await post(house, colour_video, said("m1", "videos"), "colours.mp4")
    wide = both(said("", "general"), "general", "videos")
    answer = await house.last(Find(wide, "blue"))
    assert (await house.last(Action(wide, press(answer, "1")))).tone == "plain"
    narrow = both(said("", "general"), "general")
    refusal = await house.last(Action(narrow, press(answer, "1")))
    assert (refusal.tone, refusal.pictures) == ("error", ())


async def test_given_a_last_posting_when_it_goes_then_its_answers_go(house: ColourHouse, colour_video: Path) -> None:
    await post(house, colour_video, said("m1", "general"), "colours.mp4")
    await post(house, colour_video, said("m2", "videos"), "colours.mp4")
    answer = await house.last(Find(said("", "general"), "a blue thing that only I asked for"))
    await house.say(MessageDeleted(said("m1", "general")))
    assert await house.library.answer(press(answer, "1").split(":")[1]) is None
    assert (await house.last(Find(said("", "videos"), "blue"))).tone == "plain"


async def test_given_a_video_when_taken_back_then_by_poster_or_moderator(
    house: ColourHouse, colour_video: Path
) -> None:
    stranger = replace(said("", user="Bob"), user_id="u2")
    for who, words in (
        (stranger, "Only the person who posted colours here"),
        (said(""), "Forgotten: colours"),
    ):
        await post(house, colour_video, said("m1"), "colours.mp4")
        assert words in (await house.last(Forget(who, "colours"))).text
    await post(house, colour_video, said("m1"), "colours.mp4")
    assert "Forgotten" in (await house.last(Forget(replace(stranger, moderator=True), "colours"))).text
    assert "no video here" in (await house.last(ListVideos(said("")))).text


async def test_given_two_posters_when_one_takes_back_then_the_other_post_stays(
    house: ColourHouse, colour_video: Path
) -> None:
    bob = replace(said("m2", user="Bob"), user_id="u2")
    await post(house, colour_video, said("m1"), "colours.mp4")
    await post(house, colour_video, bob, "colours.mp4")
    assert "Bob posted it here too" in (await house.last(Forget(said(""), "colours"))).text
    assert "Forgotten" in (await house.last(Forget(bob, "colours"))).text
    assert "Which video" not in (await house.last(Find(said(""), "blue"))).text


def _all_of(reply: Reply) -> tuple[object, ...]:
    return reply.title, reply.text, reply.links, [picture.alt for picture in reply.pictures]
