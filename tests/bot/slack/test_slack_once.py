"""What Slack carried out though it answered that it failed is not done twice, and what it refuses not for ever."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from bot.slack.config import POSTS, UPDATES
from tests.fakes.waiting import logged

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

POST = "chat.postMessage"


async def test_given_a_post_done_but_answered_500_then_it_is_found_not_repeated(scene: Scene) -> None:
    scene.fake.broken[POST] = 1
    message = await scene.posted()
    assert len(scene.general.below(message)) == 1
    before = set(scene.general.messages)
    scene.fake.broken[POST] = 1
    card = await scene.found()
    scene.fake.broken[POST] = 1
    await scene.fake.press(scene.team, card, "More like this", scene.bob)
    alike = await scene.below(card, "Moment")
    new = [one for ts, one in scene.general.messages.items() if ts not in before and not one.is_share]
    assert new == [card, alike]
    scene.fake.broken[POST] = 1
    before = set(scene.general.messages)
    await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", "off")
    await scene.answer(scene.general, before, "Off:")
    assert len(set(scene.general.messages) - before) == 1, "what is done in a moment is marked too"


async def test_given_a_direct_message_done_but_answered_500_then_it_stands_once(scene: Scene) -> None:
    room = scene.team.channel("clips")
    room.is_private = True
    await scene.posted(channel=room)
    scene.fake.broken[POST] = 1
    answer = await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", f"green in:<#{room.id}>")
    (card, *_) = await scene.fake.until(lambda: answer.said, "a private answer")
    talk = scene.team.talk(scene.bob.id)
    assert len(talk.by_keaton) == 1
    assert len(card.images) == 2
    scene.fake.hooks_closed = True
    scene.fake.refusals["chat.postEphemeral"] = "user_not_in_channel"
    scene.fake.broken[POST] = 1
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/keaton", "status")
    await scene.fake.until(lambda: len(talk.by_keaton) > 1, "a direct message")
    await scene.found("blue", channel=talk)
    assert [one.words for one in talk.by_keaton].count(talk.by_keaton[1].words) == 1


@pytest.mark.parametrize("way", ["chat.postEphemeral", "response_url"])
async def test_given_a_private_word_done_but_answered_500_then_it_stands_once(scene: Scene, way: str) -> None:
    await scene.posted()
    scene.fake.broken[way] = 1
    scene.fake.hooks_closed = way != "response_url"
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/keaton", "status")
    talk = scene.team.talk(scene.bob.id)
    await scene.fake.until(lambda: talk.by_keaton, "the same where it can be looked up")
    assert len(scene.general.whispers) == 1


async def test_given_a_failed_post_then_it_is_tried_again_and_stands_once(scene: Scene) -> None:
    await scene.posted()
    refused = iter(["internal_error", "service_unavailable"])
    scene.fake.refusals[POST] = lambda _sent: next(refused, "")
    before = set(scene.general.messages)
    card = await scene.found()
    assert [one for ts, one in scene.general.messages.items() if ts not in before and not one.is_share] == [card]


@pytest.mark.parametrize("error", ["is_archived", "is_inactive"])
async def test_given_an_archived_channel_when_opened_again_then_the_rest_goes(
    scene: Scene, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = await scene.posted()
    card = await scene.found()
    for method in ("chat.update", "chat.delete"):
        scene.fake.refusals[method] = error
    caplog.set_level(logging.INFO)
    calls = len(scene.fake.calls)
    await scene.fake.remove(scene.team, message)
    await scene.fake.until(lambda: not scene.team.files, "the pictures gone")
    assert not card.images
    await asyncio.sleep(1.0)  # twenty looks at what is to be taken back
    tried = [name for name, sent in scene.fake.calls[calls:] if name == "chat.update" and sent["ts"] == card.ts]
    assert len(tried) == 1
    told = [
        one for one in caplog.records if "could not be taken back" in one.getMessage() and card.ts in one.getMessage()
    ]
    assert len(told) == 1
    scene.fake.refusals.clear()
    await scene.fake.event(scene.team, {"type": "channel_unarchive", "channel": scene.general.id, "user": "U1"})
    await scene.fake.until(lambda: "was forgotten" in card.words, "the answer taken back")


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_given_it_was_removed_when_invited_again_then_cards_are_removed(
    scene: Scene, error: str, caplog: pytest.LogCaptureFixture
) -> None:
    message = await scene.posted()
    card = await scene.found()
    for method in ("chat.update", "chat.delete"):
        scene.fake.refusals[method] = error
    await scene.fake.remove(scene.team, message)
    await scene.fake.until(lambda: not scene.team.files, "the pictures gone")
    await logged(caplog, "invited again")
    scene.fake.refusals.clear()
    joined = {"type": "member_joined_channel", "channel": scene.general.id, "user": scene.team.keaton.id}
    await scene.fake.event(scene.team, joined)
    await scene.fake.until(lambda: "was forgotten" in card.words, "the answer taken back", 10)


async def test_given_a_dozen_videos_when_pressed_then_it_shows_within_limits(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.fake.a_minute["chat.update"] = 50
    await scene.start(posts=POSTS, updates=UPDATES)
    await scene.posted()
    card = await scene.found()
    messages = [await scene.post(scene.link()) for _ in range(12)]
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await scene.press(card, "Next", "Moment 2 of")
    assert loop.time() - began_s < 10, "it waited half a minute behind the statuses"
    for message in messages:
        await scene.below(message)
    assert "chat.update: ratelimited" not in scene.fake.refused
