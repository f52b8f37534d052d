"""What people ask on Discord beside plain words: with pictures, under an answer, in another channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.fakes.discord_world import BOT_ID, MANAGE_CHANNELS
from tests.support.discord.looking import answer_to, found, posted, said_below

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.discord.conftest import Scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


def green(folder: Path) -> Path:
    """Give a picture."""
    path = folder / "meadow.png"
    Image.new("RGB", (40, 30), (0, 200, 0)).save(path)
    return path


async def test_given_a_picture_when_asked_by_command_or_mention_then_answered(scene: Scene, tmp_path: Path) -> None:
    await posted(scene, scene.reel(), known=True)
    it = await scene.fake.slash(scene.general, scene.bob, "find-picture", picture=green(tmp_path))
    assert "Like the picture" in (await answer_to(scene, it, "Moment")).text
    asked = await scene.fake.post(scene.general, scene.ada, f"<@{BOT_ID}> green", green(tmp_path))
    assert "like the picture" in (await said_below(scene, asked, "Moment")).text


async def test_given_a_command_when_words_follow_it_then_they_reach_it(scene: Scene) -> None:
    indexed = await scene.fake.typed(scene.general, scene.ada, f"/index {scene.reel()}")
    await answer_to(scene, indexed, "/find")
    it = await scene.fake.typed(scene.general, scene.bob, "/find something green")
    assert "“something green”" in (await answer_to(scene, it, "Moment")).text


async def test_given_a_picture_when_its_menu_is_used_then_it_is_searched_for(scene: Scene, tmp_path: Path) -> None:
    await posted(scene, scene.reel(), known=True)
    message = await scene.fake.post(scene.general, scene.ada, "where is this?", green(tmp_path))
    it = await scene.fake.menu(message, scene.bob, "Find this picture")
    assert "Like the picture" in (await answer_to(scene, it, "Moment")).text
    bare = await scene.fake.post(scene.general, scene.ada, "no picture here")
    refusal = await answer_to(scene, await scene.fake.menu(bare, scene.bob, "Find this picture"), "no picture")
    assert refusal.is_ephemeral


async def test_given_a_video_file_when_given_to_its_command_then_it_is_indexed(scene: Scene) -> None:
    it = await scene.fake.slash(scene.general, scene.ada, "index-file", file=scene.video())
    await answer_to(scene, it, "Ready to search")


async def test_given_the_switch_when_shown_then_admins_alone_see_it(scene: Scene) -> None:
    shown = {one["name"]: one.get("default_member_permissions") for one in scene.fake.commands}
    assert shown.pop("keaton") == MANAGE_CHANNELS
    assert set(shown.values()) == {None}


async def test_given_an_answer_when_replied_to_then_its_question_is_refined(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "something green")
    await answer_to(scene, await scene.fake.press(answer, "Refine", scene.ada), "Reply to this answer")
    follow_up = await scene.fake.post(scene.general, scene.ada, "at night -red", reply_to=answer)
    card = await said_below(scene, follow_up, "Moment")
    assert "something green at night \\-red" in card.text or "something green at night -red" in card.text


async def test_given_an_answer_when_details_are_asked_then_the_asker_sees_them(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "something green")
    assert "imilarity" not in answer.text
    it = await scene.fake.press(answer, "Details", scene.ada)
    said = await answer_to(scene, it, "Similarity")
    assert said.is_ephemeral


async def test_given_more_like_this_when_pressed_then_a_new_message_is_for_all(scene: Scene) -> None:
    await posted(scene, scene.reel(), known=True)
    answer = await found(scene, "something green")
    it = await scene.fake.press(answer, "More like this", scene.ada)
    fresh = await scene.fake.until(
        lambda: next((one for one in scene.general.messages.values() if "More like this" in one.text), None), "it"
    )
    assert not fresh.is_ephemeral
    assert "probably nothing else in this video looks like it" in fresh.text
    assert it is not None
    voted = await answer_to(scene, await scene.fake.press(answer, "👍", scene.bob), "Ranked with")
    assert "👍 1" in voted.buttons
