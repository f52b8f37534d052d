"""What shared channels need: switches, status, deleted messages, videos on a platform's own servers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import MessageGone
from core.model.events import (
    Action,
    Address,
    FilePosted,
    Find,
    LinkPosted,
    MessageDeleted,
    RemoteFile,
    RemoteFilePosted,
    Status,
    Switch,
    Turn,
)
from core.model.requests import MessageKey
from core.model.video import View
from tests.core.conftest import CHOICES, turn
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeClip
    from tests.core.conftest import ColourHouse

URL = "https://files.example/1"
ONE_AT_ONCE = replace(CHOICES, indexing=replace(CHOICES.indexing, videos_at_once=1))


def said(message: str, channel: str = "main", user: str = "Ada") -> Turn:
    plain = turn(channel, platform="discord")
    door = replace(plain.door, shared=True)
    return replace(plain, door=door, message=message, message_url=f"https://chat.test/{message}", user_name=user)


def remote(url: str = URL, key: str = "discord:attachment:1") -> RemoteFile:
    async def locate() -> Address:
        return Address(url, "token")

    return RemoteFile(key, "reel.mp4", locate)


async def test_given_a_remote_file_when_posted_twice_then_it_is_fetched_once(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[URL] = colour_video
    first = await house.last(RemoteFilePosted(said("m1"), remote()))
    again = await house.last(RemoteFilePosted(said("m2", "other"), remote("https://files.example/gone")))
    assert first.title == "reel"
    assert "Posted by Ada" in first.text
    assert again.text == first.text, "nothing tells that it was known from elsewhere"
    assert "know this video already" in (await house.last(RemoteFilePosted(said("m3"), remote()))).text
    assert house.fetcher.fetched == [f"{URL} token"]


async def test_given_a_remote_file_when_its_message_is_gone_then_it_is_said(house: ColourHouse) -> None:
    async def locate() -> Address:
        raise MessageGone

    reply = await house.last(RemoteFilePosted(said("m1"), RemoteFile("key", "reel.mp4", locate)))
    assert "That message is gone" in reply.text


async def test_given_a_posted_video_when_found_then_its_message_is_linked(
    house: ColourHouse, colour_video: Path
) -> None:
    await house.last(FilePosted(said("m1"), colour_video, "colours.mp4"))
    reply = await house.last(Find(said("", user="Bob"), "blue"))
    assert [(link.label, link.url) for link in reply.links] == [("Posted by Ada", "https://chat.test/m1")]


async def test_given_a_message_when_deleted_then_its_video_and_answers_go(
    house: ColourHouse, colour_video: Path
) -> None:
    await house.last(FilePosted(said("m1"), colour_video, "colours.mp4"))
    found = await house.last(Find(said(""), "blue"))
    (kept,) = await house.library.videos(View.of(said("").scope))
    assert await house.say(MessageDeleted(said("m1"))) == []
    assert await house.media.path(kept.video.id) is None
    assert "nothing to search" in (await house.last(Find(said(""), "blue"))).text
    assert "gone" in (await house.last(Action(said(""), found.buttons[1].id))).text


async def test_given_a_video_being_indexed_when_its_message_goes_then_all_goes(
    house: ColourHouse, colour_video: Path
) -> None:
    asked = said("m1")
    await house.ledger.begin(MessageKey(asked.scope, "m1", "file"))
    await house.ledger.retract(asked.scope, "m1")
    reply = await house.last(FilePosted(asked, colour_video, "colours.mp4"))
    assert "That message is gone" in reply.text
    assert house.stored() == []
    assert list(house.media.inbox.iterdir()) == []


async def test_given_a_channel_when_switched_then_its_status_tells(house: ColourHouse, colour_video: Path) -> None:
    await house.last(FilePosted(said("m1"), colour_video, "colours.mp4"))
    assert "Off" in (await house.last(Switch(said(""), on=False))).text
    status = await house.last(Status(said(""), blind=True, missing=("Attach Files",)))
    assert status.private
    for words in ("switched off", "1 video can be searched", "cannot see what messages say", "Attach Files"):
        assert words in status.text
    assert "On" in (await house.last(Switch(said(""), on=True))).text
    assert "every video" in (await house.last(Status(said("")))).text


@pytest.mark.parametrize("house", [ONE_AT_ONCE], indirect=True, ids=["one video at once"])
async def test_given_a_known_video_when_posted_then_it_waits_in_no_queue(
    house: ColourHouse, colour_video: Path, make_clip: MakeClip
) -> None:
    link, other = "https://films.example/known.mp4", "https://films.example/other.mp4"
    house.fetcher.web |= {link: colour_video, other: make_clip("other.mp4", [("red", 1), ("blue", 1)])}
    await house.last(LinkPosted(said("m1"), link))
    house.relays.reader.target = stopping = StoppingReader(house.reader, 0)
    first = asyncio.create_task(
        house.say(LinkPosted(said("m2"), other))
    )  # it holds the only turn until it is broken off
    await stopping.stopped.wait()
    replies = await house.say(LinkPosted(said("m3"), link))
    assert ["know this video already" in reply.text for reply in replies] == [True]
    assert not first.done()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


async def test_given_typed_letters_when_suggesting_then_only_visible_titles(
    house: ColourHouse, colour_video: Path
) -> None:
    await house.last(FilePosted(said("m1"), colour_video, "Stunts.mp4"))
    here, elsewhere = said("").view, said("", "elsewhere").view
    assert [one.title for one in await house.conversation.videos.suggest(here, "stu")] == ["Stunts"]
    assert [one.title for one in await house.conversation.videos.suggest(here, "")] == ["Stunts"]
    assert await house.conversation.videos.suggest(here, "opera") == ()
    assert await house.conversation.videos.suggest(elsewhere, "") == ()


def _ignore(_before: int) -> None:
    return
