"""The local chat over real HTTP on loopback: what tabs see, and what is left behind."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from bot.web.server import LocalChat
from core.errors import PortTaken, VideoGone
from core.model.events import Action, Help, LinkPosted
from core.model.reply import Progress
from core.wording.replies import problem
from tests.support import talks
from tests.support.page.stock import stocked
from tests.support.tabs import CONFIG, Tab
from tests.support.talks import ScriptedConversation

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import aiohttp

    from core.model.reply import Reply


async def test_given_two_tabs_then_they_see_the_same_conversation(tab: Tab, other: Tab) -> None:
    assert await tab.say("/find a woman swimming in water") == 202
    for each in (tab, other):
        answer = await each.until_text("0:34 in Coast")
        assert answer["author"] == "keaton"
        assert next(message["text"] for message in each.messages.values()) == "/find a woman swimming in water"


async def test_given_a_private_reply_when_sent_then_no_other_tab_has_it(tab: Tab, other: Tab) -> None:
    await tab.say("/help")
    await tab.until_text("Post a link")
    await tab.say("/videos")
    await other.until_text("• Coast")
    assert [message["text"] for message in other.messages.values()] == [
        "/videos",
        "• Coast and harbour (1:34), posted by you, 3 Nov 2026",
    ]
    assert "Post a link" not in str(other.raw)


async def test_given_work_when_it_ends_then_its_message_has_the_result(tab: Tab, talk: ScriptedConversation) -> None:
    talk.go_on.clear()
    await tab.say("https://example.org/film.mp4")
    working = await tab.until(lambda message: bool(message.get("progress")) and message["progress"]["eta_s"] == 12.0)
    assert working["progress"] == {"stage": "looking", "fraction": 0.42, "eta_s": 12.0}
    talk.go_on.set()
    ready = await tab.until_text("Ready to search")
    assert ready["id"] == working["id"]
    assert ready["progress"] is None


async def test_given_a_button_when_pressed_then_its_message_changes_in_all_tabs(tab: Tab, other: Tab) -> None:
    await tab.say("/find a woman swimming in water")
    answer = await tab.until_text("Moment 1 of 5")
    assert await tab.post("api/actions", {"message": answer["id"], "id": "3:"}) == 202
    for each in (tab, other):
        replaced = await each.until_text("Moment 3 of 5")
        assert replaced["id"] == answer["id"]
        assert len(each.messages) == 2


async def test_given_several_presses_then_the_newest_decides_what_is_shown(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    class Waiting(ScriptedConversation):
        def __init__(self) -> None:
            super().__init__()
            self.slow = asyncio.Event()
            self.ended = asyncio.Event()

        async def handle(self, event: Any) -> AsyncIterator[Reply]:
            if isinstance(event, Action) and event.id == "show:an-answer:2:m":
                await self.slow.wait()
            async for reply in super().handle(event):
                yield reply
            if isinstance(event, Action) and event.id == "show:an-answer:2:m":
                self.ended.set()

    talk = Waiting()
    async with (
        LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path), talks.Unwritten(), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        await tab.say("/find x")
        answer = await tab.until_text("Moment 1 of 5")
        await tab.post("api/actions", {"message": answer["id"], "id": "show:an-answer:2:m"})
        await tab.post("api/actions", {"message": answer["id"], "id": "show:an-answer:4:m"})
        await tab.until_text("Moment 4 of 5")
        talk.slow.set()
        await talk.ended.wait()
        await tab.say("/videos")
        await tab.until_text("• Coast")
        assert "Moment 4 of 5" in tab.messages[answer["id"]]["text"]


async def test_given_a_failure_under_way_then_no_unfinished_status_is_left(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    class Failing(ScriptedConversation):
        async def handle(self, event: Any) -> AsyncIterator[Reply]:
            async for reply in super().handle(event):
                under_way = isinstance(event, Action)
                yield replace(reply, progress=Progress("cutting", 0.5)) if under_way else reply
            if isinstance(event, Action):
                await self.go_on.wait()
                yield problem(VideoGone("Coast"))

    talk = Failing()
    async with (
        LocalChat(talk, talks.parse, replace(CONFIG, upload_dir=tmp_path), talks.Unwritten(), stocked()) as chat,
        Tab(chat, session, "a").open() as tab,
    ):
        await tab.say("/find x")
        answer = await tab.until_text("Moment 1 of 5")
        talk.go_on.clear()
        await tab.post("api/actions", {"message": answer["id"], "id": "show:an-answer:2:m"})
        await tab.until(lambda message: message["id"] == answer["id"] and bool(message["progress"]))
        talk.go_on.set()
        await tab.until(lambda message: message["author"] == "keaton" and bool(message["private"]))
        assert tab.messages[answer["id"]]["progress"] is None
        assert "Moment 2 of 5" in tab.messages[answer["id"]]["text"]


async def test_given_a_message_that_is_gone_when_pressed_then_it_is_refused(tab: Tab) -> None:
    assert await tab.post("api/actions", {"message": 99, "id": "1:"}) == 404


async def test_given_a_link_that_is_not_http_then_it_is_never_offered(tab: Tab) -> None:
    await tab.say("/find x")
    answer = await tab.until_text("Moment 1 of 5")
    assert [link["label"] for link in answer["links"]] == ["Open at 0:34"]


async def test_given_a_full_log_when_more_comes_then_tabs_know_the_oldest(
    talk: ScriptedConversation, session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    config = replace(CONFIG, upload_dir=tmp_path, log_limit=3)
    async with LocalChat(talk, talks.parse, config, talks.Unwritten(), stocked()) as chat:
        for number in range(5):
            chat.announce(f"news {number}")
        async with Tab(chat, session, "a").open() as tab:
            assert [message["text"] for message in tab.messages.values()] == ["news 2", "news 3", "news 4"]
            assert tab.raw[-1]["oldest"] == min(tab.messages)


async def test_given_a_tab_that_was_away_when_back_then_it_gets_only_changes(
    chat: LocalChat, session: aiohttp.ClientSession
) -> None:
    tab = Tab(chat, session, "a")
    async with tab.open():
        chat.announce("before")
        await tab.until_text("before")
    chat.announce("while away")
    async with tab.open():
        assert [message["text"] for message in tab.raw[-1]["messages"]] == ["while away"]


async def test_given_a_tab_of_an_earlier_run_when_back_then_it_gets_everything(
    chat: LocalChat, session: aiohttp.ClientSession
) -> None:
    chat.announce("hello")
    tab = Tab(chat, session, "a")
    tab.run, tab.clock = "another run", 1000
    async with tab.open():
        assert [message["text"] for message in tab.messages.values()] == ["hello"]


async def test_given_an_announced_video_when_done_then_things_to_try_are_offered(
    tab: Tab, chat: LocalChat, talk: ScriptedConversation
) -> None:
    talk.go_on.clear()
    chat.announce("Welcome!", LinkPosted(chat.turn(), "https://e.org/v"), suggestions=("/find a dog",))
    working = await tab.until(lambda message: bool(message.get("progress")))
    assert working["suggestions"] == []
    talk.go_on.set()
    ready = await tab.until_text("Ready to search")
    assert ready["suggestions"] == ["/find a dog"]
    assert [message["author"] for message in tab.messages.values()] == ["keaton", "keaton"]


async def test_given_an_event_of_the_page_then_it_names_its_user_and_channel(
    tab: Tab, talk: ScriptedConversation
) -> None:
    await tab.say("/help")
    await tab.until_text("Post a link")
    event = talk.events[0]
    assert isinstance(event, Help)
    assert (event.turn.scope.platform, event.turn.scope.space, event.turn.scope.channel) == ("local", "home", "main")
    assert event.turn.user_id == "you"


async def test_given_a_bug_when_told_then_it_has_an_id_and_no_internals(tab: Tab) -> None:
    await tab.say("/find a bug")
    answer = await tab.until_text("Something broke on my side")
    assert answer["tone"] == "error"
    assert "secret" not in answer["text"]


async def test_given_a_trial_or_not_then_the_page_says_which(tab: Tab) -> None:
    assert tab.hello["banner"] == {"text": "", "share": None, "button": ""}


async def test_given_a_port_in_use_when_starting_then_the_error_names_it(talk: ScriptedConversation) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as caught:
            await LocalChat(talk, talks.parse, replace(CONFIG, port=port), talks.Unwritten(), stocked()).start()
    assert caught.value.port == port
