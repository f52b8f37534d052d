"""Browsing an answer, told on a video of three colours."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image

from core.formatting import tenths
from core.model.events import Action, FilePosted, Find
from tests.core.conftest import CHOICES, remembered, turn
from tests.support.clips import Shape

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer

    from core.model.reply import Button, Reply
    from tests.conftest import MakeClip
    from tests.core.conftest import ColourHouse

IMPATIENT = replace(CHOICES, browsing=replace(CHOICES.browsing, patience_s=0.0))
MINUS = "\u2212"


def button(reply: Reply, label: str) -> Button:
    return next(one for one in reply.buttons if one.label.startswith(label))


async def press(house: ColourHouse, reply: Reply, *labels: str) -> Reply:
    """Press one button after the other, each under what the one before brought."""
    for label in labels:
        assert button(reply, label).enabled
        reply = await house.last(Action(turn(), button(reply, label).id))
    return reply


async def asked(house: ColourHouse, video: Path, text: str) -> Reply:
    await house.last(FilePosted(turn(), video, video.name))
    return await house.last(Find(turn(), text))


def colour(reply: Reply, kind: str = "frame") -> str:
    (found,) = [one for one in reply.pictures if one.kind == kind]
    pixel = Image.open(io.BytesIO(found.data["light"])).convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return ["red", "green", "blue"][pixel.index(max(pixel))]


async def test_given_a_moment_when_a_second_back_then_the_earlier_frame_stands(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    assert colour(first) == "blue"
    shown_s = house.plotter.specs[-1].numbered[0][1].peak_s
    earlier = await press(house, first, f"{MINUS}1 s", f"{MINUS}1 s")
    assert (colour(earlier), earlier.updates) == ("green", True)
    (mark_s,) = house.plotter.specs[-1].marks_s
    assert mark_s == pytest.approx(shown_s - 2)
    assert colour(await press(house, earlier, "+1 s", "+1 s")) == "blue"


async def test_given_a_step_when_the_number_is_pressed_then_it_leads_back(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    beside = await press(house, first, "+1 s")
    assert [one.label for one in beside.buttons if one.active] == []
    back = await press(house, beside, "1 ·")
    assert back.text.splitlines()[0] == first.text.splitlines()[0]
    assert [one.label for one in back.buttons if one.active] == ["1 · 0:06"]


async def test_given_the_first_second_when_stepping_back_then_it_stays_within(
    house: ColourHouse, colour_video: Path
) -> None:
    reply = await asked(house, colour_video, "red")
    for _ in range(5):
        if button(reply, f"{MINUS}1 s").enabled:
            reply = await press(house, reply, f"{MINUS}1 s")
    assert reply.text.startswith("0:00")
    assert not button(reply, f"{MINUS}1 s").enabled


async def test_given_moments_when_the_whole_is_shown_then_tiles_bear_numbers(
    house: ColourHouse, colour_video: Path
) -> None:
    reply = await press(house, await asked(house, colour_video, "blue"), "Whole video")
    (sheet, plot) = reply.pictures
    assert (sheet.kind, plot.kind) == ("sheet", "plot")
    assert sheet.data["light"].startswith(b"sheet of 16 with 1")
    assert "1 at 0:0" in sheet.alt
    assert [one.label for one in reply.buttons if one.active] == ["Whole video"]


async def test_given_no_file_when_shown_then_thumbnails_stand_and_it_is_said(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    (posted,) = await house.library.videos(turn().view)
    await house.media.forget(posted.video.id)
    reply = await press(house, first, "+1 s")
    assert "had to make room" in reply.text
    assert colour(reply) == "blue"


async def test_given_a_button_when_pressed_in_another_channel_then_nothing_shows(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    cut = await press(house, first, "Cut")
    for one in (*first.buttons, *cut.buttons):
        reply = await house.last(Action(turn("elsewhere"), one.id))
        assert (reply.tone, reply.pictures) == ("error", ())


def video_of(reply: Reply, kind: str) -> InputContainer:
    (found,) = [one for one in reply.pictures if one.kind == kind]
    return av.open(io.BytesIO(found.data["light"]), "r")


async def test_given_a_moment_when_previewed_then_it_moves_in_the_frames_place(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    reply = await press(house, first, "Preview")
    assert ([one.kind for one in reply.pictures], reply.updates) == (["preview", "plot"], True)
    with video_of(reply, "preview") as video:
        assert video.duration == pytest.approx(3_000_000, abs=60_000)
        assert not video.streams.audio
    assert colour(await press(house, reply, "1 ·")) == "blue"


async def test_given_a_cut_when_trimmed_then_its_two_ends_are_shown(house: ColourHouse, colour_video: Path) -> None:
    first = await asked(house, colour_video, "green")
    moment = (await remembered(house, first)).moments[0]
    assert (moment.start_s, moment.end_s) == pytest.approx((3, 6), abs=0.5)
    cut = await press(house, first, "Cut")
    assert f"{tenths(moment.start_s)} to {tenths(moment.end_s)}" in cut.text
    assert house.plotter.specs[-1].marks_s == pytest.approx((moment.start_s, moment.end_s), abs=1e-3)
    earlier = await press(house, cut, f"In {MINUS}½ s", "Out +½ s", "Out +½ s")
    assert f"{tenths(moment.start_s - 0.5)} to {tenths(moment.end_s + 1)}" in earlier.text
    (picture,) = [one for one in earlier.pictures if one.kind == "ends"]
    shown = [float(part.split()[0]) for part in picture.data["light"].decode().split(" | ")]
    assert shown == pytest.approx([moment.start_s - 0.5, moment.end_s + 1], abs=0.05)
    assert shown[1] < moment.end_s + 1


async def test_given_a_cut_when_it_is_sent_then_a_message_of_its_own_has_sound(
    house: ColourHouse, make_clip: MakeClip
) -> None:
    video = make_clip("my video.mp4", [("red", 3), ("green", 3), ("blue", 3)], Shape(sound_s=9.0))
    cut = await press(house, await asked(house, video, "green"), "Cut")
    moment = (await remembered(house, cut)).moments[0]
    sent = await press(house, cut, "Send the cut")
    assert (sent.updates, sent.private, sent.buttons) == (False, False, ())
    (picture,) = sent.pictures
    assert re.fullmatch(r"my-video_0m0\d\.\ds-0m0\d\.\ds\.mp4", picture.name)
    assert "with sound" in sent.text
    with video_of(sent, "cut") as made:
        seconds = (made.duration or 0) / 1e6
        assert seconds == pytest.approx(moment.end_s - moment.start_s, abs=0.06)
        assert len(made.streams.audio) == 1


@pytest.mark.parametrize("house", [IMPATIENT], indirect=True, ids=["told at once"])
async def test_given_slow_work_when_it_goes_on_then_its_share_is_told(house: ColourHouse, colour_video: Path) -> None:
    cut = await press(house, await asked(house, colour_video, "green"), "Cut")
    replies = await house.say(Action(turn(), button(cut, "Send the cut").id))
    assert len(replies) > 1
    assert all(one.progress and one.progress.fraction is not None and "Cutting" in one.text for one in replies[:-1])
    assert replies[-1].progress is None


@pytest.mark.parametrize("house", [IMPATIENT], indirect=True, ids=["told at once"])
@pytest.mark.parametrize(("label", "kind"), [("Preview", "preview"), ("Cut", "ends"), ("1 ·", "frame")])
async def test_given_slow_work_when_it_goes_on_then_a_thumbnail_stands_meanwhile(
    house: ColourHouse, colour_video: Path, label: str, kind: str
) -> None:
    first = await asked(house, colour_video, "blue")
    meanwhile, *_, last = await house.say(Action(turn(), button(first, label).id))
    assert meanwhile.progress is not None
    assert (colour(meanwhile), meanwhile.updates) == ("blue", True)
    assert ([one.kind for one in last.pictures], last.progress) == ([kind, "plot"], None)


async def test_given_no_file_when_previewed_or_cut_then_slides_or_a_sentence(
    house: ColourHouse, colour_video: Path
) -> None:
    first = await asked(house, colour_video, "blue")
    cut = await press(house, first, "Cut")
    (posted,) = await house.library.videos(turn().view)
    await house.media.forget(posted.video.id)
    slides = await press(house, first, "Preview")
    assert slides.pictures[0].data["light"].startswith(b"slides of [")
    assert not button(slides, "Cut").enabled
    for label, under in (("Cut", first), ("Send the cut", cut)):
        refused = await house.last(Action(turn(), button(under, label).id))
        assert (refused.tone, "nothing to cut" in refused.text) == ("error", True)
