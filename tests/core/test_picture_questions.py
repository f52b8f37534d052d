"""A picture can be asked about; nothing of it is kept but what the model saw."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from core.conversation.commands import find
from core.model.events import Action, PictureFile
from tests.core.conftest import turn
from tests.support.videos import RGB, put_video

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

pytestmark = pytest.mark.slow

SCENES = [("red", 3), ("black", 3), ("blue", 3), ("black", 3)]


def painted(colour: str, form: str = "PNG", size: tuple[int, int] = (40, 30), mode: str = "RGB") -> bytes:
    """Give a picture of one colour as a file."""
    out = io.BytesIO()
    Image.new("RGB", size, RGB[colour]).convert(mode).save(out, form)
    return out.getvalue()


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def ask(house: ColourHouse, data: bytes, text: str = "", name: str = "sky.png") -> Reply:
    async def read(_limit_bytes: int) -> bytes:
        return data

    return await house.last(replace(find(turn(), text), picture=PictureFile(name, read)))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
async def test_given_a_picture_when_asked_then_the_shot_like_it_is_found(house: ColourHouse, form: str) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, painted("blue", form))
    assert reply.title == "Like the picture"
    assert "0:06 in video" in reply.text


async def test_given_words_and_a_picture_when_asked_then_both_count(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("red", 3), ("black", 3), ("pink", 3), ("black", 3), ("blue", 3)])
    reply = await ask(house, painted("blue"), "red")
    assert reply.title == "“red”, like the picture: each is in this video, but probably not together"
    assert "0:06 in video" in reply.text


async def test_given_a_picture_answer_when_pressed_then_no_file_is_needed(house: ColourHouse, tmp_path: Path) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, painted("red"))
    shown = await house.last(Action(turn(), reply.buttons[0].id))
    assert "0:00 in video" in shown.text
    assert painted("red")[:60] not in on_disk(tmp_path)


async def test_given_no_picture_when_asked_then_it_is_said_by_its_name(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, b"<svg xmlns='http://www.w3.org/2000/svg'/>", name="logo.svg")
    assert (reply.tone, reply.text) == ("error", "logo.svg is not a picture that I can open.")


async def test_given_a_picture_over_limits_when_asked_then_it_is_refused(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    huge = await ask(house, painted("red", size=(7000, 6000), mode="1"), name="huge.png")
    assert (huge.tone, "huge.png are too large" in huge.text) == ("error", True)
    heavy = await ask(house, bytes(20_000_001), name="heavy.png")
    assert (heavy.tone, "heavy.png" in heavy.text) == ("error", True)


async def test_given_another_model_when_a_picture_is_pressed_then_show_it_again(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    reply = await ask(house, painted("red"))
    house.encoder.weights = "new eyes"
    await put_video(house, turn(), "video", SCENES)
    again = await house.last(Action(turn(), reply.buttons[0].id))
    assert "Show it to me again" in again.text
