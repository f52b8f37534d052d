"""What people type on Slack: people, channels, links, long threads, several links; and what apps post."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.slack.render import plain
from tests.fakes.slack_world import Message

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.asyncio(loop_scope="session")]


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("green from:<@U1|ada.lovelace>", "green from:U1"),
        ("green from: <@U1>", "green from:U1"),
        ("green in:<#C1|clips>", "green in:C1"),
        ("<@U1|ada> dancing", " dancing"),
        ("index <https://films.example/a.mp4|films.example/a.mp4>", "index https://films.example/a.mp4"),
        ("<!channel> a &amp; b", " a & b"),
    ],
)
async def test_given_slacks_marks_when_read_then_names_links_and_ids_stay(sent: str, read: str) -> None:
    assert plain(sent) == read


@pytest.mark.slow
async def test_given_a_name_with_a_space_and_a_channel_then_slacks_are_meant(
    scene: Scene,
) -> None:
    lovelace, room = scene.team.user("Ada Lovelace"), scene.team.channel("clips")
    await scene.posted()
    theirs = await scene.post(scene.link(), room, lovelace)
    await scene.below(theirs)
    assert "Nobody called" not in (await scene.found("green from:@Ada Lovelace in:#clips")).words
    said = await scene.asked("/find", "green from:@Bob in:#clips")
    assert "That person has posted no video here" in said


@pytest.mark.slow
async def test_given_a_link_behind_a_command_then_it_is_fetched(scene: Scene) -> None:
    link, before = scene.link(), set(scene.general.messages)
    await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", f"index {link}")
    await scene.answer(scene.general, before, "Ready to search")
    assert scene.house.fetcher.fetched == [link]


@pytest.mark.slow
async def test_given_hundreds_of_replies_when_words_come_then_the_newest_refines(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found("green")
    for number in range(450):
        talk = Message(scene.general, scene.ada.id, f"talk {number}", thread_ts=card.ts)
        scene.general.messages[talk.ts] = talk
    before = set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> find blue", thread=card.ts)
    await scene.answer(scene.general, before, "“blue”")
    before = set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> at night", thread=card.ts)
    assert "“blue at night”" in (await scene.answer(scene.general, before)).words


@pytest.mark.slow
async def test_given_several_links_when_the_last_is_done_then_the_eyes_go(scene: Scene) -> None:
    known, new = scene.link(), scene.link()
    await scene.posted(known)
    message = await scene.post(f"{known} {new}")
    await scene.below(message, "I know this video already")
    await scene.fake.until(lambda: not message.reactions, "the reaction gone")
    assert sum("Ready to search" in one.words for one in scene.general.below(message)) == 1
    assert [
        name for name, sent in scene.fake.calls if name == "reactions.remove" and sent["timestamp"] == message.ts
    ] == ["reactions.remove"]


@pytest.mark.slow
async def test_given_an_apps_post_when_its_menu_is_used_then_it_is_indexed(scene: Scene) -> None:
    link = scene.link()
    message = await scene.post("News from the archive")
    message.bot, message.user = True, ""
    message.attachments = [{"title": "A video", "title_link": link, "from_url": link}]
    await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    await scene.below(message)
    assert scene.house.fetcher.fetched == [link]


@pytest.mark.slow
async def test_given_a_text_named_index_ts_then_it_is_no_video(scene: Scene) -> None:
    path = scene.folder / "index.ts"
    path.write_text("export {}")
    file = scene.team.take(path, "text/plain").json(scene.fake.url)
    message = await scene.fake.post(scene.team, scene.general, scene.ada, files=[file])
    answer = await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    assert "no video" in await scene.whispered(answer)
    assert not scene.general.below(message)
    assert not scene.house.fetcher.fetched
