"""What was acknowledged on Slack before a crash is done after it: presses, votes, and questions beside a picture."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from core.model.video import View
from tests.fakes.waiting import logged
from tests.support.houses import no_clips
from tests.support.jobs_done import StoppingReader

if TYPE_CHECKING:
    from tests.bot.slack.conftest import Scene
    from tests.fakes.slack_world import File, Message

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def test_given_acknowledged_presses_when_restarted_then_each_is_done_once(scene: Scene) -> None:
    await scene.posted()
    card, other = await scene.found("green"), await scene.found("red")
    scene.house.encoder.gate = asyncio.Event()
    await scene.fake.press(scene.team, card, "👍", scene.bob)
    await scene.fake.press(scene.team, other, "More like this", scene.ada)
    await until_written(scene, 2)
    await scene.stop()
    scene.house.encoder.gate = None
    scene.house.begin_run()
    await scene.start()
    await scene.fake.until(lambda: any(label.startswith("👍 1") for label in card.buttons), "the vote")
    await scene.below(other, "More like this")
    assert len(scene.general.below(other)) == 1
    assert await scene.house.library.videos(View.of(scene.scope()))


async def test_given_a_preview_and_a_cut_when_restarted_then_each_is_posted_once(scene: Scene) -> None:
    await scene.posted()
    moving, cut = await scene.found("green"), await scene.found("red")
    await scene.press(cut, "Cut", "Cut: ", scene.ada)
    async with no_clips(scene.house):  # so that nothing is ready when Keaton dies
        await scene.fake.press(scene.team, moving, "Preview", scene.bob)
        await scene.fake.press(scene.team, cut, "Send the cut", scene.ada)
        await until_written(scene, 2)
        await scene.stop()
    assert not videos(scene)
    scene.house.begin_run()
    await scene.start()
    await scene.fake.until(lambda: "Preview: " in moving.words, "the preview")
    await scene.below(cut, "without sound")
    await scene.fake.until(lambda: videos(scene), "the cut")
    await until_written(scene, 0)
    assert [one.shared_in for one in videos(scene)] == [[(scene.general.id, cut.ts)]]
    assert (len(scene.general.below(cut)), scene.general.below(moving)) == (1, [])


async def test_given_a_long_outage_when_slack_is_back_then_the_next_run_answers(
    quiet_scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene = quiet_scene
    await scene.start(retry_s=(0.05, 0.05))
    await scene.posted()
    await scene.found("green")
    await until_written(scene, 0)
    scene.fake.refusals["chat.postMessage"] = "ratelimited"
    before = set(scene.general.messages)
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", "red")
    await logged(caplog, "no answer stands yet")
    await scene.stop()
    scene.fake.refusals.clear()
    scene.house.begin_run()
    await scene.start()
    await scene.answer(scene.general, before)


async def test_given_an_answer_without_pictures_when_restarted_then_they_follow(scene: Scene) -> None:
    await scene.posted()
    before = set(scene.general.messages)
    scene.fake.gates["upload"] = asyncio.Event()
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/find", "green")

    def promised() -> Message | None:
        return next((one for ts, one in scene.general.messages.items() if ts not in before and not one.is_whole), None)

    card = await scene.fake.until(promised, "an answer whose pictures follow")
    sent = scene.fake.sockets.envelopes
    await scene.fake.until(lambda: all(one.ack_s is not None for one in sent.values()), "all acknowledgements")
    await scene.stop()
    scene.fake.gates.pop("upload").set()
    scene.house.begin_run()
    await scene.start()
    await scene.fake.until(lambda: card.is_whole and len(card.images) == 2, "its pictures")
    assert [one for ts, one in scene.general.messages.items() if ts not in before and not one.is_share] == [card]
    assert len([one for one in scene.general.shares if one.thread_ts == card.ts]) == 1


async def test_given_a_press_on_an_unnoted_answer_when_it_crashes_then_it_holds(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.posted()
    await until_written(scene, 0, "link")
    monkeypatch.setattr(scene.house.runner, "settle", forever)  # a kill leaves it so
    cards, before = [await scene.found("green")], set(scene.general.messages)
    await scene.post(f"<@{scene.team.keaton.id}> something green", user=scene.ada)
    cards.append(await scene.answer(scene.general, before))
    monkeypatch.undo()
    for card in cards:
        await scene.press(card, "Next", "Moment 2 of")
    await until_written(scene, 0)
    await scene.stop()
    scene.house.begin_run()
    updates = [one for one, _ in scene.fake.calls].count("chat.update")
    await scene.start()
    await until_written(scene, 0, "find")
    assert ["Moment 2 of" in card.words for card in cards] == [True, True]
    assert [one for one, _ in scene.fake.calls].count("chat.update") == updates


async def test_given_a_video_cancelled_by_an_admin_when_it_crashes_then_it_rests(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.bob.is_admin = True
    scene.house.relays.reader.target = StoppingReader(scene.house.reader, 2)
    status = await scene.below(await scene.post(scene.link()), "Looking at its frames")
    monkeypatch.setattr(scene.house.runner, "cancel", forever)  # it is not come to in this run, nor first in the next
    await scene.fake.press(scene.team, status, "Cancel", scene.bob)
    await until_written(scene, 1)
    await scene.stop()
    scene.house.relays.reader.target = scene.house.reader
    scene.house.begin_run()
    await scene.start()
    await until_written(scene, 0, "link")
    assert not scene.general.below(status.channel.messages[status.thread_ts])
    assert not await scene.house.library.videos(View.of(scene.scope()))


@pytest.mark.parametrize("is_mention", [False, True], ids=["command", "mention"])
async def test_given_an_old_switch_not_noted_when_it_crashes_then_newer_stands(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, is_mention: bool
) -> None:
    killed = asyncio.Event()

    async def noting(_job: object) -> None:
        killed.set()
        await forever(_job)

    monkeypatch.setattr(scene.house.runner, "settle", noting)
    before = set(scene.general.messages)
    if is_mention:
        await scene.post(f"<@{scene.team.keaton.id}> off")
    else:
        await scene.fake.slash(scene.team, scene.general, scene.ada, "/keaton", "off")
    older = await scene.answer(scene.general, before, "Off:")
    await killed.wait()
    monkeypatch.undo()
    await scene.fake.slash(scene.team, scene.general, scene.bob, "/keaton", "on")
    await scene.answer(scene.general, before, "On:")
    await until_written(scene, 1, "switch")
    await scene.stop()
    scene.house.begin_run()
    await scene.start()
    await until_written(scene, 0, "switch")
    assert "every video" in await scene.asked("/keaton", "status")
    assert "switched on since" in older.words


async def forever(*_job: object) -> None:
    """Take too long to note anything."""
    await asyncio.Event().wait()


def videos(scene: Scene) -> list[File]:
    """Give the videos that Keaton has shared."""
    return [one for one in scene.team.files.values() if one.name.endswith(".mp4") and one.shared_in]


async def until_written(scene: Scene, count: int, kind: str = "press") -> None:
    """Wait until so many presses, and no more, are written down and not done."""
    sql = "SELECT 1 FROM jobs WHERE kind = :kind AND ended_s IS NULL"
    async with asyncio.timeout(60):
        while len(await scene.house.library.connections.rows(sql, {"kind": kind})) != count:  # noqa: ASYNC110 - no one tells
            await asyncio.sleep(0.01)
