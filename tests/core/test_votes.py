"""Votes re-rank an answer for everybody, within bounds, and can be changed and taken back."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.conversation.commands import find
from core.model.answer import term_keys
from core.model.events import Action, Forget, LinkPosted, Turn
from core.model.query import Query
from core.model.requests import MessageKey
from core.model.video import Scope, View
from core.search import query_vectors
from core.search.query_vectors import unit
from tests.core.conftest import turn
from tests.support.jobs_done import LINK, StoppingReader, accepted, asked, until_written
from tests.support.videos import put_video

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

SCENES = [("red", 3), ("black", 4), ("navy", 3), ("black", 4), ("green", 3), ("black", 3)]
BOB = replace(turn(), user_id="u2", user_name="Bob")


def press(reply: Reply, label: str) -> str:
    return next(button.id for button in reply.buttons if button.label.startswith(label))


def votes(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons if button.label[0] in "👍👎"]


async def ask(house: ColourHouse, text: str = "red and blue", who: Turn | None = None) -> Reply:
    return await house.last(find(who or turn(), text))


async def vote(house: ColourHouse, reply: Reply, way: str, who: Turn | None = None) -> Reply:
    return await house.last(Action(who or turn(), press(reply, way)))


async def second(house: ColourHouse, reply: Reply) -> Reply:
    return await house.last(Action(turn(), press(reply, "2 ·")))


async def test_given_a_vote_up_when_asked_later_then_it_comes_first_for_all(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    first = await ask(house)
    assert "0:00 in video" in first.text
    voted = await vote(house, await second(house, first), "👍")
    assert voted.updates
    assert "0:07 in video" in voted.text
    assert votes(voted) == ["👍 1", "👎"]
    later = await ask(house, "  red and  blue.", BOB)
    assert "0:07 in video\nMoment 1" in later.text
    assert "Ranked with 1 vote." in later.text


async def test_given_a_vote_down_when_ranked_then_it_comes_first_no_more(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    voted = await vote(house, await ask(house), "👎")
    assert "0:07 in video\nMoment 1" in voted.text
    assert "0:07 in video\nMoment 1" in (await ask(house, who=BOB)).text


async def test_given_a_vote_when_pressed_again_then_changed_or_taken_back(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    once = await vote(house, await ask(house), "👍")
    assert votes(once) == ["👍 1", "👎"]
    both = await vote(house, once, "👍", BOB)
    assert votes(both) == ["👍 2", "👎"]
    assert "Ranked with 2 votes." in both.text
    back = await vote(house, both, "👍", BOB)
    assert votes(back) == ["👍 1", "👎"]
    changed = await second(house, await vote(house, back, "👎"))
    assert votes(changed) == ["👍", "👎 1"]
    gone = await vote(house, changed, "👎")
    assert "Ranked with" not in gone.text
    assert "0:00 in video\nMoment 1" in gone.text


async def test_given_votes_when_another_question_or_space_then_none_count(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    await vote(house, await second(house, await ask(house)), "👍")
    assert "Ranked with" not in (await ask(house, "a red thing")).text
    elsewhere = replace(turn(), scope=Scope("local", "away", "main"), view=View.of(Scope("local", "away", "main")))
    await put_video(house, elsewhere, "video", SCENES)
    assert "Ranked with" not in (await ask(house, who=elsewhere)).text


async def test_given_votes_on_hidden_videos_when_asked_then_none_count(house: ColourHouse) -> None:
    clips = replace(turn(), scope=Scope("local", "home", "clips"), view=View.of(Scope("local", "home", "clips")))
    await put_video(house, turn(), "video", SCENES)
    await put_video(house, clips, "clip", SCENES)
    await vote(house, await ask(house, who=clips), "👎", clips)
    assert "Ranked with" not in (await ask(house)).text
    both = replace(turn(), view=View("local", "home", frozenset({"main", "clips"})))
    assert "Ranked with 1 vote." in (await ask(house, who=both)).text


async def test_given_votes_when_their_video_is_forgotten_then_they_go(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    await put_video(house, turn(), "other", SCENES)
    await vote(house, await ask(house), "👎")
    await house.last(Forget(replace(turn(), moderator=True), "video"))
    assert await house.library.votes(turn().view, term_keys(Query("red and blue", turn().view))) == ()
    assert "Ranked with" not in (await ask(house)).text


async def test_given_a_vote_on_a_pair_when_counted_then_for_both_texts(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    voted = await vote(house, await ask(house, "red > blue"), "👍")
    assert "Ranked with 2 votes." in voted.text
    assert "Ranked with 1 vote." in (await ask(house, "blue")).text


async def test_given_a_moment_when_more_is_asked_then_other_places(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("red", 4), ("black", 5), ("red", 3), ("black", 4)])
    answer = await ask(house)
    assert "0:00 in video" in answer.text
    alike = await house.last(Action(turn(), press(answer, "More like this")))
    assert (alike.title, alike.updates, alike.private) == ("More like this", False, False)
    assert "0:09 in video\nMoment 1" in alike.text
    assert "0:00" not in " ".join(button.label for button in alike.buttons)
    refined = await house.last(find(turn(), "+green"))
    assert refined.title == "“green”, more like this"


async def test_given_a_single_moment_when_more_is_asked_then_nothing_else(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", [("red", 4)])
    alike = await house.last(Action(turn(), press(await ask(house), "More like this")))
    assert (alike.tone, alike.private) == ("error", True)
    assert "nothing else to search" in alike.text


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=6), st.integers(0, 2**31))
def test_given_any_votes_when_turned_then_at_most_the_set_angle(totals: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    aim = unit(rng.standard_normal(16).astype(np.float32))
    looks = rng.standard_normal((len(totals), 16)).astype(np.float32)
    turned = query_vectors.nudged(aim, looks, np.array(totals, np.float32))
    assert float(np.linalg.norm(turned)) == pytest.approx(1.0, abs=1e-4)
    assert math.degrees(math.acos(min(1.0, float(turned @ aim)))) <= query_vectors.MOST_DEGREES + 0.1


def test_given_even_votes_when_turned_then_nothing_changes() -> None:
    aim = unit(np.array([1.0, 2.0], np.float32))
    assert query_vectors.nudged(aim, np.eye(2, dtype=np.float32), np.zeros(2, np.float32)) == pytest.approx(aim)


async def test_given_a_vote_on_a_video_under_way_when_done_again_then_counted(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    job = await accepted(house)
    house.relays.reader.target = stopping = StoppingReader(house.reader, 8)
    indexing = asyncio.create_task(house.last(LinkPosted(turn(), LINK, job.ref)))
    await stopping.stopped.wait()
    await until_written(house, 8)
    card = await ask(house, "green", BOB)
    pressed = replace(asked(press(card, "👍")), key=MessageKey(turn().scope, "", "press"), kind="press")
    voting = Action(BOB, press(card, "👍"), job=(await accepted(house, pressed)).ref)
    refused = await house.last(voting)
    assert (refused.private, votes(refused)) == (True, [])
    assert refused.text == "That video is still being indexed. Press again when it is ready to search."
    indexing.cancel()
    await asyncio.gather(indexing, return_exceptions=True)
    house.relays.reader.target = house.reader
    assert "Ready to search" in (await house.last(LinkPosted(turn(), LINK, job.ref))).text
    assert votes(await house.last(voting)) == ["👍 1", "👎"], "the run that was killed had not told of it"
