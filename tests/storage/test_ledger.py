from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.errors import MessageGone
from core.model.answer import Answer
from core.model.query import Query
from core.model.requests import MessageKey
from core.model.results import Moment
from core.model.video import Scope, View
from storage.library import SqliteLibrary
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from pathlib import Path

    from tests.storage.conftest import PostingMaker, VideoMaker


@pytest.fixture
def ledger(library: SqliteLibrary) -> SqliteLedger:
    return SqliteLedger(library.connections)


@pytest.fixture
def key(channel: Scope) -> MessageKey:
    return MessageKey(channel, "m1", "youtube:buster")


async def test_a_key_is_taken_up_once(ledger: SqliteLedger, key: MessageKey) -> None:
    assert [await ledger.begin(key) for _ in range(3)] == [True, False, False]
    assert await ledger.begin(replace(key, item="another link"))
    assert await ledger.begin(replace(key, message="m2"))
    assert await ledger.begin(replace(key, scope=replace(key.scope, space="another guild")))


async def test_what_a_dead_process_left_is_taken_up_and_what_it_settled_is_not(
    library: SqliteLibrary, ledger: SqliteLedger, key: MessageKey
) -> None:
    settled = replace(key, message="m0")
    for one in (settled, key):
        await ledger.begin(one)
    await ledger.settle(settled)
    assert await ledger.unsettled("discord") == ()
    later = SqliteLedger(library.connections)
    assert await later.unsettled("discord") == (key,)
    assert await later.unsettled("slack") == ()
    assert [await later.begin(one) for one in (settled, key, key)] == [False, True, False]


async def test_a_deleted_message_takes_back_what_only_it_posted(
    library: SqliteLibrary, ledger: SqliteLedger, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    own, shared = make_video("youtube:own"), make_video("youtube:shared")
    await library.save(own, make_posting("youtube:own"), [])
    await library.save(shared, make_posting("youtube:shared"), [])
    await library.post(make_posting("youtube:shared", scope=replace(channel, channel="elsewhere"), message="m2"))
    moment = Moment("youtube:own", 0, 1, 0.5, 0.3)
    await library.save_answer(Answer("a", Query("a dog", View.of(channel)), channel, (moment,)))

    assert await ledger.retract(channel, "m1") == ("youtube:own",)
    assert await library.videos(View.of(channel)) == ()
    assert await library.video("youtube:own") is None
    assert await library.video("youtube:shared") is not None
    assert await library.answer("a") is None
    assert await ledger.retract(channel, "m1") == ()


async def test_what_a_deleted_message_asked_for_can_post_nothing_any_more(
    library: SqliteLibrary, ledger: SqliteLedger, make_video: VideoMaker, make_posting: PostingMaker, key: MessageKey
) -> None:
    await ledger.begin(key)
    await ledger.retract(key.scope, key.message)
    with pytest.raises(MessageGone):
        await library.save(make_video(), make_posting(), [])
    assert await library.video("youtube:buster") is None
    await ledger.settle(key)
    assert not await SqliteLedger(library.connections).begin(key)


async def test_a_message_without_an_id_retracts_nothing(
    library: SqliteLibrary, ledger: SqliteLedger, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video(), make_posting(message=""), [])
    assert await ledger.retract(channel, "") == ()
    assert len(await library.videos(View.of(channel))) == 1


async def test_a_switch_survives_a_restart_and_the_default_counts_before_it(tmp_path: Path, channel: Scope) -> None:
    for at_first, on in ((True, False), (False, True)):
        path = tmp_path / f"{on}.db"
        library = await SqliteLibrary.open(path)
        ledger = SqliteLedger(library.connections)
        assert await ledger.is_on(channel, by_default=at_first) is at_first
        await ledger.switch(channel, on=on)
        await library.close()
        library = await SqliteLibrary.open(path)
        assert await SqliteLedger(library.connections).is_on(channel, by_default=at_first) is on
        await library.close()


async def test_notes_are_kept_replaced_found_by_their_beginning_and_taken_away(ledger: SqliteLedger) -> None:
    for name, text in (("shown:1:a", "10"), ("shown:1:b", "11"), ("shown:2:a", "12"), ("shown:1:a", "13")):
        await ledger.remember(name, text)
    assert await ledger.notes("shown:1:") == (("shown:1:a", "13"), ("shown:1:b", "11"))
    await ledger.remember("shown:1:a", "")
    assert await ledger.recall("shown:1:a") == ""
    assert await ledger.notes("shown:1:") == (("shown:1:b", "11"),)


async def test_the_messages_that_videos_are_known_from_are_listed_newest_first(
    library: SqliteLibrary, ledger: SqliteLedger, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    await library.save(make_video(), make_posting(), [])
    await library.save(make_video("youtube:other"), make_posting("youtube:other"), [])
    for message in ("m2", "", "m3"):
        await library.post(make_posting(message=message))
    assert await ledger.posted("discord", 2) == ((channel, "m3"), (channel, "m2"))
    assert await ledger.posted("discord", 9) == ((channel, "m3"), (channel, "m2"), (channel, "m1"))
    assert await ledger.posted("slack", 9) == ()


async def test_a_posting_keeps_the_way_to_its_message(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, channel: Scope
) -> None:
    url = "https://chat.test/m1"
    await library.save(make_video(), make_posting(message="m0"), [])
    await library.post(replace(make_posting(), message_url=url))
    newest = await library.posting("youtube:buster", View.of(channel))
    assert newest is not None
    assert (newest.message, newest.message_url) == ("m1", url)
    assert await library.posting("youtube:buster", View("discord", "guild", frozenset({"elsewhere"}))) is None
