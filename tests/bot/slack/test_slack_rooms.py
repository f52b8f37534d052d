"""`in:` on Slack reaches into another channel: for all who could look there themselves, or else for the asker alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.doors.pace import Pace
from bot.slack.pictures import Sharing
from bot.slack.sender import Paces, Slack
from bot.slack.whispers import EphemeralTarget
from core.model.reply import Progress, Reply
from tests.bot.slack.conftest import UNPACED, no_pictures

if TYPE_CHECKING:
    from bot.slack.render import SlackCard
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Channel, Message, User

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

REFUSED = "whose videos may be shown here"


async def other(scene: Scene, *, is_private: bool = False) -> Channel:
    """Give another channel with a video in it."""
    room = scene.team.channel("clips")
    room.is_private = is_private
    await scene.posted(channel=room)
    return room


async def test_given_another_channel_by_link_or_name_then_it_is_searched_there(scene: Scene) -> None:
    room = await other(scene)
    for name in (f"<#{room.id}|clips>", f"<#{room.id}>", "#clips", "clips"):
        card = await scene.found(f"green in:{name}")
    assert "A linked video" in card.words
    await scene.press(card, "Next", "Moment 2 of", scene.ada)
    assert "“green red”" in (await scene.found("+red")).words


async def test_given_no_channel_named_when_searched_then_only_this_one(scene: Scene) -> None:
    await other(scene)
    assert "nothing to search" in await told(scene, "green")


async def told(scene: Scene, text: str) -> str:
    """Search as Bob, and give what is said, to whomever."""
    before = set(scene.general.messages)
    answer = await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", text)

    def said() -> str | None:
        new = [one for ts, one in scene.general.messages.items() if ts not in before]
        return next((one.words for one in [*answer.said, *new] if one.words), None)

    return await scene.fake.until(said, f"an answer to {text!r}")


async def test_given_a_channel_the_asker_is_not_in_when_named_then_it_is_unknown(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    scene.general.is_private, room.people = True, {scene.ada.id}
    assert REFUSED in await told(scene, f"green in:<#{room.id}|clips>")
    assert REFUSED in await told(scene, "green in:#clips")


async def test_given_a_private_channel_when_all_here_are_in_it_then_it_is_shown(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    scene.general.is_private = True
    card = await scene.found("green in:#clips")
    room.people = {scene.bob.id}
    assert (await scene.press(card, "Next", "Moment 2 of", scene.ada)).said
    assert "Moment 1 of" in card.words


async def alone(scene: Scene, text: str, user: User | None = None) -> Message:
    """Search, and give the answer that the asker alone sees; nothing else may be said, nor shown to others."""
    before = set(scene.general.messages)
    answer = await scene.fake.slash(scene.team, scene.general, user or scene.bob, "/find", text)
    await scene.fake.until(lambda: answer.said, "a private answer")
    (said,) = answer.said
    assert set(scene.general.messages) == before
    return said


async def test_given_a_channel_not_open_to_all_here_then_the_answer_is_private(scene: Scene) -> None:
    await other(scene, is_private=True)
    card = await alone(scene, "green in:#clips")
    assert "Moment 1 of" in card.words
    assert "only you see this" in card.words
    assert len(card.images) == 2
    assert "Send the cut" not in card.buttons


async def test_given_a_private_answer_when_pressed_then_others_see_nothing(scene: Scene) -> None:
    await other(scene, is_private=True)
    before = set(scene.general.messages)
    card = await alone(scene, "green in:#clips")
    for label, words in (("Next", "Moment 2 of"), ("Preview", "Preview: 0"), ("Cut", "its first frame")):
        assert not (await scene.press(card, label, words)).said
    assert "Send the cut" not in card.buttons
    alike = await scene.press(card, "More like this", "none: it is a message of its own")
    assert "only you see this" in alike.said[0].words
    assert set(scene.general.messages) == before
    assert not scene.general.shares
    assert scene.general.id not in {one for file in scene.team.files.values() for one in file.shares}


async def test_given_a_private_answer_when_refined_then_it_stays_private(scene: Scene) -> None:
    await other(scene, is_private=True)
    await alone(scene, "green in:#clips")
    refined = await alone(scene, "+red")
    assert "“green red”" in refined.words
    assert "only you see this" in refined.words


async def test_given_the_asker_left_a_channel_when_pressed_then_nothing_is_shown(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    card = await alone(scene, "green in:#clips")
    room.people = {scene.ada.id}
    refused = await scene.press(card, "Next", "Moment 2 of")
    assert "Moment" not in refused.said[0].words
    assert "Moment 1 of" in card.words
    assert "Moment" not in await scene.asked("/find", "+red")


async def test_given_a_mention_of_another_channel_then_the_answer_may_be_private(scene: Scene) -> None:
    await other(scene, is_private=True)
    await scene.post(f"<@{scene.team.keaton.id}> green in:#clips")
    said = await scene.fake.until(lambda: scene.general.whispers, "a private answer")
    assert ("Moment 1 of" in said[0].words, said[0].only_for) == (True, scene.ada.id)
    await scene.press(said[0], "Next", "Moment 2 of", scene.ada)
    assert scene.general.by_keaton == []


async def test_given_no_private_pictures_on_slack_then_they_go_nowhere_else(scene: Scene) -> None:
    await other(scene, is_private=True)
    scene.fake.shows_pictures = False
    card = await alone(scene, "green in:#clips")
    assert "no pictures in such messages" in card.words
    assert not scene.general.shares


async def test_given_a_private_answer_when_it_improves_then_there_is_still_one(
    scene: Scene,
) -> None:
    said: list[str] = []

    class Whispered:
        async def __call__(self, shown: SlackCard) -> None:
            said.append(shown.text)

        async def sharing(self) -> Sharing:
            return Sharing("D1", "")

    client = AsyncWebClient("x")
    paces = Paces(Pace(UNPACED["posts"]), Pace(UNPACED["updates"]))
    place = EphemeralTarget(Slack(client, no_pictures(client, scene.house.ledger), client, paces), Whispered())
    await place.post(Reply("loading", progress=Progress("loading", None)))
    for text, progress in (("still", Progress("loading", None)), ("found", None), ("better", None)):
        await place.edit(Reply(text, progress=progress))
    await place.edit(Reply("broken", tone="error"))
    assert said == ["loading", "found", "broken"]


async def test_given_a_private_answer_when_its_video_goes_then_its_pictures_do(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    card = await alone(scene, "green in:#clips")
    images = set(card.images)
    await scene.fake.remove(scene.team, next(iter(room.messages.values())))
    await scene.fake.until(lambda: not images & set(scene.team.files), "the deletion of its pictures")


async def test_given_a_guest_here_when_another_channel_is_named_then_not_shown(scene: Scene) -> None:
    room, eve = await other(scene), scene.team.user("Eve")
    room.people = {scene.bob.id}
    eve.is_guest = True
    assert "only you see this" in (await alone(scene, "green in:#clips")).words
    room.people = {scene.bob.id, eve.id}
    assert "A linked video" in (await scene.found("green in:#clips")).words
