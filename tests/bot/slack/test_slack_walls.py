"""Walls on Slack: who may take back, what becomes of shown answers, and what happens when Keaton is removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import BadSetting
from core.model.video import Scope, View
from core.ports.retention import WHOLE, Departure
from storage.retention import SqliteDepartures
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def left(scene: Scene) -> set[Scope]:
    """Give the places that Keaton counts itself out of."""
    found: tuple[Departure, ...] = await SqliteDepartures(scene.house.library.connections).wait(0.0)
    return {one.scope for one in found}


async def told(scene: Scene, what: str, scope: Scope, kind: str, **more: object) -> None:
    """Send an event, and wait until the grace period was told of it."""
    scene.grace.heard.clear()
    await scene.fake.event(scene.team, {"type": kind, **more})
    await scene.fake.until(lambda: (what, scope) in scene.grace.heard, f"{what} {scope}")


def cut_files(scene: Scene) -> set[str]:
    """Give the ids of the cuts that were posted."""
    return {one.id for one in scene.team.files.values() if one.shared_in and one.name.endswith(".mp4")}


async def test_given_a_forgotten_video_then_its_answers_and_uploads_are_gone(
    scene: Scene,
) -> None:
    message = await scene.posted()
    card = await scene.found()
    (sheet,) = scene.general.below(message)
    earlier = set(card.images)
    await scene.press(card, "Cut", "Cut: ", scene.ada)
    await scene.fake.press(scene.team, card, "Send the cut", scene.ada)
    await scene.below(card, "without sound")
    cuts = await scene.fake.until(lambda: cut_files(scene), "the cut")
    standing = set(card.images) | set(sheet.images) | cuts
    assert standing <= set(scene.team.files)
    pictures = earlier | standing
    assert "Forgotten" in await scene.asked("/keaton", "forget A linked video", scene.ada)
    for shown in (card, sheet):
        await scene.fake.until(lambda shown=shown: "was forgotten" in shown.words, "the answer taken back")  # type: ignore[misc]
        assert (shown.images, shown.buttons) == ([], {})
    await scene.fake.until(lambda: not pictures & set(scene.team.files), "the pictures deleted")


async def test_given_a_post_of_others_then_admins_and_creators_may_forget_it(scene: Scene) -> None:
    await scene.posted()
    assert "Only the person who posted" in await scene.asked("/keaton", "forget A linked video")
    scene.bob.is_admin = True
    assert "Forgotten" in await scene.asked("/keaton", "forget A linked video")
    scene.bob.is_admin, scene.general.creator = False, scene.bob.id
    await scene.posted()
    assert "Forgotten" in await scene.asked("/keaton", "forget A linked video")


async def test_given_work_of_others_then_admins_and_creators_may_cancel_it(scene: Scene) -> None:
    for is_admin in (True, False):
        scene.bob.is_admin, scene.house.relays.reader.target = False, StoppingReader(scene.house.reader, 2)
        message = await scene.post(scene.link())
        status = await scene.below(message, "Looking at its frames")
        refused = await scene.fake.press(scene.team, status, "Cancel", scene.bob)
        assert "Only the person who asked" in await scene.whispered(refused)
        scene.bob.is_admin, scene.general.creator = is_admin, "" if is_admin else scene.bob.id
        await scene.fake.press(scene.team, status, "Cancel", scene.bob)
        await scene.fake.until(lambda gone=message: not scene.general.below(gone), "the status gone")  # type: ignore[misc]


async def test_given_it_was_removed_when_a_message_comes_then_the_wait_ends(scene: Scene) -> None:
    await scene.posted()
    here, keaton = scene.scope(), {"channel": scene.general.id, "user": scene.team.keaton.id}
    await scene.fake.event(scene.team, {"type": "member_left_channel", **keaton, "user": scene.bob.id})
    await told(scene, "back", here, "member_joined_channel", **keaton)
    assert ("left", here) not in scene.grace.heard
    await told(scene, "left", here, "member_left_channel", **keaton)
    assert await left(scene) == {here}
    await told(scene, "back", here, "member_joined_channel", **keaton)
    assert await left(scene) == set()


async def test_given_a_deleted_channel_then_it_is_forgotten_at_once(scene: Scene) -> None:
    await scene.posted()
    other = scene.team.channel("other")
    await scene.posted(channel=other)
    gone = Scope("slack", scene.team.id, other.id)
    await told(scene, "left", gone, "channel_deleted", channel=other.id)
    assert await scene.house.library.videos(View.of(gone)) == ()
    assert len(await scene.house.library.videos(View.of(scene.scope()))) == 1


async def test_given_it_was_uninstalled_when_signed_in_again_then_the_wait_ends(scene: Scene) -> None:
    await scene.posted()
    whole = Scope("slack", scene.team.id, WHOLE)
    await told(scene, "left", whole, "app_uninstalled")
    assert await left(scene) == {whole}
    await scene.stop()
    await scene.start()
    assert await left(scene) == set()


async def test_given_a_token_revoked_while_stopped_then_the_wait_begins(scene: Scene) -> None:
    await scene.stop()
    token = scene.team.bot_token
    scene.fake.teams.remove(scene.team)
    with pytest.raises(BadSetting):
        await scene.door(None, bot_token=token).run()
    scene.fake.teams.append(scene.team)
    assert await left(scene) == {Scope("slack", scene.team.id, WHOLE)}
