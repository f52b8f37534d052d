"""What people do on Slack and see there, told against a server that speaks the protocol."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.bot.slack.conftest import READY
from tests.core.conftest import turn
from tests.support.videos import put_video

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import File, Message

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_a_posted_link_then_a_card_is_in_its_thread(scene: Scene) -> None:
    message = await scene.post(f"look at this {scene.link('stunts.mp4')} & smile")
    card = await scene.below(message)
    assert scene.general.below(message) == [card]
    assert "Posted by Ada" in card.words
    assert [scene.team.files[one].name for one in card.images] == ["sheet.jpg"]
    await scene.fake.until(lambda: not message.reactions, "the reaction gone")
    assert (message.ts, "eyes") in scene.fake.reacted

    answer = await scene.found()
    assert [scene.team.files[one].name for one in answer.images] == ["frame.jpg", "plot.png"]
    assert answer.thread_ts == ""
    assert answer.links["Posted by Ada"].endswith(f"/archives/{scene.general.id}/p{message.ts.replace('.', '')}")
    assert "films.example/stunts.mp4" in next(url for label, url in answer.links.items() if label.startswith("Open"))


async def test_given_one_card_when_two_people_browse_it_then_no_upload_twice(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found(user=scene.bob)
    first = list(card.images)
    numbered = [label for label in card.buttons if " · " in label]
    assert len(numbered) > 1
    assert "Previous" not in card.buttons
    await scene.press(card, "Next", "Moment 2 of", scene.ada)
    assert card.images != first
    assert card.buttons[numbered[1]]["style"] == "primary"
    uploads = 0
    while anew := await back_and_there(scene, card):
        uploads += anew
    assert uploads <= 2 * 2  # each frame and plot once more at most, when its peak was found between two looks
    assert scene.general.by_keaton[-1] is card


async def back_and_there(scene: Scene, card: Message) -> int:
    """Look at the first moment and the second; give how many pictures that uploaded."""
    uploads = len(scene.team.files)
    await scene.press(card, "Previous", "Moment 1 of", scene.bob)
    await scene.press(card, "Next", "Moment 2 of", scene.ada)
    return len(scene.team.files) - uploads


async def test_given_an_answer_when_restarted_then_it_can_be_browsed(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    await scene.stop()
    await scene.start()
    await scene.press(card, "Next", "Moment 2 of")
    assert len(card.images) == 2


async def test_given_a_file_and_a_link_when_fetched_then_the_file_has_the_token(scene: Scene) -> None:
    file = scene.team.take(scene.video("holiday.mp4"))
    address = f"{scene.fake.url}/files/{file.id}/holiday.mp4"
    scene.house.fetcher.web[address] = scene.folder / "holiday.mp4"
    message = await scene.fake.post(scene.team, scene.general, scene.ada, files=[file.json(scene.fake.url)])
    assert "holiday" in (await scene.below(message)).words
    link = scene.link()
    await scene.posted(link)
    assert scene.house.fetcher.fetched == [f"{address} {scene.team.bot_token}", link]


async def test_given_a_file_of_a_connected_workspace_then_it_is_asked_about(scene: Scene) -> None:
    file = scene.team.take(scene.video("theirs.mp4"))
    scene.house.fetcher.web[f"{scene.fake.url}/files/{file.id}/theirs.mp4"] = scene.folder / "theirs.mp4"
    about = [{"id": file.id, "mode": "file_access", "file_access": "check_file_info"}]
    message = await scene.fake.post(scene.team, scene.general, scene.ada, files=about)
    assert "theirs" in (await scene.below(message)).words


async def test_given_several_links_when_posted_then_each_has_its_own_answer(scene: Scene) -> None:
    one, two = scene.link(), scene.link()
    message = await scene.post(f"{one} and {two} and {one}")
    await scene.fake.until(lambda: sum(READY in card.words for card in scene.general.below(message)) == 2, "two cards")
    again = await scene.post(one, user=scene.bob)
    await scene.below(again, "I know this video already")
    assert sorted(scene.house.fetcher.fetched) == sorted([one, two])


async def test_given_a_link_edited_in_then_it_alone_is_answered(scene: Scene) -> None:
    link = scene.link()
    message = await scene.posted(link)
    await scene.fake.change(scene.team, message, f"{link} {scene.link()}")
    await scene.fake.until(lambda: sum(READY in card.words for card in scene.general.below(message)) == 2, "two cards")
    assert len(scene.general.below(message)) == 2


async def test_given_a_deleted_message_then_only_its_own_videos_are_forgotten(scene: Scene) -> None:
    shared, elsewhere = scene.link("shared.mp4"), scene.team.channel("elsewhere")
    own, both = await scene.posted(scene.link("own.mp4")), await scene.posted(shared)
    there = await scene.post(shared, elsewhere, scene.bob)
    await scene.below(there)
    for message in (own, both):
        (card,) = scene.general.below(message)
        await scene.fake.remove(scene.team, message)
        await scene.fake.until(lambda card=card: card.ts not in scene.general.messages, "the card gone")  # type: ignore[misc]
    assert "nothing to search" in await scene.asked("/find", "green")
    assert "shared" in (await scene.found("green", elsewhere)).words


async def test_given_a_thread_when_its_first_message_goes_then_it_is_forgotten(scene: Scene) -> None:
    message = await scene.posted()
    left = {**message.json(), "subtype": "tombstone", "text": "This message was deleted."}
    changed = {"type": "message", "subtype": "message_changed", "channel": scene.general.id, "message": left}
    await scene.fake.event(scene.team, {**changed, "ts": "1.0"})
    await scene.fake.until(lambda: not scene.general.by_keaton, "the card gone")
    assert "nothing to search" in await scene.asked("/find", "green")


async def test_given_a_mention_when_it_searches_then_it_is_answered_once(scene: Scene) -> None:
    message = await scene.posted()
    before = set(scene.general.messages)
    in_thread = await scene.post(f"<@{scene.team.keaton.id}> find something green", thread=message.ts)
    answer = await scene.answer(scene.general, before)
    assert answer.thread_ts == message.ts
    await scene.fake.until(lambda: not in_thread.reactions, "the reaction gone")
    before = set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> blue")
    second = await scene.answer(scene.general, before)
    assert (second.thread_ts, len(scene.general.by_keaton)) == ("", 3)


async def test_given_a_thread_when_its_menu_is_used_then_it_is_searched_there(scene: Scene) -> None:
    message = await scene.posted()
    reply = await scene.post("where is the green part?", thread=message.ts)
    await scene.fake.menu(scene.team, reply, "find_from_message", scene.bob)
    _, view = await scene.fake.until(lambda: scene.fake.opened[-1] if scene.fake.opened else None, "the form")
    before = set(scene.general.messages)
    await scene.fake.submit(scene.team, view, scene.bob, "green")
    assert (await scene.answer(scene.general, before)).thread_ts == message.ts


async def test_given_a_link_left_alone_when_its_menu_is_used_then_it_is_indexed(scene: Scene) -> None:
    await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", "off")
    await scene.fake.until(lambda: scene.general.by_keaton, "the switch")
    message = await scene.post(scene.link())
    await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    assert "Posted by Ada" in (await scene.below(message)).words
    empty = await scene.fake.menu(scene.team, await scene.post("no video"), "index_message", scene.bob)
    assert "no video" in await scene.whispered(empty)


async def test_given_videos_when_commanded_then_they_are_listed_and_forgotten(scene: Scene) -> None:
    await scene.posted(scene.link("stunts.mp4"))
    assert "A linked video" in await scene.asked("/keaton", "videos")
    assert "Only the person who posted A linked video here" in await scene.asked("/keaton", "forget A linked video")
    assert "Forgotten" in await scene.asked("/keaton", "forget A linked video", scene.ada)
    assert "no video here yet" in await scene.asked("/keaton", "videos")


async def test_given_a_preview_and_a_cut_then_one_is_in_the_card_one_below(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    await scene.press(card, "Preview", "Preview: ")
    assert [scene.team.files[one].mimetype for one in card.images] == ["image/gif", "image/png"]
    await scene.press(card, "Cut", "Cut: ", scene.ada)
    assert [scene.team.files[one].name for one in card.images] == ["ends.jpg", "plot.png"]
    await scene.fake.press(scene.team, card, "Send the cut", scene.ada)
    sent = await scene.below(card, "without sound")
    assert "Cut for Ada" in sent.words

    def video() -> File | None:
        return next((one for one in scene.team.files.values() if one.name.endswith(".mp4") and one.shared_in), None)

    shared = await scene.fake.until(video, "the cut")
    assert shared.shared_in == [(scene.general.id, card.ts)]
    assert shared.data[4:8] == b"ftyp"
    assert "Cut: " in card.words
    await scene.press(card, "Whole video", "The whole video")
    assert scene.team.files[card.images[0]].name == "sheet.jpg"


async def test_given_bare_words_in_an_answers_thread_then_they_refine_it(scene: Scene) -> None:
    await scene.posted()
    first = await scene.found("something green")
    for words, title in (("at night -red", "“something green at night -red”"), ("find blue", "“blue”")):
        before = set(scene.general.messages)
        await scene.post(f"<@{scene.team.keaton.id}> {words}", thread=first.ts)
        answer = await scene.answer(scene.general, before)
        assert answer.thread_ts == first.ts
        assert title in answer.words


async def test_given_a_picture_when_mentioned_or_by_menu_then_it_is_asked_about(scene: Scene) -> None:
    await scene.posted()
    path = scene.folder / "meadow.png"
    Image.new("RGB", (40, 30), (0, 200, 0)).save(path)
    file = scene.team.take(path, "image/png").json(scene.fake.url)
    before = set(scene.general.messages)
    text = f"<@{scene.team.keaton.id}>"
    shown = await scene.fake.post(scene.team, scene.general, scene.ada, text, files=[file])
    answer = await scene.answer(scene.general, before)
    assert "Like the picture" in answer.words
    before = set(scene.general.messages)
    await scene.fake.menu(scene.team, shown, "find_from_message", scene.bob)
    _, view = await scene.fake.until(lambda: scene.fake.opened[-1] if scene.fake.opened else None, "the form")
    await scene.fake.submit(scene.team, view, scene.bob, "yellow")
    lacking = "“yellow”, like the picture: a shot like it is here, but what the words say probably not"
    assert lacking in (await scene.answer(scene.general, before)).words


def place(answer: Message) -> str:
    """Give when in its video an answer's frame is, as it says in "0:07 in A linked video"."""
    (at,) = set(re.findall(r"(\d+:\d+) in A linked video", answer.words))
    return str(at)


async def test_given_more_like_this_then_it_is_in_the_thread_with_its_votes(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found("something green")
    before = set(scene.general.messages)
    await scene.fake.press(scene.team, card, "More like this", scene.bob)
    alike = await scene.answer(scene.general, before)
    assert alike.thread_ts == card.ts
    assert "Strong match" in alike.words, "the video has two green shots"
    assert place(alike) != place(card)
    await scene.press(card, "👍", "Ranked with 1 vote")
    assert "👍 1" in card.buttons


async def test_given_an_answers_thread_then_only_a_reply_to_refine_is_a_question(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found("green")
    await scene.post("lol nice", thread=card.ts)
    told = await scene.whispered(await scene.fake.press(scene.team, card, "Refine", scene.ada))
    assert "Reply to this answer" in told
    await scene.post("at dawn", thread=card.ts, user=scene.bob)
    await scene.post("at night", thread=card.ts)
    await scene.post("thanks!", thread=card.ts)
    await scene.below(card, "green at night")
    await scene.post(f"<@{scene.team.keaton.id}> find blue", thread=card.ts)
    await scene.below(card, "blue")
    answers = [one.words.splitlines()[0] for one in scene.general.below(card) if not one.is_share]
    assert answers == ["“green at night”", "“blue”"]


async def test_given_a_list_of_videos_when_turned_then_its_message_changes(scene: Scene) -> None:
    for number in range(7):
        await put_video(scene.house, turn(), f"video {number}", [("red", 1)], scene.scope())
    listed = await scene.fake.slash(scene.team, scene.general, scene.bob, "/keaton", "videos")
    page = (await scene.fake.until(lambda: listed.said, "the list"))[-1]
    assert "7 videos, page 1 of 2" in page.words
    assert len(page.images) == 5
    await scene.fake.press(scene.team, page, "Next page", scene.bob)
    await scene.fake.until(lambda: "page 2 of 2" in page.words, "the second page")
    assert "video 0" in page.words
    assert "sha256" not in "".join(page.history)
    assert not scene.general.by_keaton
