"""Messages that show a video are known, so that they can say that it was forgotten."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model.requests import MessageKey, Request, card_note
from core.model.video import View
from core.ports.jobs import Work
from core.ports.retention import Stale
from storage.checkpoints import SqliteCheckpoints
from storage.jobs import SqliteJobs
from storage.messages import SqliteLedger
from storage.shown_messages import SqliteShownMessages

if TYPE_CHECKING:
    from core.model.video import Scope
    from storage.library import SqliteLibrary
    from tests.storage.conftest import PostingMaker, VideoMaker


@pytest.fixture
def shown_messages(library: SqliteLibrary) -> SqliteShownMessages:
    return SqliteShownMessages(library.connections)


async def test_a_forgotten_video_makes_only_messages_that_show_it_there_stale(
    library: SqliteLibrary,
    shown_messages: SqliteShownMessages,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    second = replace(channel, channel="videos")
    for name in ("one", "two"):
        await library.save(make_video(name), make_posting(name), [])
    await library.post(make_posting("one", scope=second))
    await shown_messages.show(channel, "m10", ["one", "two"], ["F1", "F2"])
    await shown_messages.show(channel, "m11", ["two"], ["F2"])
    await shown_messages.show(second, "m12", ["one"])
    await library.forget("one", View.of(channel))
    assert await shown_messages.stale("discord", "guild") == (Stale(channel, "m10", ("F1",)),)
    assert await shown_messages.stale("slack") == ()
    await shown_messages.settle(Stale(channel, "m10"))
    await library.forget("one", View.of(second))
    assert [one.message for one in await shown_messages.stale("discord")] == ["m12"]


async def test_a_video_forgotten_while_its_message_went_out_is_taken_back(
    shown_messages: SqliteShownMessages, channel: Scope
) -> None:
    await shown_messages.show(channel, "m10", ["gone"], ["F1"])
    assert await shown_messages.stale("discord") == (Stale(channel, "m10", ("F1",)),)


async def test_a_video_that_is_forgotten_while_drawn_is_taken_back_here_alone(
    library: SqliteLibrary,
    shown_messages: SqliteShownMessages,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    await library.save(make_video("one"), make_posting("one"), [])
    await library.post(make_posting("one", scope=replace(channel, channel="videos")))
    await shown_messages.show(channel, "m10", ["one"])
    await shown_messages.show(channel, "m10", ["one"], ["F1"], is_noted=True)
    assert await shown_messages.stale("discord") == ()
    await library.forget("one", View.of(channel))
    (taken_back,) = await shown_messages.stale("discord")
    await shown_messages.settle(taken_back)
    await shown_messages.show(channel, "m10", ["one"], ["F1"], is_noted=True)
    assert await shown_messages.stale("discord") == (Stale(channel, "m10", ("F1",)),)


async def test_a_deleted_messages_answer_goes_with_its_pictures_others_stay(
    library: SqliteLibrary,
    shown_messages: SqliteShownMessages,
    make_video: VideoMaker,
    make_posting: PostingMaker,
    channel: Scope,
) -> None:
    ledger, second = SqliteLedger(library.connections), replace(channel, channel="videos")
    answered = [(channel, "m1", "a"), (channel, "m1", "b"), (channel, "m11", "a"), (second, "m1", "a")]
    for card, (scope, message, item) in enumerate(answered):
        await ledger.remember(card_note(scope, message, item), f"card{card}")
    await library.save(make_video(), make_posting(message="m1"), [])
    await library.save(make_video("other"), make_posting("other", message="m2"), [])
    await shown_messages.show(channel, "card0", ["youtube:buster", "other"], ["F1", "F2"])
    await shown_messages.show(channel, "card2", ["other"], ["F2"])
    await ledger.retract(channel, "m1")
    stale = await shown_messages.stale("discord", "guild")
    assert set(stale) == {Stale(channel, "card0", ("F1",), goes=True), Stale(channel, "card1", goes=True)}
    assert {name for name, _ in await ledger.notes("discord:shown:")} == {card_note(*one) for one in answered[2:]}
    for one in stale:
        await shown_messages.settle(one)
    assert await shown_messages.stale("discord") == ()
    await ledger.take_cards_back(channel, "m11")
    assert await shown_messages.stale("discord") == (Stale(channel, "card2", ("F2",), goes=True),)


async def test_a_video_under_way_elsewhere_keeps_no_message_here(
    library: SqliteLibrary, shown_messages: SqliteShownMessages, channel: Scope
) -> None:
    jobs = SqliteJobs(library.connections, "run", lambda: 1e9, is_bot=True)
    elsewhere = replace(channel, space="another")
    job = await jobs.accept(Request(MessageKey(elsewhere, "1", "a link"), "link", "a link", "", "u1", "Ada"))
    assert job is not None
    await SqliteCheckpoints(library.connections).begin(job.id, Work("x", "", "", "", "", several=False), "recipe")
    await shown_messages.show(elsewhere, "m1", ["x"])
    assert await shown_messages.stale("discord") == ()
    await shown_messages.show(channel, "m1", ["x"])
    assert [one.scope for one in await shown_messages.stale("discord")] == [channel]
