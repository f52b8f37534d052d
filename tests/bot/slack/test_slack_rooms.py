"""`in:` on Slack reaches into another channel, where all who read the answer could look for themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import Channel

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

REFUSED = "I know no channel"


async def other(scene: Scene, *, is_private: bool = False) -> Channel:
    """Give another channel with a film in it."""
    room = scene.team.channel("clips")
    room.is_private = is_private
    await scene.posted(channel=room)
    return room


async def test_another_channel_is_named_by_its_link_or_its_name_and_the_buttons_work(scene: Scene) -> None:
    room = await other(scene)
    for name in (f"<#{room.id}|clips>", f"<#{room.id}>", "#clips", "clips"):
        card = await scene.found(f"green in:{name}")
    assert "A linked film" in card.words
    await scene.press(card, "Next", "Moment 2 of", scene.ada)
    assert "“green red”" in (await scene.found("+red")).words


async def test_without_it_an_answer_keeps_to_its_own_channel(scene: Scene) -> None:
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


async def test_a_channel_that_the_asker_is_not_in_is_none(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    scene.general.is_private, room.people = True, {scene.ada.id}
    assert REFUSED in await told(scene, f"green in:<#{room.id}|clips>")
    assert REFUSED in await told(scene, "green in:#clips")


async def test_a_private_channel_is_shown_where_everybody_is_in_it_and_the_place_is_private_too(scene: Scene) -> None:
    room = await other(scene, is_private=True)
    assert REFUSED in await told(scene, "green in:#clips")
    scene.general.is_private = True
    card = await scene.found("green in:#clips")
    room.people = {scene.bob.id}
    assert REFUSED in await told(scene, "green in:#clips")
    assert (await scene.press(card, "Next", "Moment 2 of", scene.ada)).said
    assert "Moment 1 of" in card.words


async def test_a_public_channel_is_not_shown_to_guests_who_are_not_in_it(scene: Scene) -> None:
    room, eve = await other(scene), scene.team.user("Eve")
    room.people = {scene.bob.id}
    eve.is_guest = True
    assert REFUSED in await told(scene, "green in:#clips")
    room.people = {scene.bob.id, eve.id}
    assert "A linked film" in (await scene.found("green in:#clips")).words
