"""Whoever may see a card on Slack sees its pictures, and nobody else does: seen by the eyes of another member."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.doors.pace import Budget, Pace
from bot.slack.config import DELETIONS, FILE_LOOKS, SlackConfig
from bot.slack.pictures import Digestion, Pictures, Sharing
from core.model.reply import Picture
from tests.fakes.slack_world import File

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Message, User

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def seen(scene: Scene, card: Message, user: User) -> list[str]:
    """Give the names of the pictures in a card that somebody sees."""
    files = [scene.team.files[one] for one in card.named]
    return [one.name for one in files if one.is_seen_by(user.id, scene.team)]


async def test_given_cards_with_pictures_then_any_member_sees_each_of_them(scene: Scene) -> None:
    carl = scene.team.user("Carl")
    message = await scene.posted()
    (sheet,) = scene.general.below(message)
    assert seen(scene, sheet, carl) == ["sheet.jpg"]
    card = await scene.found()
    assert seen(scene, card, carl) == ["frame.jpg", "plot.png"]
    await scene.press(card, "Next", "Moment 2 of")
    assert seen(scene, card, carl) == ["frame.jpg", "plot.png"]
    await scene.press(card, "Preview", "Preview: ")
    assert len(seen(scene, card, carl)) == len(card.named) == 2
    await scene.press(card, "Cut", "Cut: ", scene.ada)
    assert seen(scene, card, carl) == ["ends.jpg", "plot.png"]
    await scene.fake.press(scene.team, card, "Send the cut", scene.ada)
    files = scene.team.files
    await scene.fake.until(lambda: [one for one in files.values() if one.name.endswith(".mp4") and one.shares], "a cut")
    before = set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> blue", thread=message.ts)
    assert seen(scene, await scene.answer(scene.general, before), carl) == ["frame.jpg", "plot.png"]


async def test_given_pictures_then_one_silent_message_shares_them_in_the_thread(scene: Scene) -> None:
    await scene.posted()
    shared = len(scene.general.shares)
    card = await scene.found()
    for label, words in (("Next", "Moment 2 of"), ("Previous", "Moment 1 of"), ("Next", "Moment 2 of")):
        await scene.press(card, label, words)
    await scene.fake.until(lambda: len(scene.general.shares) <= shared + 2, "no more shares than pictures in the card")
    new = scene.general.shares[shared:]
    assert {one.thread_ts for one in new} == {card.ts}
    assert all(not one.text and not one.blocks for one in new)


async def test_given_presses_when_each_has_a_new_picture_then_only_those_stand(scene: Scene) -> None:
    await scene.posted()
    card, shared = await scene.found(), len(scene.general.shares)
    for label, words in (("Next", "Moment 2"), ("Previous", "Moment 1"), ("Next", "Moment 2")):
        await scene.press(card, label, words)
    await scene.press(card, "Preview", "Preview: ")
    await scene.press(card, "Cut", "Cut: ", scene.ada)
    await scene.fake.until(lambda: len(scene.general.shares) <= shared + 1, "no more shares than pictures")
    await scene.fake.until(lambda: all(one.shares for one in scene.team.files.values()), "what was replaced gone, too")
    assert len(card.images) == 2


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "asked"])
async def test_given_twenty_searches_at_once_then_all_have_pictures_in_tier_4(
    quiet_scene: Scene, *, is_told: bool
) -> None:
    scene = quiet_scene
    scene.fake.polls, scene.fake.digests_s, scene.fake.tells_shares = 1, 1.0, is_told
    for method in ("files.info", "files.getUploadURLExternal", "files.completeUploadExternal"):
        scene.fake.a_minute[method] = 100
    for method in ("files.delete", "chat.delete"):
        scene.fake.a_minute[method] = 50
    polls_s = SlackConfig("", "").picture_polls_s
    await scene.start(picture_polls_s=polls_s, file_looks=FILE_LOOKS, deletions=DELETIONS)
    await scene.posted()
    people = [scene.team.user(f"Person {number}") for number in range(10)]
    calls, before = len(scene.fake.calls), set(scene.general.messages)
    for number in range(20):
        await scene.fake.slash(scene.team, scene.general, people[number % 10], "/find", "green")

    def shown() -> bool:
        cards = [one for ts, one in scene.general.messages.items() if ts not in before and not one.is_share]
        return len(cards) == 20 and all(len(one.images) == 2 for one in cards)

    await scene.fake.until(shown, "the pictures of all answers")
    made = [name for name, _ in scene.fake.calls[calls:] if name.startswith("files.")]
    assert made.count("files.completeUploadExternal") >= 20
    assert made.count("files.info") <= (5 if is_told else 70)
    assert not [one for one in scene.fake.refused if one.startswith("files.")]


async def test_given_sharing_switched_off_then_uploads_stay_unshared(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await scene.start(pictures="inline")
    await scene.posted()
    card = await scene.found()
    assert len(card.named) == 2
    assert seen(scene, card, scene.bob) == []
    assert not scene.general.shares


async def test_given_pictures_for_one_person_then_no_other_sees_them(scene: Scene) -> None:
    card = await _private(scene)
    assert seen(scene, card, scene.bob) == ["frame.jpg", "plot.png"]
    assert seen(scene, card, scene.ada) == []
    await scene.press(card, "Next", "Moment 2 of")
    assert (seen(scene, card, scene.bob), seen(scene, card, scene.ada)) == (["frame.jpg", "plot.png"], [])
    talk = scene.team.talk(scene.bob.id)
    (root,) = talk.by_keaton
    assert "only you see" in root.words
    assert {one.thread_ts for one in talk.shares} == {root.ts}, "replies there notify nobody"
    await _private(scene)
    assert talk.by_keaton == [root]


async def _private(scene: Scene) -> Message:
    """Ask for what is in a private channel, and give the answer that the asker alone sees."""
    room = scene.team.channel("clips")
    room.is_private = True
    await scene.posted(channel=room)
    answer = await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", f"green in:<#{room.id}>")
    await scene.fake.until(lambda: answer.said, "a private answer")
    return answer.said[0]


async def test_given_no_right_to_open_direct_messages_then_posting_opens_them(quiet_scene: Scene) -> None:
    scene = quiet_scene
    scene.team.scopes = scene.team.scopes.replace("im:write,", "")
    await scene.start()
    card = await _private(scene)
    assert seen(scene, card, scene.bob) == ["frame.jpg", "plot.png"]


async def test_given_a_forgotten_video_then_its_uploads_and_sharings_are_gone(scene: Scene) -> None:
    message = await scene.posted()
    card = await scene.found()
    await scene.press(card, "Next", "Moment 2 of")
    assert scene.general.shares
    await scene.fake.remove(scene.team, message)
    await scene.fake.until(lambda: "was forgotten" in card.words, "the answer taken back")
    await scene.fake.until(lambda: not scene.general.shares, "the messages that shared pictures gone")
    await scene.fake.until(lambda: not scene.team.files, "the uploads gone")


async def test_given_a_run_that_died_uploading_when_restarted_then_it_is_deleted(quiet_scene: Scene) -> None:
    scene = quiet_scene
    file = File("frame.jpg", b"picture", "image/jpeg")
    scene.team.files[file.id] = file
    left = await scene.post("")
    left.bot, left.files, file.shares = True, [{"id": file.id}], {scene.general.id: (left.ts, "")}
    await scene.house.ledger.remember(f"slack:upload:{scene.team.id}:{file.id}", file.id)
    await scene.start()
    assert not scene.team.files
    assert left.ts not in scene.general.messages
    assert not await scene.house.ledger.notes("slack:upload:")


async def test_given_uploads_that_are_shown_when_restarted_then_they_stay(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    files = set(card.images)
    async with asyncio.timeout(60):
        while await scene.house.ledger.notes("slack:upload:"):  # noqa: ASYNC110 - no one tells
            await asyncio.sleep(0.01)
    await scene.stop()
    await scene.start()
    assert files <= set(scene.team.files)


async def test_given_two_shared_pictures_when_one_goes_then_the_other_stays(scene: Scene) -> None:
    base = scene.fake.url + "/api/"
    async with aiohttp.ClientSession() as session:
        client = AsyncWebClient(scene.team.bot_token, base_url=base, session=session)
        free = Pace(Budget(1000, 0.0))
        digestion = Digestion(client, (0.001,) * 9, free)
        pictures = Pictures(client, client, digestion, free, scene.house.ledger, scene.team.id)
        card = await scene.post("a card")
        two = [Picture("plot", f"{name}.png", name, {"light": name.encode()}) for name in ("old", "kept")]
        old, kept = await pictures.shots(two, Sharing(scene.general.id, card.ts, card.ts))
        await pictures.delete((old.file_id,))
        assert old.file_id not in scene.team.files
        assert scene.team.files[kept.file_id].is_seen_by(scene.bob.id, scene.team)
        await pictures.delete((kept.file_id,))
        assert not scene.general.shares


async def test_given_a_sharing_done_but_answered_500_then_it_is_done_once(scene: Scene) -> None:
    scene.fake.broken["files.completeUploadExternal"] = 1
    message = await scene.posted()
    assert scene.general.below(message)[0].images
    assert len(scene.general.shares) == 1
    scene.fake.broken["files.completeUploadExternal"] = 2
    assert len((await scene.found()).images) == 2
    assert len(scene.general.shares) == 2
