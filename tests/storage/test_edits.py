"""What an edited message does not bring any more goes, and nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model.requests import MessageKey, card_note
from core.model.video import Scope, View
from storage.messages import SqliteLedger

if TYPE_CHECKING:
    from core.model.video import IndexedVideo
    from storage.library import SqliteLibrary
    from tests.storage.conftest import PostingMaker, VideoMaker

HERE = Scope("discord", "guild", "general")
VIEW = View.of(HERE)
ONE, TWO, PAGE = "https://a.example/1.mp4", "https://a.example/2.mp4", "https://a.example/page"


async def two_videos(library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker) -> SqliteLedger:
    """Keep what a message brought by two links, each of which was answered, and one of them posted elsewhere too."""
    ledger = SqliteLedger(library.connections)
    for number, link in enumerate((ONE, TWO), 1):
        video_id, title = f"sha256:{number}", f"video {number}"
        key = MessageKey(HERE, "m1", link)
        await ledger.begin(key)
        posting = replace(make_posting(video_id, message="m1", title=title), url=link)
        await library.save(replace_names(make_video(video_id, title=title), link), posting, [link])
        await ledger.remember(card_note(HERE, "m1", link), f"card {number}")
        await ledger.settle(key)
    await library.post(make_posting("sha256:1", message="m2"))
    return ledger


def replace_names(video: IndexedVideo, link: str) -> IndexedVideo:
    return replace(video, video=replace(video.video, url=link))


@pytest.mark.parametrize(
    ("items", "left"),
    [
        ({ONE, TWO}, {1, 2}),
        ({TWO}, {2}),
        ({ONE}, {1}),
        ({ONE, PAGE}, {1}),
        ({PAGE}, set()),
        (set(), set()),
    ],
)
async def test_a_message_keeps_what_its_items_brought(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker, items: set[str], left: set[int]
) -> None:
    ledger = await two_videos(library, make_video, make_posting)
    gone = await ledger.retract_others(HERE, "m1", frozenset(items))
    assert gone == (() if 2 in left else ("sha256:2",)), "the first video is posted by another message too"
    rows = await library.connections.rows("SELECT video_id FROM postings WHERE message = 'm1'", {})
    assert {int(row["video_id"][-1]) for row in rows} == left
    assert await library.count(VIEW) == (2 if 2 in left else 1)
    notes = [text for _, text in await ledger.notes(card_note(HERE, "m1"))]
    assert notes == [f"card {number}" for number in sorted(left)]
    assert await ledger.begin(MessageKey(HERE, "m1", ONE)) == (1 not in left), "what comes back is read anew"


async def test_a_video_stays_while_an_item_is_left_that_may_have_brought_it(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    ledger = SqliteLedger(library.connections)
    await ledger.begin(MessageKey(HERE, "m1", ONE))
    await library.save(make_video(), make_posting(message="m1"), [])
    assert await ledger.brought(HERE, "m1")
    assert await ledger.retract_others(HERE, "m1", frozenset({ONE})) == ()
    assert await library.count(VIEW) == 1
    assert await ledger.retract_others(HERE, "m1", frozenset()) == ("youtube:buster",)
    assert not await ledger.brought(HERE, "m1")


async def test_a_link_to_a_video_that_is_known_by_another_one_is_remembered(
    library: SqliteLibrary, make_video: VideoMaker, make_posting: PostingMaker
) -> None:
    ledger = SqliteLedger(library.connections)
    await library.save(make_video(), make_posting(message="m0"), [ONE])
    await ledger.begin(MessageKey(HERE, "m1", TWO))
    await library.post(make_posting(message="m1"), links=[TWO])
    await ledger.retract_others(HERE, "m1", frozenset({PAGE}))
    rows = await library.connections.rows("SELECT message FROM postings", {})
    assert [row["message"] for row in rows] == ["m0"]
