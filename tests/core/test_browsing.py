"""Browsing an answer, told on a film of three colours."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from core.talk import Action, FilePosted, Find
from tests.core.conftest import turn

if TYPE_CHECKING:
    from pathlib import Path

    from core.talk import Button, Reply
    from tests.core.conftest import ColourHouse

MINUS = "\u2212"


def button(reply: Reply, label: str) -> Button:
    return next(one for one in reply.buttons if one.label.startswith(label))


async def press(house: ColourHouse, reply: Reply, *labels: str) -> Reply:
    """Press one button after the other, each under what the one before brought."""
    for label in labels:
        assert button(reply, label).enabled
        reply = await house.last(Action(turn(), button(reply, label).id))
    return reply


async def asked(house: ColourHouse, film: Path, text: str) -> Reply:
    await house.last(FilePosted(turn(), film, film.name))
    return await house.last(Find(turn(), text))


def colour(reply: Reply, kind: str = "frame") -> str:
    (found,) = [one for one in reply.pictures if one.kind == kind]
    pixel = Image.open(io.BytesIO(found.data["light"])).convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return ["red", "green", "blue"][pixel.index(max(pixel))]


async def test_a_second_back_shows_the_frame_one_second_earlier(house: ColourHouse, colour_film: Path) -> None:
    first = await asked(house, colour_film, "blue")
    assert colour(first) == "blue"
    earlier = await press(house, first, f"{MINUS}1 s", f"{MINUS}1 s")
    assert (colour(earlier), earlier.updates) == ("green", True)
    assert house.plotter.specs[-1].marks_s == (house.plotter.specs[-1].numbered[0][1].peak_s - 2,)
    assert colour(await press(house, earlier, "+1 s", "+1 s")) == "blue"


async def test_a_step_leaves_no_moment_shown_and_its_number_leads_back(house: ColourHouse, colour_film: Path) -> None:
    first = await asked(house, colour_film, "blue")
    beside = await press(house, first, "+1 s")
    assert [one.label for one in beside.buttons if one.active] == []
    assert (await press(house, beside, "1 ·")).text == first.text


async def test_no_step_leads_out_of_the_film(house: ColourHouse, colour_film: Path) -> None:
    reply = await asked(house, colour_film, "red")
    for _ in range(5):
        if button(reply, f"{MINUS}1 s").enabled:
            reply = await press(house, reply, f"{MINUS}1 s")
    assert reply.text.startswith("0:00")
    assert not button(reply, f"{MINUS}1 s").enabled


async def test_the_whole_film_bears_the_numbers_of_the_moments(house: ColourHouse, colour_film: Path) -> None:
    reply = await press(house, await asked(house, colour_film, "blue"), "Whole film")
    (sheet, plot) = reply.pictures
    assert (sheet.kind, plot.kind) == ("sheet", "plot")
    assert sheet.data["light"].startswith(b"sheet of 16 with 1")
    assert "1 at 0:0" in sheet.alt
    assert [one.label for one in reply.buttons if one.active] == ["Whole film"]


async def test_without_the_file_a_card_says_so_and_shows_small_pictures(house: ColourHouse, colour_film: Path) -> None:
    first = await asked(house, colour_film, "blue")
    (posted,) = await house.library.videos(turn().view)
    await house.media.forget(posted.video.id)
    reply = await press(house, first, "+1 s")
    assert "had to make room" in reply.text
    assert colour(reply) == "blue"


@pytest.mark.parametrize("label", ["+1 s", "Whole film"])
async def test_no_button_shows_anything_to_another_channel(house: ColourHouse, colour_film: Path, label: str) -> None:
    first = await asked(house, colour_film, "blue")
    reply = await house.last(Action(turn("elsewhere"), button(first, label).id))
    assert (reply.tone, reply.pictures) == ("error", ())
