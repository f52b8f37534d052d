"""Keaton dies between forgetting something and taking back what it said about that, on Slack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from core.model.events import MessageDeleted
from core.model.requests import card_note
from core.model.video import View
from tests.bot.slack.conftest import READY
from tests.core.conftest import turn
from tests.fakes.slack_world import Message
from tests.support.houses import no_clips
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

DELETED = ("forgotten", "cancelled", "unheard", "unnoted")
"""How far Keaton came when it died: it had forgotten the message, or only ended its requests, or not heard that the
message is gone; or it had not even noted its own answer."""


async def test_given_a_forgotten_video_when_restarted_then_its_words_alone_go(scene: Scene) -> None:
    house, rows = scene.house, scene.house.library.connections.rows
    house.relays.reader.target = stopping = StoppingReader(house.reader, 0)
    told = await status(scene)
    await stopping.stopped.wait()
    ((video,),) = await rows("SELECT video_id FROM works", {})
    gone = {how: await status(scene) for how in DELETED}
    kept = await status(scene)
    await scene.stop()
    house.relays.reader.target = house.reader
    house.begin_run()
    await house.library.forget(video, View.of(scene.scope()))
    for how, card in gone.items():
        await died(scene, how, card)
    assert all(card.ts in scene.general.messages for card in gone.values())
    await scene.start()
    for how, card in gone.items():
        await scene.fake.until(lambda card=card: card.ts not in scene.general.messages, f"{how}: the status gone")  # type: ignore[misc]
    await scene.fake.until(lambda: told.ts not in scene.general.messages, "what is told to the asker alone")
    await scene.fake.until(lambda: "Ready to search" in kept.words, "the other video")
    assert "forgotten here meanwhile" in " ".join(one.words for one in scene.general.whispers)
    assert not await rows("SELECT 1 FROM stale_cards", {})


async def test_given_a_menu_answer_when_its_message_is_deleted_then_it_goes(scene: Scene) -> None:
    message = await scene.posted()
    await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    await scene.fake.until(lambda: len(scene.general.below(message)) == 2, "the answer to the menu")
    await scene.fake.remove(scene.team, message)
    await scene.fake.until(lambda: not scene.general.by_keaton, "both answers gone")


async def status(scene: Scene) -> Message:
    """Post a video that comes no further than to being looked at, and give what Keaton says about it."""
    message = await scene.post(scene.link())
    return (await scene.fake.until(lambda: scene.general.below(message), "a status"))[0]


async def died(scene: Scene, how: str, card: Message) -> None:
    """Delete the message that a card answers while Keaton is on its way to be dead."""
    asked, scope = card.thread_ts, scene.scope()
    scene.general.messages[asked].subtype = "tombstone"
    match how:
        case "forgotten":
            gone = replace(turn(platform="slack"), scope=scope, view=View.of(scope), message=asked)
            await scene.house.say(MessageDeleted(gone))
        case "cancelled":
            await scene.house.ledger.take_cards_back(scope, asked)
            await scene.house.runner.cancel_message(scope, asked)
        case "unnoted":
            for name, _ in await scene.house.ledger.notes(card_note(scope, asked)):
                await scene.house.ledger.remember(name, "")


async def test_given_a_failure_under_way_then_no_unfinished_status_is_left(scene: Scene) -> None:
    await scene.posted()
    moving, cut = await scene.found("green"), await scene.found("red")
    await scene.press(cut, "Cut", "Cut: ", scene.ada)
    async with no_clips(scene.house):
        answers = [await scene.fake.press(scene.team, moving, "Preview", scene.bob)]
        await scene.fake.until(lambda: "░" in moving.words, "the preview under way")
        answers.append(await scene.fake.press(scene.team, cut, "Send the cut", scene.ada))
        status = await scene.below(cut, "Cutting")
        for video in await scene.house.library.videos(View.of(scene.scope())):
            await scene.house.media.forget(video.video.id)
    for answer in answers:
        await scene.whispered(answer)
    assert "░" not in moving.words
    assert "Moment 1 of" in moving.words
    assert status.ts not in scene.general.messages


async def test_given_a_link_edited_away_then_its_video_is_forgotten(scene: Scene) -> None:
    one, two = scene.link(), scene.link()
    message = await scene.post(f"{one} and {two}")
    await scene.fake.until(lambda: len(ready_below(scene, message)) == 2, "two cards")
    await scene.fake.change(scene.team, message, f"only {two}")
    await scene.fake.until(lambda: len(ready_below(scene, message)) == 1, "one card gone")
    assert await scene.house.library.count(View.of(scene.scope())) == 1
    await scene.fake.change(scene.team, message, "nothing")
    await scene.fake.until(lambda: not ready_below(scene, message), "both cards gone")
    assert "nothing to search" in await scene.asked("/find", "green")


async def test_given_a_file_when_deleted_then_its_video_goes_but_not_when_hidden(scene: Scene) -> None:
    file = scene.team.take(scene.video("holiday.mp4"))
    scene.house.fetcher.web[f"{scene.fake.url}/files/{file.id}/holiday.mp4"] = scene.folder / "holiday.mp4"
    message = await scene.fake.post(scene.team, scene.general, scene.ada, files=[file.json(scene.fake.url)])
    await scene.below(message)
    message.files = [{"id": file.id, "mode": "hidden_by_limit"}]
    await scene.fake.change(scene.team, message, "hidden")
    await scene.posted()
    assert await scene.house.library.count(View.of(scene.scope())) == 2
    message.files = [{"id": file.id, "mode": "tombstone"}]
    await scene.fake.change(scene.team, message, "deleted")
    await scene.fake.until(lambda: not ready_below(scene, message), "the card gone")
    assert await scene.house.library.count(View.of(scene.scope())) == 1


async def test_given_a_change_far_back_when_it_was_away_then_that_is_forgotten(scene: Scene) -> None:
    deleted, changed, kept = [await scene.posted() for _ in range(3)]
    root = await scene.post("a thread")
    below = await scene.post(scene.link(), thread=root.ts)
    await scene.fake.until(lambda: ready_below(scene, root), "the card in the thread")
    await scene.stop()
    for number in range(230):
        chatter = Message(scene.general, scene.bob.id, f"talk {number}")
        scene.general.messages[chatter.ts] = chatter
    for gone in (deleted, below):
        del scene.general.messages[gone.ts]
    changed.text = "never mind"
    await scene.start()
    for message in (deleted, changed):
        await scene.fake.until(lambda message=message: not ready_below(scene, message), "its card gone")  # type: ignore[misc]
    await scene.fake.until(lambda: not ready_below(scene, root), "the card in the thread gone")
    assert await scene.house.library.count(View.of(scene.scope())) == 1
    assert ready_below(scene, kept)


def ready_below(scene: Scene, message: Message) -> list[Message]:
    return [one for one in scene.general.below(message) if READY in one.words]
