"""Asking better, told on videos of three colours: without, in order, side by side, from whom and when, and refined."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.conversation.commands import find
from core.model.events import Action, Find, Turn
from core.model.video import Scope, View
from tests.core.conftest import turn
from tests.support.videos import put_video

if TYPE_CHECKING:
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

SCENES = [("red", 3), ("green", 3), ("blue", 3), ("red", 2), ("blue", 2)]
SHARED = View("local", "home", frozenset({"main", "clips"}))


async def ask(house: ColourHouse, text: str, who: Turn | None = None) -> Reply:
    return await house.last(find(who or turn(), text))


async def test_given_an_unwanted_text_when_asked_then_it_is_left_out(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("green", 3), ("black", 3), ("red", 3), ("black", 4)])
    assert "0:00 in video" in (await ask(house, "something red and green")).text
    assert "0:06 in video" in (await ask(house, "something red and green -green")).text


async def test_given_one_thing_then_another_when_asked_then_a_pair_shows_both(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, "green > red")
    first, pair, green, red = reply.text.splitlines()[:4]
    assert (first, pair[:11]) == ("0:03, then 0:09 in video", "Pair 1 of 1")
    assert green.startswith("“green” 0:03 to 0:06.")
    assert red.startswith("“red” 0:09 to 0:11.")
    assert [picture.name for picture in reply.pictures] == ["frame.jpg", "then.jpg", "plot.png"]
    assert "Frame at 0:09" in reply.pictures[1].alt


async def test_given_a_pair_with_an_unlikely_end_when_asked_then_it_is_unlikely(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("green", 3), ("blue", 3), ("red", 3), ("black", 3), ("yellow", 2)])
    reply = await ask(house, "red > green")
    first, then = reply.text.splitlines()[2:4]
    assert first.endswith("Strong match.")
    assert then.endswith("Unlikely.")
    assert reply.level == "absent"


async def test_given_two_things_when_none_follows_then_it_is_said(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, "green >2s red")
    assert (reply.tone, reply.private) == ("error", True)
    assert "no “green” with “red” after it within 2 s" in reply.text
    assert "/find green >8s red" in reply.text


async def test_given_texts_side_by_side_when_asked_then_curves_and_shares(
    house: ColourHouse,
) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, "blue | green | dark")
    assert reply.text.startswith("0:06 in video, for “blue”")
    assert "Probabilities among these here: blue 100 %, green less than 1 %, dark less than 1 %." in reply.text
    assert [line.text for line in house.plotter.specs[0].curve.lines] == ["blue", "green", "dark"]
    second = next(button for button in reply.buttons if button.label.startswith("2"))
    assert "0:03 in video, for “green”" in (await house.last(Action(turn(), second.id))).text


async def test_given_a_poster_filter_when_asked_then_only_their_videos(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    bob = replace(turn(), user_id="u2", user_name="Bob")
    await put_video(house, bob, "bobs", [("red", 3), ("black", 3)])
    assert " in bobs" in (await ask(house, "red from:bo")).text
    assert " in bobs" in (await ask(house, "red from:@u2")).text
    assert " in video" in (await ask(house, "red from:me")).text
    assert "Nobody called “eve”" in (await ask(house, "red from:eve")).text


async def test_given_a_time_filter_when_asked_then_only_videos_of_then(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    assert (await ask(house, f"red after:yesterday before:{tomorrow}")).tone == "plain"
    assert "none that was posted so" in (await ask(house, f"red after:{tomorrow}")).text
    assert "none that was posted so" in (await ask(house, "red before:yesterday")).text


async def test_given_a_channel_filter_when_asked_then_that_channel_if_visible(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    elsewhere = replace(turn(), scope=Scope("local", "home", "clips"), view=View.of(Scope("local", "home", "clips")))
    await put_video(house, elsewhere, "clip", [("red", 3), ("black", 3)])
    both = replace(turn(), view=SHARED)
    assert " in clip" in (await ask(house, "red in:#clips", both)).text
    assert " in video" in (await ask(house, "red in:here", both)).text
    assert "no channel “secret”" in (await ask(house, "red in:secret", both)).text
    assert "no channel “clips”" in (await ask(house, "red in:clips")).text
    named = replace(find(turn(), "red in:Fine-Clips"), rooms=(("clips", "fine-clips"),))
    assert " in clip" in (await house.last(named)).text


async def test_given_a_plus_when_asked_then_the_askers_last_one_is_refined(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    assert "not asked anything here" in (await ask(house, "+at night")).text
    await ask(house, "something red")
    await ask(house, "green", replace(turn(), user_id="u2"))
    assert (await ask(house, "+-blue at night")).title == "“something red -blue at night”"


async def test_given_a_follow_up_when_asked_then_its_answer_is_refined(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    answer = (await ask(house, "something red")).buttons[0].id.split(":")[1]
    await ask(house, "blue")
    reply = await house.last(replace(find(turn(), "at night"), refines=answer))
    assert reply.title == "“something red at night”"
    assert (await house.last(Find(turn("clips"), "at night", refines=answer))).tone == "error"


@pytest.mark.parametrize("text", ["green > red", "blue | green", "red -green", 'a "red" thing from:me'])
async def test_given_several_curves_when_a_button_is_pressed_then_the_same_ones(house: ColourHouse, text: str) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, text)
    await house.last(Action(turn(), next(one.id for one in reply.buttons if one.active)))
    first, again = house.plotter.specs[0].curve, house.plotter.specs[-1].curve
    assert first.scores == pytest.approx(again.scores)
    assert [line.text for line in first.lines] == [line.text for line in again.lines]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("red after:foo", "no such date as in “after:foo”"),
        ("red before:2026-13", "no such date as in “before:2026-13”"),
        ("red >0s blue", "do not understand “>0s”"),
        ("red > blue > green", "more than I can look for at once"),
        ("red |", "missing beside “|”"),
    ],
)
async def test_given_a_part_that_means_nothing_when_asked_then_that_is_said(
    house: ColourHouse, asked: str, said: str
) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, asked)
    assert (reply.tone, reply.private) == ("error", True)
    assert said in reply.text


async def test_given_an_open_mark_when_the_question_is_refined_then_it_is_whole(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    await ask(house, "red")
    assert "Probabilities" in (await ask(house, "+| blue")).text


async def test_given_an_unlikely_moment_when_reached_by_next_then_buttons_stay(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("red", 3), ("green", 3), ("blue", 3), ("navy", 3), ("yellow", 2)])
    first = await ask(house, "red")
    assert [one.level for one in first.strip] == ["strong", "absent"]
    following = next(one for one in first.buttons if one.label == "Next")
    second = await house.last(Action(turn(), following.id))
    assert second.level == "absent"
    for reply in (first, second):
        seen = [one.label for one in reply.buttons if not one.more]
        assert seen[-4:] == ["Previous", "Next", "Preview", "Cut"]
