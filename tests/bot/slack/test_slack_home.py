"""The App Home, direct messages, a word when invited, and the form that an empty /find opens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Channel, File, Message, User

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


def words(view: dict[str, Any]) -> str:
    """Give what a page says."""
    return "\n".join(one["text"]["text"] for one in view["blocks"] if "text" in one)


async def opened(scene: Scene, user: User) -> dict[str, Any]:
    """Open the App Home as somebody, and give what they see."""
    scene.team.homes.pop(user.id, None)
    event = {"type": "app_home_opened", "user": user.id, "channel": scene.team.talk(user.id).id, "tab": "home"}
    await scene.fake.event(scene.team, event)
    return await scene.fake.until(lambda: scene.team.homes.get(user.id), "the page")


async def in_talk(scene: Scene, user: User, said: str) -> Message:
    """Wait until Keaton says something in the direct messages with somebody."""
    talk = scene.team.talk(user.id)

    def found() -> Message | None:
        return next((one for one in talk.by_keaton if said in one.words and one.is_whole), None)

    return await scene.fake.until(found, f"{said!r} in the direct messages")


async def hidden(scene: Scene) -> Channel:
    """Give a private channel with a video in it that Bob is not in."""
    room = scene.team.channel("secret")
    room.is_private, room.people = True, {scene.ada.id}
    await scene.posted(channel=room)
    return room


async def test_given_a_home_when_opened_then_it_shows_what_its_reader_may_see(scene: Scene) -> None:
    await scene.posted()
    await hidden(scene)
    for user, rooms in ((scene.ada, {"general", "secret"}), (scene.bob, {"general"})):
        told = words(await opened(scene, user))
        assert {name for name in ("general", "secret") if f"#{name}: I look at every video" in told} == rooms
        assert told.count("A linked video") == len(rooms)
        assert "/keaton" in told


async def test_given_a_search_at_home_then_the_answer_is_a_direct_message(scene: Scene) -> None:
    await scene.posted()
    await opened(scene, scene.bob)
    await scene.fake.at_home(scene.team, scene.bob, "home_find", "green")
    card = await in_talk(scene, scene.bob, "Moment 1 of")
    assert len(card.images) == 2
    await scene.press(card, "Next", "Moment 2 of")
    assert all("Moment" not in one.words for one in scene.general.by_keaton)


async def test_given_a_channel_when_switched_at_home_then_only_by_its_members(scene: Scene) -> None:
    room = await hidden(scene)
    await opened(scene, scene.bob)
    before = set(scene.general.messages)
    await scene.fake.at_home(scene.team, scene.bob, f"home_switch:{scene.general.id}", "off")
    await scene.answer(scene.general, before, "Off:")
    await scene.fake.until(lambda: "#general: I leave it alone" in words(scene.team.homes[scene.bob.id]), "the page")
    await scene.fake.at_home(scene.team, scene.bob, f"home_switch:{room.id}", "off")
    await scene.asked("/keaton", "status")
    await opened(scene, scene.ada)
    assert "#secret: I look at every video" in words(scene.team.homes[scene.ada.id])


async def test_given_a_direct_message_then_all_its_writer_may_see_is_searched(scene: Scene) -> None:
    await scene.posted()
    await hidden(scene)
    talk = scene.team.talk(scene.bob.id)
    await scene.post("something green", channel=talk, user=scene.bob)
    card = await in_talk(scene, scene.bob, "Moment 1 of")
    assert (card.thread_ts, len(card.images)) == ("", 2)
    before = set(talk.messages)
    await scene.post(scene.link("mine.mp4"), channel=talk, user=scene.bob)
    await scene.answer(talk, before, "Ready to search")
    answer = await scene.fake.slash(scene.team, talk, scene.bob, "/find", "blue in:#secret")
    assert "no channel" in await scene.whispered(answer)


async def test_given_an_admin_in_direct_messages_then_only_own_posts_go(scene: Scene) -> None:
    await scene.posted()
    scene.bob.is_admin = True
    for user, said in ((scene.bob, "Only the person who posted"), (scene.ada, "Forgotten")):
        talk = scene.team.talk(user.id)
        answer = await scene.fake.slash(scene.team, talk, user, "/keaton", "forget A linked video")
        assert said in await scene.whispered(answer)


async def test_given_a_group_message_with_keaton_then_it_works_as_a_channel(scene: Scene) -> None:
    group = scene.team.channel("mpdm-ada--bob--keaton-1")
    group.is_private = True
    message = await scene.posted(channel=group)
    assert scene.team.files[group.below(message)[0].images[0]].name == "sheet.jpg"
    before = set(group.messages)
    await scene.fake.slash(scene.team, group, scene.bob, "/find", "green")
    await scene.answer(group, before)


@pytest.mark.parametrize(("name", "talk_id"), [("directmessage", "D0777"), ("mpdm-ada--bob-1", "G0777")])
async def test_given_a_talk_between_others_when_asked_then_no_invite_is_advised(
    scene: Scene, name: str, talk_id: str
) -> None:
    talk = scene.team.channel(name, keaton_inside=False)
    talk.id, talk.is_private = talk_id, True
    scene.team.channels[talk_id] = talk
    answer = await scene.fake.slash(scene.team, talk, scene.bob, "/find", "green")
    said = await scene.whispered(answer)
    assert "not part of this talk" in said
    assert "/invite" not in said


async def test_given_find_without_words_then_a_form_opens_and_searches_there(scene: Scene) -> None:
    await scene.posted()
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", "")
    _, view = await scene.fake.until(lambda: scene.fake.opened[-1] if scene.fake.opened else None, "the form")
    before = set(scene.general.messages)
    await scene.fake.submit(scene.team, view, scene.bob, "green")
    assert (await scene.answer(scene.general, before)).thread_ts == ""


async def test_given_a_global_shortcut_then_all_the_asker_may_see_is_searched(scene: Scene) -> None:
    await scene.posted()
    await scene.fake.shortcut(scene.team, "find_anywhere", scene.bob)
    _, view = await scene.fake.until(lambda: scene.fake.opened[-1] if scene.fake.opened else None, "the form")
    await scene.fake.submit(scene.team, view, scene.bob, "green")
    assert len((await in_talk(scene, scene.bob, "Moment 1 of")).images) == 2


async def test_given_an_invitation_when_it_joins_then_its_use_is_told_once(scene: Scene) -> None:
    event = {"type": "member_joined_channel", "user": scene.team.keaton.id, "channel": scene.general.id}
    for _ in range(2):
        await scene.fake.event(scene.team, event)
    await scene.fake.until(lambda: scene.general.by_keaton, "the word")
    await scene.asked("/keaton", "status")
    (said,) = scene.general.by_keaton
    assert "Post a link to a video here" in said.words


async def test_given_slow_direct_messages_when_a_shortcut_is_used_then_it_opens(scene: Scene) -> None:
    await scene.posted()
    scene.fake.refusals["conversations.open"] = "internal_error"
    await scene.fake.shortcut(scene.team, "find_anywhere", scene.bob)
    _, view = await scene.fake.until(lambda: scene.fake.opened[-1] if scene.fake.opened else None, "the form")
    scene.fake.refusals.clear()
    await scene.fake.submit(scene.team, view, scene.bob, "green")
    assert len((await in_talk(scene, scene.bob, "Moment 1 of")).images) == 2


async def test_given_unknown_members_when_a_channel_is_switched_then_it_says_so(
    scene: Scene,
) -> None:
    await scene.posted()
    await opened(scene, scene.bob)
    scene.fake.refusals["users.conversations"] = "internal_error"
    await scene.fake.at_home(scene.team, scene.bob, f"home_switch:{scene.general.id}", "off")
    await in_talk(scene, scene.bob, "switched nothing")
    scene.fake.refusals.clear()
    assert "every video" in await scene.asked("/keaton", "status")


async def test_given_more_than_a_page_when_the_button_is_pressed_then_it_turns(scene: Scene) -> None:
    for _ in range(7):
        await scene.posted()
    view = await opened(scene, scene.bob)
    assert "Status" in words(view)
    assert "page 1 of 2" in words(view)
    links = [part["text"] for one in view["blocks"] if one["type"] == "context" for part in one["elements"]]
    assert sum("/archives/" in one for one in links) == 5
    rows = [one["elements"] for one in view["blocks"] if one["type"] == "actions"]
    (forward,) = [one["action_id"] for row in rows for one in row if one["action_id"] == "home_list:2"]
    await scene.fake.at_home(scene.team, scene.bob, forward, "")
    await scene.fake.until(lambda: "page 2 of 2" in words(scene.team.homes[scene.bob.id]), "the other page", 20)


def seen_at_home(scene: Scene, user: User, view: dict[str, Any] | None = None) -> list[File]:
    """Give the pictures of videos that somebody sees on a page, by default on their own."""
    view = scene.team.homes[user.id] if view is None else view
    beside = [one["accessory"] for one in view["blocks"] if "accessory" in one]
    files = [scene.team.files[one["slack_file"]["id"]] for one in beside if one["type"] == "image"]
    return [one for one in files if one.is_seen_by(user.id, scene.team)]


async def shows_pictures(scene: Scene, user: User, count: int) -> list[File]:
    """Wait until somebody's page shows so many pictures to them."""

    def found() -> list[File] | None:
        seen = seen_at_home(scene, user)
        return seen if len(seen) == count else None

    return await scene.fake.until(found, f"{count} pictures")


async def with_pictures(scene: Scene, user: User, count: int) -> list[File]:
    """Open the App Home as somebody, and wait until it shows so many pictures to them."""
    await opened(scene, user)
    return await shows_pictures(scene, user, count)


async def test_given_a_private_video_when_homes_open_then_members_alone_see_it(
    scene: Scene,
) -> None:
    await scene.posted()
    await hidden(scene)
    mine = await with_pictures(scene, scene.ada, 2)
    assert len({one.id for one in mine}) == 2
    (other,) = await with_pictures(scene, scene.bob, 1)
    carl = scene.team.user("Carl")
    for one, reader in ((mine[0], scene.ada), (mine[1], scene.ada), (other, scene.bob)):
        others = {scene.ada.id, scene.bob.id, carl.id} - {reader.id}
        assert not any(one.is_seen_by(user, scene.team) for user in others)
    assert not seen_at_home(scene, carl, scene.team.homes[scene.ada.id])


async def test_given_a_home_with_pictures_when_it_reopens_then_none_is_uploaded(
    scene: Scene,
) -> None:
    await scene.posted()
    before = [one.id for one in await with_pictures(scene, scene.bob, 1)]
    shared = len(scene.team.talk(scene.bob.id).shares)
    for _ in range(2):
        view = await opened(scene, scene.bob)
        assert [one.id for one in seen_at_home(scene, scene.bob, view)] == before
        await scene.stop()
        await scene.start()
    assert len(scene.team.talk(scene.bob.id).shares) == shared == 1


async def test_given_pictures_at_home_when_one_video_is_forgotten_then_it_goes(scene: Scene) -> None:
    first, _ = await scene.posted(), await scene.posted()
    await with_pictures(scene, scene.bob, 2)
    await scene.stop()
    await scene.start()
    talk = scene.team.talk(scene.bob.id)
    await scene.fake.remove(scene.team, first)
    await scene.fake.until(lambda: len(talk.shares) == 1, "the picture gone with its message")
    (left,) = await with_pictures(scene, scene.bob, 1)
    assert left.is_seen_by(scene.bob.id, scene.team)


async def test_given_a_deleted_picture_when_the_home_opens_then_a_new_one_shows(scene: Scene) -> None:
    await scene.posted()
    (old,) = await with_pictures(scene, scene.bob, 1)
    del scene.team.files[old.id]
    (new,) = await with_pictures(scene, scene.bob, 1)
    assert new.id != old.id


async def test_given_many_pictures_when_a_page_is_turned_then_the_oldest_go(quiet_scene: Scene) -> None:
    scene = quiet_scene
    await scene.start(home_pictures=5)
    for _ in range(7):
        await scene.posted()
    await with_pictures(scene, scene.bob, 5)
    for number, count in ((2, 2), (1, 5)):
        await scene.fake.at_home(scene.team, scene.bob, f"home_list:{number}", "")
        await shows_pictures(scene, scene.bob, count)
        assert f"page {number} of 2" in words(scene.team.homes[scene.bob.id])
        await scene.fake.until(lambda: len(scene.team.talk(scene.bob.id).shares) == 5, "the five seen last")


async def test_given_no_direct_messages_when_the_home_opens_then_it_has_a_list(
    scene: Scene,
) -> None:
    await scene.posted()
    scene.fake.refusals["conversations.open"] = "internal_error"
    view = await opened(scene, scene.bob)
    assert "A linked video" in words(view)
    scene.fake.refusals.clear()
    assert len(await with_pictures(scene, scene.bob, 1)) == 1
