"""Where Discord refuses: an answer becomes simpler, never silence, and what cannot be changed is not tried for ever."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from core.model.video import View
from tests.bot.discord.test_discord_walls import Town, a_town
from tests.fakes.discord_world import ATTACH, KEATON, VIEW, walk
from tests.fakes.waiting import logged
from tests.support.houses import house, reader

if TYPE_CHECKING:
    from pathlib import Path

    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Channel, Json

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="session")]


def has(kind: int) -> object:
    return lambda payload: any(part["type"] == kind for part in walk(payload.get("components") or []))


def is_public(payload: Json) -> bool:
    return not payload.get("flags", 0) & (1 << 6)


@pytest.mark.parametrize(("part", "kept"), [(12, {"Next"}), (1, set())], ids=["pictures", "buttons"])
async def test_given_a_refused_part_when_answered_then_the_rest_is_shown(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture, part: int, kept: set[str]
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        town.fake.desk.refuses = has(part)  # type: ignore[assignment]
        with caplog.at_level(logging.INFO):
            it = await town.fake.typed(town.general, town.ada, "/find green")
            answer = await town.answer(it, "did not take my whole answer")
        assert "green" in answer.text
        assert answer.files == {}
        assert kept <= set(answer.buttons)
        assert "Traceback" not in caplog.text


async def test_given_an_answer_refused_in_every_form_then_the_asker_is_told(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        town.fake.desk.refuses = is_public
        it = await town.fake.typed(town.general, town.ada, "/find green")
        said = await town.answer(it, "cannot show it here")
        assert said.is_ephemeral
        assert it.original is None
        assert "Traceback" not in caplog.text


async def test_given_a_refused_picture_when_pressed_then_it_is_still_answered(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        card = await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        town.fake.desk.refuses = is_public
        said = await town.answer(await town.fake.press(card, "As softmax", town.bob), "cannot show it here")
        assert said.is_ephemeral
        assert "Moment 1" in card.text


@pytest.mark.parametrize("locked", [False, True])
async def test_given_a_frame_in_an_archived_thread_when_forgotten_then_it_goes(
    house: ColourHouse, tmp_path: Path, *, locked: bool
) -> None:
    async with a_town(house) as town:
        thread = await a_thread(town)
        await town.post(tmp_path, thread, "film.mp4")
        answer = await town.answer(await town.fake.typed(thread, town.ada, "/find green"), "Moment 1")
        await town.fake.set_thread(thread, archived=True, locked=locked)
        await forget_all(town, thread)
        await town.fake.until(lambda: answer.id not in thread.messages, "the answer gone")


async def test_given_a_frame_in_a_closed_thread_when_it_opens_then_it_is_removed(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        thread = await a_thread(town)
        await town.post(tmp_path, thread, "film.mp4")
        answer = await town.answer(await town.fake.typed(thread, town.ada, "/find green"), "Moment 1")
        await town.fake.set_thread(thread, archived=True, locked=True)
        town.fake.undeletable.add(answer.id)
        await forget_all(town, thread)
        await logged(caplog, "could not be taken back")
        tries = len(town.fake.refused)
        for _ in range(4):
            await town.answer(await town.fake.slash(town.general, town.bob, "videos"), "no video here")
        assert len(town.fake.refused) == tries
        assert caplog.text.count(f"message {answer.id} in channel") == 1
        await town.fake.set_thread(thread, archived=False)
        await town.fake.until(lambda: "was forgotten" in answer.text, "the frame taken back")


async def test_given_an_expired_press_when_handled_then_no_traceback_is_left(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        card = await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        town.fake.desk.ack_within_s = -1.0
        for use in (
            town.fake.press(card, "As softmax", town.bob),
            town.fake.typed(town.general, town.ada, "/find red"),
        ):
            late = town.fake.late_acks
            await use
            await town.fake.until(lambda late=late: town.fake.late_acks > late, "a late acknowledgement")  # type: ignore[misc]
        town.fake.desk.ack_within_s = 3.0
        await town.answer(await town.fake.typed(town.general, town.ada, "/find blue"), "Moment 1")
        assert "Traceback" not in caplog.text
        await logged(caplog, "over before it was acknowledged")
        assert await house.runner.jobs.left("discord") == ()


async def test_given_a_press_refused_too_late_when_told_then_no_traceback(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        card = await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        town.general.denied[KEATON.id] = ATTACH
        town.fake.desk.ack_within_s = -1.0
        await town.fake.press(card, "As softmax", town.bob)
        await logged(caplog, "over before it was acknowledged")
        assert "Traceback" not in caplog.text


async def a_thread(town: Town) -> Channel:
    thread = town.guild.thread(town.general, "a thread")
    await town.fake.gateway.dispatch("THREAD_CREATE", thread.json())
    return thread


async def forget_all(town: Town, channel: Channel) -> None:
    view = View.of(town.scope(str(channel.id)))
    for video in await town.house.library.videos(view):
        await town.house.library.forget(video.video.id, view)


@pytest.mark.parametrize("event", ["GUILD_ROLE_UPDATE", "GUILD_CREATE"])
async def test_given_a_frame_without_permission_when_granted_then_it_is_removed(
    house: ColourHouse, tmp_path: Path, event: str
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "film.mp4")
        answer = await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        town.guild.everybody &= ~VIEW
        everyone = town.guild.json()["roles"][0]
        assert everyone["id"] == str(town.guild.id)
        await town.fake.gateway.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(town.guild.id), "role": everyone})
        await forget_all(town, town.general)
        async with asyncio.timeout(60):  # after the second try the third is ten seconds away
            while sum(f"/messages/{answer.id}" in one for one in town.fake.refused) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        town.guild.everybody |= VIEW
        if event == "GUILD_CREATE":
            await town.fake.gateway.dispatch("GUILD_DELETE", {"id": str(town.guild.id), "unavailable": True})
            await town.fake.join(town.guild)
        else:
            everyone = town.guild.json()["roles"][0]
            await town.fake.gateway.dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(town.guild.id), "role": everyone})
        await town.fake.until(lambda: "was forgotten" in answer.text, "the frame taken back", within_s=7.0)
