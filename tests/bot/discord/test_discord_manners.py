"""Manners: who sees what, what is said before work that cannot succeed, and how much is sent."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord_world import ATTACH, VIEW
from tests.support.discord.looking import answer_to, cards_below, found, posted, said_below

if TYPE_CHECKING:
    from tests.bot.discord.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


async def test_given_errors_and_help_then_the_asker_alone_sees_them(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    for name, sub, words in (("find", "", "nothing to search"), ("help", "", "/find")):
        options = {"text": "a dog"} if name == "find" else {}
        said = await answer_to(scene, await fake.slash(general, scene.ada, name, sub, **options), words)
        assert said.only_for == scene.ada.id or said.is_ephemeral
    assert all(one.is_ephemeral for one in general.messages.values())


async def test_given_a_missing_permission_when_posted_then_it_is_named_first(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    general.denied[scene.bot_id] = ATTACH
    await fake.gateway.dispatch("CHANNEL_UPDATE", general.json())
    message = await fake.post(general, scene.ada, scene.link("denied.mp4"))
    await said_below(scene, message, "“Attach Files”")
    refusal = await answer_to(scene, await fake.slash(general, scene.ada, "find", text="a dog"), "“Attach Files”")
    assert refusal.is_ephemeral
    assert "denied.mp4" not in fake.cdn.fetched


async def test_given_a_servers_file_limit_when_answered_then_pictures_fit_it(scene: Scene) -> None:
    desk, refused = scene.fake.desk, len(scene.fake.refused)
    await posted(scene, scene.reel(), known=True)
    limit_bytes, desk.limit_bytes = desk.limit_bytes, 12_000
    answer = await found(scene)
    desk.limit_bytes = limit_bytes
    assert len(answer.files) == 2
    assert all(len(data) <= 12_000 for data in answer.files.values())
    assert not scene.fake.refused[refused:]


async def test_given_a_switched_off_channel_when_a_link_comes_then_no_answer(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    refusal = await answer_to(scene, await fake.slash(general, scene.bob, "keaton", "off"), "Manage Channels")
    assert refusal.is_ephemeral
    await answer_to(scene, await fake.slash(general, scene.ada, "keaton", "off"), "Off")
    ignored = await fake.post(general, scene.bob, scene.link())
    asked = await answer_to(scene, await fake.slash(general, scene.bob, "index", url=scene.reel()), "/find")
    await answer_to(scene, await fake.slash(general, scene.ada, "keaton", "on"), "On")
    await posted(scene, scene.reel(), known=True)
    assert not cards_below(ignored)
    assert "sheet.jpg" in asked.files


async def test_given_a_waiting_video_then_the_number_before_it_is_told(scene: Scene) -> None:
    fake = scene.fake
    names = [f"queued{number}.mp4" for number in range(4)]
    gates = [fake.cdn.gates.setdefault(name, asyncio.Event()) for name in names]
    messages = [await fake.post(scene.general, scene.ada, scene.link(name)) for name in names]
    await said_below(scene, messages[2], "2 videos before yours")
    await said_below(scene, messages[3], "Waiting for my turn")
    for gate in gates:
        gate.set()
    cards = [await said_below(scene, message) for message in messages]
    for card in cards:
        gaps = [after - before for before, after in itertools.pairwise(card.edited_s)][:-1]
        assert all(gap >= 2.9 for gap in gaps), gaps


async def test_given_a_rate_limit_when_posting_then_it_is_waited_out(scene: Scene) -> None:
    scene.fake.rate_limits.append((f"/channels/{scene.general.id}/messages", 0.5))
    message = await posted(scene, scene.reel(), known=True)
    assert not scene.fake.rate_limits
    assert len(cards_below(message)) == 1


async def test_given_a_search_of_the_server_then_only_what_all_here_can_read(scene: Scene) -> None:
    fake, guild = scene.fake, scene.guild
    open_one = guild.channel("open")
    hidden = guild.channel("hidden", denied={guild.id: VIEW}, allowed={scene.bot_id: VIEW, scene.ada.id: VIEW})
    for channel in (open_one, hidden):
        await fake.gateway.dispatch("CHANNEL_CREATE", channel.json())
    await posted(scene, scene.reel(), open_one, known=True)
    await posted(scene, scene.link("secret.mp4"), hidden)

    everywhere = {"in_": "this server"}
    for who in (scene.ada, scene.bob):
        answer = await found(scene, "something green", who, **everywhere)
        assert "in film" in answer.text
        assert await fake.type(scene.general, who, "", **everywhere) == ["film"]
    assert await fake.type(scene.general, scene.ada, "") == []
    assert await fake.type(hidden, scene.ada, "sec") == ["secret"]
    refusal = await answer_to(scene, await fake.slash(scene.general, scene.ada, "find", text="green"))
    assert "nothing to search" in refusal.text


async def test_given_markup_from_strangers_when_shown_then_it_stays_plain_text(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "**bold** <@1> @everyone `green`")
    assert r"“\*\*bold\*\* \<\@1\> \@everyone \`green\`”" in answer.text


async def test_given_a_command_outside_of_servers_then_it_says_where_it_works(scene: Scene) -> None:
    it = await scene.fake.slash_outside(scene.general, scene.ada, "find", text="a dog")
    assert "work in channels" in (await answer_to(scene, it)).text


async def test_given_a_blocked_loop_when_a_press_is_too_late_then_it_is_caught(scene: Scene) -> None:
    """The proof of the other stories: the small Discord does notice a late answer."""
    fake = scene.fake
    fake.desk.ack_within_s = 0.3
    scene.program.freeze()
    it = await scene.fake.slash(scene.general, scene.ada, "videos")
    await asyncio.sleep(0.5)  # the blocked time itself
    scene.program.thaw()
    await fake.until(lambda: fake.late_acks, "a late answer refused")
    fake.desk.ack_within_s = 3.0
    assert it.original is None
    fake.late_acks = 0
