"""The table of stories: each is told once, and lived on the web page, on Discord and on Slack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from core.model.answer import revised
from tests.stories.conftest import LINK, TITLE

if TYPE_CHECKING:
    from tests.core.conftest import ColourHouse
    from tests.stories.person import Card, Driver

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

READY, KNOWN, MOMENT, NOTHING = "Ready to search", "I know this video already", "Moment 1 of", "nothing to search"


def peak_s(card: Card) -> int:
    """Give the second that a card shows."""
    minutes, seconds = re.findall(rf"(\d+):(\d\d) in {TITLE}", card.words)[0]
    return int(minutes) * 60 + int(seconds)


async def test_given_a_link_when_posted_then_a_card_has_a_contact_sheet(driver: Driver) -> None:
    card = await driver.post(LINK, READY)
    assert card.pictures == ("sheet.jpg",)
    assert TITLE in card.words


async def test_given_a_search_then_the_right_scenes_frame_and_plot_are_shown(driver: Driver) -> None:
    await driver.post(LINK, READY)
    for colour, start_s in (("green", 3), ("blue", 6), ("red", 0)):
        card = await driver.find(f"something {colour}", MOMENT)
        assert f"“something {colour}”" in card.words
        assert card.pictures == ("frame.jpg", "plot.png")
        assert start_s <= peak_s(card) <= start_s + 3 or (colour == "green" and peak_s(card) >= 9)


async def test_given_an_answer_when_pressed_then_moments_turn_on_and_back(driver: Driver) -> None:
    await driver.post(LINK, READY)
    first = await driver.find("green", MOMENT)
    second = await driver.press(first, "Next", "Moment 2 of")
    assert peak_s(second) != peak_s(first)
    back = await driver.press(second, "Previous", MOMENT)
    assert back.words == first.words


async def test_given_reordered_moments_when_pressed_then_the_seen_one_is_meant(
    driver: Driver, house: ColourHouse
) -> None:
    await driver.post(LINK, READY)
    with house.priority.asking():  # so that nothing is looked at further, which might redraw the card
        first = await driver.find("green", MOMENT)
        ((answer_id,),) = await house.library.connections.rows("SELECT id FROM answers", {})
        now = await house.library.amend_answer(answer_id, lambda known: revised(known, known.moments[::-1]))
        assert now is not None
        unseen, seen = now.moments
        second = await driver.press(first, "Next", "Moment 2 of")
        assert peak_s(second) == int(unseen.peak_s) != peak_s(first) == int(seen.peak_s)
        back = await driver.press(second, "Previous", MOMENT)
        assert back.words == first.words


async def test_given_an_answer_when_pressed_once_then_the_notebooks_view_shows(driver: Driver) -> None:
    await driver.post(LINK, READY)
    card = await driver.find("green", MOMENT)
    assert "As softmax" in card.buttons
    await driver.press(card, "As softmax", MOMENT)


async def test_given_a_video_posted_again_then_it_is_not_indexed_again(driver: Driver, house: ColourHouse) -> None:
    await driver.post(LINK, READY)
    looks = sum(house.encoder.batches)
    await driver.post(f"again: {LINK}", KNOWN)
    assert (len(house.fetcher.fetched), sum(house.encoder.batches)) == (1, looks)


async def test_given_a_link_that_leads_nowhere_then_a_sentence_says_so(driver: Driver) -> None:
    await driver.post("https://nowhere.example/film.mp4", "leads nowhere")


async def test_given_no_videos_when_searched_then_it_says_so(driver: Driver) -> None:
    await driver.find("green", NOTHING)


async def test_given_a_forgotten_video_when_searched_then_it_is_not_found(driver: Driver, house: ColourHouse) -> None:
    await driver.post(LINK, READY)
    await driver.take_back(TITLE)
    await driver.find("green", NOTHING)
    kept = await house.library.connections.rows("SELECT 1 FROM links UNION ALL SELECT 1 FROM videos", {})
    assert kept == []


async def test_given_markup_in_a_search_when_shown_then_it_is_as_written(driver: Driver) -> None:
    await driver.post(LINK, READY)
    words = "green & <!channel> *bold* @everyone"
    assert f"“{words}”" in (await driver.find(words, MOMENT)).words
