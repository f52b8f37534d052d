"""Videos that somebody calls off while they come in, by a button or by deleting the message."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import JobCancelled
from core.model.actions import Cancel
from core.model.events import Action, Door, LinkPosted, MessageDeleted, MessageEdited, Turn
from core.model.requests import MessageKey
from core.model.video import Scope, View
from tests.core.conftest import turn
from tests.support.jobs_done import (
    LINK,
    StoppingReader,
    accepted,
    asked,
    half_way,
    reborn,
    state,
)

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.reply import Reply
    from core.model.video import Indexed
    from tests.core.conftest import ColourHouse


async def test_given_a_video_under_way_when_its_asker_cancels_then_it_ends(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    house.relays.reader.target = stopping = StoppingReader(house.reader, 4)
    ada, bob = _shared("u1"), _shared("u2")
    job = await accepted(house, asked(scope=ada.scope))
    shown: list[Reply] = []

    async def watch() -> None:
        async for reply in house.conversation.handle(LinkPosted(ada, LINK, job.ref)):
            shown.append(reply)  # noqa: PERF401 - what came before the end counts

    task = asyncio.create_task(watch())
    await stopping.stopped.wait()
    (button,) = shown[-1].buttons
    assert (button.label, button.id) == ("Cancel", Cancel(job.id).id)
    assert "Only the person who asked" in (await house.last(Action(bob, button.id))).text
    assert await house.say(Action(ada, button.id)) == []  # its own answer says so, once
    await task
    assert shown[-1].text == "Cancelled: I leave that video alone."
    assert (await state(house, job))[0] == "cancelled"
    assert house.stored() == []
    assert "leave that video alone" in (await house.last(Action(ada, button.id))).text


@pytest.mark.parametrize(
    ("who", "moderator", "wanted"),
    [("u1", False, False), ("u2", True, False), ("u2", False, True)],
    ids=["poster", "moderator", "stranger"],
)
async def test_given_an_acknowledged_cancel_when_crashed_then_it_holds(
    house: ColourHouse, colour_video: Path, who: str, *, moderator: bool, wanted: bool
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    await half_way(house, LinkPosted(turn(), LINK, job.ref), 4)
    pressed = replace(asked(Cancel(job.id).id), key=MessageKey(turn().scope, "", "pressed"), kind="press")
    await accepted(house, replace(pressed, user_id=who, moderator=moderator))
    again = await reborn(house, "link")
    house.relays.reader.target = house.reader
    replies = await house.say(LinkPosted(turn(), LINK, again.ref))
    assert ("Ready to search" if wanted else "I leave that video alone") in replies[-1].text
    assert bool(await house.library.videos(turn().view)) == wanted
    await house.runner.settle(again.ref)
    assert (await state(house, again))[0] == ("done" if wanted else "cancelled")


async def test_given_a_cancelled_video_when_crashed_then_its_card_says_so(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    await half_way(house, LinkPosted(turn(), LINK, job.ref), 4)
    await house.last(Action(turn(), Cancel(job.id).id))
    assert house.stored() == []
    again = await reborn(house)
    assert "I leave that video alone" in (await house.last(LinkPosted(turn(), LINK, again.ref))).text
    await house.runner.settle(again.ref)
    assert await house.runner.jobs.left("local") == ()
    assert (await state(house, again))[0] == "cancelled"


async def test_given_a_kept_video_when_cancelled_late_then_it_is_told_of(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    ready = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert "leave that video alone" in (await house.last(Action(turn(), Cancel(job.id).id))).text
    pressed = replace(asked(Cancel(job.id).id), key=MessageKey(turn().scope, "", "pressed"), kind="press")
    await accepted(house, pressed)
    again = await reborn(house, "link")
    assert (await house.last(LinkPosted(turn(), LINK, again.ref))).text == ready.text


def _shared(user_id: str) -> Turn:
    scope = Scope("discord", "1", "2")
    return Turn(Door("discord", ("dark",), 10, shared=True), scope, View.of(scope), user_id, user_id, "7")


async def test_given_a_video_under_way_when_its_message_goes_then_it_ends(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    await half_way(house, LinkPosted(turn(), LINK, job.ref), 8)
    await house.say(MessageDeleted(replace(turn(), message="7")))
    assert await house.jobs.job(job.id) is None
    assert house.stored() == []
    with pytest.raises(JobCancelled):
        await house.runner.carry_out(job.ref, _never, lambda _: None)


async def _never(_report: object) -> Indexed:
    raise AssertionError("nobody wants it any more")


async def test_given_two_links_when_one_is_edited_away_then_the_other_comes(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    house.relays.reader.target = stopping = StoppingReader(house.reader, 4)
    ada = replace(_shared("u1"), message="7")
    job = await accepted(house, asked(scope=ada.scope))
    task = asyncio.create_task(house.last(LinkPosted(ada, LINK, job.ref)))
    await stopping.stopped.wait()
    assert await house.say(MessageEdited(ada, frozenset({LINK}))) == []
    assert not task.done()
    assert await house.say(MessageEdited(ada, frozenset({"https://films.example/other.mp4"}))) == []
    assert (await task).text == "Cancelled: I leave that video alone."
    assert await house.library.videos(ada.view) == ()
    assert house.stored() == []
    await accepted(house, asked(scope=ada.scope))  # what is edited in again is looked at again
