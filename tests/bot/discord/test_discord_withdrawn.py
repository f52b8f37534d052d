"""What the developer portal can withhold or take back: the message content intent, the token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord_world import EPHEMERAL
from tests.support.discord.looking import READY, answer_to, cards_below, said_below

if TYPE_CHECKING:
    from tests.bot.discord.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


async def test_given_no_content_intent_when_it_starts_then_videos_can_be_shown(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    await scene.program.stop()
    fake.gateway.sees_content = False
    await scene.program.ensure_running()
    assert "message content intent is off" in scene.program.log
    unseen = await fake.post(general, scene.ada, scene.link())
    asked = await fake.post(general, scene.ada, f"<@{scene.bot_id}> {scene.link()}")
    await said_below(scene, asked)
    assert not cards_below(unseen)
    by_menu = await answer_to(scene, await fake.menu(unseen, scene.bob), READY)
    assert "Posted by Ada" in by_menu.text
    words = await fake.post(general, scene.bob, f"<@{scene.bot_id}> something green")
    assert set((await said_below(scene, words, "Moment 1")).files) == {"frame.jpg", "plot.png"}
    status = await answer_to(scene, await fake.slash(general, scene.bob, "status"), "cannot see")
    assert status.flags & EPHEMERAL
    fake.gateway.sees_content = True


async def test_given_a_token_taken_back_when_connected_then_it_says_so_and_ends(scene: Scene) -> None:
    fake = scene.fake
    fake.gateway.token, known = "another", fake.gateway.token
    await fake.gateway.hang_up(4004)
    assert await scene.program.ended() == 3
    fake.gateway.token = known
    assert "DISCORD_TOKEN is wrong" in scene.program.log.splitlines()[-1]


async def test_given_debug_logs_when_used_then_they_hold_no_words_or_tokens(scene: Scene) -> None:
    fake, general, program = scene.fake, scene.general, scene.program
    await program.stop()
    before, kept = fake.connections, len(program.log)
    await program.start(KEATON_LOG_LEVEL="debug")
    await fake.until(lambda: fake.connections > before, "a connection")
    await fake.post(general, scene.ada, f"a very private canary {scene.reel()}")
    it = await fake.slash(general, scene.bob, "find", text="a whispered canary")
    answer = await answer_to(scene, it)
    press = await fake.press(answer, next(iter(answer.buttons)), scene.bob) if answer.buttons else it
    await fake.until(lambda: press.ack_s is not None, "the press")
    said = program.log[kept:]
    await program.stop()
    assert "canary" not in said
    assert it.token not in said
    assert press.token not in said
    assert "INFO" in said
