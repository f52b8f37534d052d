"""Nothing is asked of Slack before what it sends is acknowledged: a method that hangs makes no acknowledgement late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.model.video import View
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot.slack.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

METHODS = ("auth.test", "users.info", "files.info", "conversations.info", "conversations.history", "views.open")


@pytest.fixture
def hanging(scene: Scene) -> Iterator[Scene]:
    """A workspace where Slack answers nothing that might be asked before an acknowledgement."""
    for method in METHODS:
        scene.fake.gates[method] = asyncio.Event()
    yield scene
    for method in METHODS:
        scene.fake.gates[method].set()


async def acknowledged(scene: Scene, kind: str) -> None:
    """Wait until the last thing of a kind that was sent is acknowledged."""
    sent = [one for one in scene.fake.sockets.envelopes.values() if one.kind == kind][-1]
    await scene.fake.until(lambda: sent.ack_s is not None, f"the acknowledgement of {kind}", within_s=20)


async def test_given_a_start_when_slack_hangs_then_a_command_is_acknowledged(hanging: Scene) -> None:
    await hanging.fake.slash(hanging.team, hanging.general, hanging.bob, "/find", "green")
    await acknowledged(hanging, "slash_commands")
    assert [method for method, _ in hanging.fake.calls].count("auth.test") == 1, "at the sign-in alone"


async def test_given_a_menu_press_then_it_is_acknowledged_before_slack_is_asked(
    scene: Scene,
) -> None:
    file = scene.team.take(scene.video("theirs.mp4"))
    scene.house.fetcher.web[f"{scene.fake.url}/files/{file.id}/theirs.mp4"] = scene.folder / "theirs.mp4"
    await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", "off")
    await scene.fake.until(lambda: scene.general.by_keaton, "the switch")
    about = [{"id": file.id, "mode": "file_access", "file_access": "check_file_info"}]
    message = await scene.fake.post(scene.team, scene.general, scene.ada, files=about)
    for method in METHODS:
        scene.fake.gates[method] = asyncio.Event()
    await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    await acknowledged(scene, "interactive")
    for method in METHODS:
        scene.fake.gates.pop(method).set()
    card = await scene.below(message)
    assert "theirs" in card.words
    assert "Posted by Ada" in card.words


async def test_given_no_video_behind_a_menu_press_then_it_says_so_and_ends(scene: Scene) -> None:
    path = scene.folder / "list.pdf"
    path.write_bytes(b"%PDF")
    file = scene.team.take(path, "application/pdf")
    message = await scene.post("theirs")
    message.files = [{"id": file.id, "mode": "file_access", "file_access": "check_file_info"}]
    answer = await scene.fake.menu(scene.team, message, "index_message", scene.bob)
    assert "no video" in await scene.whispered(answer)
    assert not await scene.house.runner.jobs.left("slack")


async def test_given_cancel_when_slack_is_slow_then_it_is_acknowledged_at_once(scene: Scene) -> None:
    scene.bob.is_admin = True
    scene.house.relays.reader.target = StoppingReader(scene.house.reader, 2)
    status = await scene.below(await scene.post(scene.link()), "Looking at its frames")
    scene.fake.gates["users.info"] = asyncio.Event()
    await scene.fake.press(scene.team, status, "Cancel", scene.bob)
    await acknowledged(scene, "interactive")
    scene.fake.gates.pop("users.info").set()
    await scene.fake.until(lambda: status.ts not in scene.general.messages, "the status gone")
    assert not await scene.house.library.videos(View.of(scene.scope()))


async def test_given_another_workspace_when_it_sends_then_only_acknowledged(scene: Scene) -> None:
    await scene.posted()
    card = await scene.found()
    calls = len(scene.fake.calls)
    body = {"type": "block_actions", "team": {"id": "T0OTHER"}, "user": {"id": scene.bob.id, "team_id": "T0OTHER"}}
    pressed = {"container": {"type": "message", "message_ts": card.ts, "channel_id": scene.general.id}}
    action = {"actions": [{**card.buttons["Next"], "action_ts": "1.1"}], "trigger_id": "t", "response_url": ""}
    await scene.fake.sockets.deliver(scene.team, "interactive", {**body, **pressed, **action})
    await acknowledged(scene, "interactive")
    command = {"command": "/find", "text": "green", "channel_id": scene.general.id, "user_id": scene.bob.id}
    other = {**command, "team_id": "T0OTHER", "trigger_id": "u", "response_url": ""}
    await scene.fake.sockets.deliver(scene.team, "slash_commands", other)
    await acknowledged(scene, "slash_commands")
    assert "Moment 1 of" in card.words
    assert [name for name, _ in scene.fake.calls[calls:] if name.startswith("chat.")] == []
