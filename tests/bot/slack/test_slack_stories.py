"""What people do on Slack and see there, told against a server that speaks the protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest


if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_posted_link_becomes_a_card_in_its_thread_and_can_be_searched(scene: Scene) -> None:
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
