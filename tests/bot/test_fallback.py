"""What a platform refuses is shown in a simpler form, and is never silence."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from bot.doors.delivery import NotNow, Refused, deliver, show_somehow
from core.model.reply import Button, Picture, Reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FRAME = Picture("frame", "frame.jpg", "a frame", {"dark": b"jpeg"})
FULL = Reply("Moment 1 of 2", title="A video", pictures=(FRAME,), buttons=(Button("next", "Next"),))


class Picky:
    """A platform that takes only what its rule lets pass."""

    def __init__(self, *, pictures: bool = True, buttons: bool = True, words: bool = True) -> None:
        self._takes = {"pictures": pictures, "buttons": buttons, "words": words}
        self.shown: list[Reply] = []

    async def send(self, reply: Reply) -> None:
        for part in ("pictures", "buttons"):
            if getattr(reply, part) and not self._takes[part]:
                raise ValueError(part)
        if not self._takes["words"]:
            raise ValueError("words")
        self.shown.append(reply)


def refusal(error: Exception) -> str | None:
    return "Let me attach files." if isinstance(error, ValueError) else None


async def test_given_a_reply_that_is_accepted_then_it_is_shown_unchanged() -> None:
    platform = Picky()
    await show_somehow(FULL, platform.send, refusal)
    assert platform.shown == [FULL]


async def test_given_refused_pictures_then_they_are_left_out_with_advice() -> None:
    platform = Picky(pictures=False)
    await show_somehow(FULL, platform.send, refusal)
    (shown,) = platform.shown
    assert (shown.pictures, shown.buttons) == ((), FULL.buttons)
    assert shown.text == "Moment 1 of 2\nLet me attach files."


async def test_given_a_refused_layout_then_bare_words_are_shown() -> None:
    platform = Picky(buttons=False)
    await show_somehow(FULL, platform.send, refusal)
    (shown,) = platform.shown
    assert shown.text == "A video\nMoment 1 of 2\nLet me attach files."


async def test_given_a_reply_refused_in_every_form_then_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    platform = Picky(words=False)
    with pytest.raises(Refused, match="attach files"):
        await show_somehow(FULL, platform.send, refusal)

    class Screen:
        tries = 0

        async def post(self, reply: Reply) -> None:
            self.tries += 1
            await show_somehow(reply, platform.send, refusal)

        async def edit(self, reply: Reply) -> None:
            await self.post(reply)

    screen = Screen()
    with caplog.at_level(logging.DEBUG):
        await deliver(said(FULL), screen, 0.0, retry_s=(0.0, 0.0))
    assert screen.tries == 1
    assert "Traceback" not in caplog.text


async def test_given_a_passing_fault_then_it_is_tried_until_the_last_reply_shows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Recovering(Picky):
        left = 2

        async def post(self, reply: Reply) -> None:
            if self.left:
                self.left -= 1
                raise NotNow("503")
            await self.send(reply)

        edit = post

    platform = Recovering()
    await deliver(said(FULL), platform, 0.0, retry_s=(0.0, 0.0))
    assert platform.shown == [FULL]
    assert "Traceback" not in caplog.text


async def said(reply: Reply) -> AsyncIterator[Reply]:
    yield reply
