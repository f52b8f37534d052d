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


async def test_a_link_becomes_a_card_with_a_contact_sheet(driver: Driver) -> None:
    card = await driver.post(LINK, READY)
    assert card.pictures == ("sheet.jpg",)
    assert TITLE in card.words


async def test_a_search_shows_the_frame_and_the_plot_of_the_right_scene(driver: Driver) -> None:
    await driver.post(LINK, READY)
    for colour, start_s in (("green", 3), ("blue", 6), ("red", 0)):
        card = await driver.find(f"something {colour}", MOMENT)
        assert f"“something {colour}”" in card.words
        assert card.pictures == ("frame.jpg", "plot.png")
        assert start_s <= peak_s(card) <= start_s + 3 or (colour == "green" and peak_s(card) >= 9)


async def test_buttons_lead_through_the_moments_and_back(driver: Driver) -> None:
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


async def test_the_notebooks_view_is_one_press_away(driver: Driver) -> None:
    await driver.post(LINK, READY)
    card = await driver.find("green", MOMENT)
    assert "As softmax" in card.buttons
    await driver.press(card, "As softmax", MOMENT)


async def test_a_video_that_is_posted_again_is_not_looked_at_again(driver: Driver, house: ColourHouse) -> None:
    await driver.post(LINK, READY)
    looks = sum(house.encoder.batches)
    await driver.post(f"again: {LINK}", KNOWN)
    assert (len(house.fetcher.fetched), sum(house.encoder.batches)) == (1, looks)


async def test_a_link_that_leads_nowhere_is_a_sentence(driver: Driver) -> None:
    await driver.post("https://nowhere.example/film.mp4", "leads nowhere")


async def test_where_nothing_was_posted_a_search_says_so(driver: Driver) -> None:
    await driver.find("green", NOTHING)


async def test_what_was_taken_back_is_not_found(driver: Driver, house: ColourHouse) -> None:
    await driver.post(LINK, READY)
    await driver.take_back(TITLE)
    await driver.find("green", NOTHING)
    kept = await house.library.connections.rows("SELECT 1 FROM links UNION ALL SELECT 1 FROM videos", {})
    assert kept == []


async def test_the_words_of_a_search_are_shown_as_they_were_written(driver: Driver) -> None:
    await driver.post(LINK, READY)
    words = "green & <!channel> *bold* @everyone"
    assert f"“{words}”" in (await driver.find(words, MOMENT)).words
