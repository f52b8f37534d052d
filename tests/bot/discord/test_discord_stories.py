"""What people do on Discord and see there, told against a server that speaks the protocol."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.discord.looking import EYES, READY, answer_to, card_below, cards_below, found, posted, said_below

if TYPE_CHECKING:
    from tests.bot.discord.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_posted_link_when_indexed_then_it_can_be_searched(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    message = await fake.post(general, scene.ada, f"look at this {scene.link('stunts.mp4')} !")
    card = await said_below(scene, message)
    assert "stunts" in card.text
    assert "frames" in card.text
    assert "Posted by Ada" in card.text
    assert list(card.files) == ["sheet.jpg"]
    assert (message.id, EYES) in fake.reacted
    await fake.until(lambda: not message.reactions, "the reaction gone")

    answer = await found(scene)
    assert set(answer.files) == {"frame.jpg", "plot.png"}
    assert not answer.is_ephemeral
    assert answer.links["Posted by Ada"].endswith(f"/{general.id}/{message.id}")


async def test_given_one_card_when_two_people_browse_it_then_it_follows_both(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "a dog")
    numbered = [label for label in answer.buttons if " · " in label]
    assert len(numbered) > 1
    first = answer.files["frame.jpg"]
    await answer_to(scene, await scene.fake.press(answer, "Next", scene.ada), "Moment 2 of")
    assert answer.files["frame.jpg"] != first
    await answer_to(scene, await scene.fake.press(answer, numbered[0], scene.bob), "Moment 1 of")
    assert answer.files["frame.jpg"] == first
    assert answer.buttons[numbered[0]]["style"] == 1
    assert answer.buttons["Previous"]["disabled"]


async def test_given_an_answer_slower_than_its_token_then_it_still_comes(scene: Scene) -> None:
    link = scene.link("slow.mp4")
    scene.fake.cdn.gates["slow.mp4"] = gate = asyncio.Event()
    it = await scene.fake.slash(scene.general, scene.ada, "index", url=link)
    await scene.fake.until(lambda: it.original and "Fetching" in it.original.text, "the fetching")
    it.sent_s -= 1000
    gate.set()
    await answer_to(scene, it, READY)
    assert scene.fake.dead_tokens > 0


async def test_given_a_posted_file_when_indexed_then_its_message_is_linked(scene: Scene) -> None:
    message = await scene.fake.post(scene.general, scene.ada, "", scene.video("holiday.mp4"))
    card = await said_below(scene, message)
    assert "holiday" in card.text
    answer = await found(scene)
    assert list(answer.links) == ["Posted by Ada"]


async def test_given_several_links_when_posted_then_each_has_its_own_answer(scene: Scene) -> None:
    one, two = scene.link(), scene.reel()
    message = await scene.fake.post(scene.general, scene.ada, f"{one} and {two} and {one}")
    await scene.fake.until(lambda: sum("/find" in card.text for card in cards_below(message)) == 2, "two summaries")
    fetched = len(scene.fake.cdn.fetched)
    again = await scene.fake.post(scene.general, scene.bob, one)
    await said_below(scene, again, "I know this video already")
    assert len(scene.fake.cdn.fetched) == fetched


async def test_given_a_link_edited_in_then_it_alone_is_answered(scene: Scene) -> None:
    link = scene.reel()
    message = await posted(scene, link, known=True)
    await scene.fake.change(message, f"{link} {scene.link()}")
    await scene.fake.until(lambda: sum("/find" in card.text for card in cards_below(message)) == 2, "a second summary")
    assert len(cards_below(message)) == 2


async def test_given_a_deleted_message_then_only_its_own_videos_are_forgotten(scene: Scene) -> None:
    fake, shared = scene.fake, scene.link("shared.mp4")
    elsewhere = scene.guild.channel("elsewhere")
    await fake.gateway.dispatch("CHANNEL_CREATE", elsewhere.json())
    own, both = await posted(scene, scene.link("own.mp4")), await posted(scene, shared)
    there = await fake.post(elsewhere, scene.bob, shared)
    await said_below(scene, there)
    for message in (own, both):
        card = cards_below(message)[0]
        await fake.remove(message)
        await fake.until(lambda card=card: card.id not in scene.general.messages, "Keaton's card gone")  # type: ignore[misc]
    refusal = await answer_to(scene, await fake.slash(scene.general, scene.bob, "find", text="green"))
    assert "nothing to search" in refusal.text
    answer = await answer_to(scene, await fake.slash(elsewhere, scene.bob, "find", text="green"), "Moment")
    assert "shared" in answer.text


async def test_given_a_message_deleted_while_fetching_then_nothing_is_left(scene: Scene) -> None:
    fake = scene.fake
    link = scene.link("gone.mp4")
    fake.cdn.gates["gone.mp4"] = gate = asyncio.Event()
    message = await fake.post(scene.general, scene.ada, link)
    card = await said_below(scene, message, "Fetching")
    await fake.remove(message)
    await fake.until(lambda: card.id not in scene.general.messages, "the status message gone")
    gate.set()
    other = await posted(scene, scene.reel(), known=True)
    listed = await answer_to(scene, await fake.slash(scene.general, scene.bob, "videos"), "video")
    assert "1 video" in listed.text
    assert card_below(other, "/find")


async def test_given_a_preview_and_a_cut_then_one_is_in_the_card_one_is_new(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "a dog")
    await answer_to(scene, await scene.fake.press(answer, "Preview", scene.ada), "Preview: ")
    assert set(answer.files) == {"preview.mp4", "plot.png"}
    await answer_to(scene, await scene.fake.press(answer, "Cut", scene.bob), "Cut: ")
    assert set(answer.files) == {"ends.jpg", "plot.png"}
    await answer_to(scene, await scene.fake.press(answer, "In +½ s", scene.bob), "Cut: ")
    it = await scene.fake.press(answer, "Send the cut", scene.bob)
    sent = await scene.fake.until(lambda: next((one for one in cards_below(answer) if one.files), None), "the cut")
    ((name, data),) = sent.files.items()
    assert (name.endswith(".mp4"), data[4:8], sent.is_ephemeral) == (True, b"ftyp", False)
    assert "Cut for Bob" in sent.text
    assert (it.whispers, len(cards_below(answer))) == ([], 1)
    assert set(answer.files) == {"ends.jpg", "plot.png"}
    await answer_to(scene, await scene.fake.press(answer, "Whole video", scene.ada), "The whole video")
    assert set(answer.files) == {"sheet.jpg", "plot.png"}
