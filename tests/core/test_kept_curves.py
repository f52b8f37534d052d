"""A press is drawn from the curve that was kept with its answer, and shows what a search would show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core.conversation.commands import find
from core.model import actions
from core.model.events import Action, Forget
from core.model.results import Baseline, Curve, TextCurve
from core.model.video import Video
from tests.core.conftest import turn
from tests.support.videos import put_video

if TYPE_CHECKING:
    from core.model.events import Turn
    from core.model.reply import Reply
    from core.ports.video import PlotSpec
    from tests.core.conftest import ColourHouse

SCENES = [("red", 3), ("black", 4), ("navy", 3), ("black", 4), ("green", 3), ("black", 3)]
BOB = replace(turn(), user_id="u2", user_name="Bob")
QUESTIONS = ["red and blue", "red | blue", "red > blue", 'blue -green "navy"']
BUTTONS = ["1 ·", "+1 s", "As softmax", "Whole video", "Preview"]


async def ask(house: ColourHouse, text: str) -> Reply:
    await put_video(house, turn(), "video", SCENES)
    return await house.last(find(turn(), text))


async def press(house: ColourHouse, reply: Reply, label: str, who: Turn | None = None) -> Reply:
    pressed = next(button.id for button in reply.buttons if button.label.startswith(label))
    return await house.last(Action(who or turn(), pressed))


async def drop_curves(house: ColourHouse) -> None:
    """Leave the answers as versions before kept no curves with them."""
    async with house.library.connections.writing() as db:
        await db.execute("DELETE FROM curves")


def refuse(monkeypatch: pytest.MonkeyPatch, house: ColourHouse) -> None:
    """Let nothing be searched from now on."""

    async def refused(*_: object, **__: object) -> None:
        raise AssertionError("a press must not search")

    monkeypatch.setattr(house.encoder, "texts", refused)
    monkeypatch.setattr(house.index, "peaks", refused)
    monkeypatch.setattr(house.index, "indexes", refused)


def drawn(spec: PlotSpec) -> dict[str, Any]:
    """Return all that a plot is drawn of, in a form that can be compared."""
    curve = spec.curve
    return {
        "curve": (curve.video, curve.times_s.tobytes(), curve.scores.tobytes(), curve.baseline, curve.source),
        "lines": [(line.text, line.scores.tobytes(), line.baseline) for line in curve.lines],
        "rest": (spec.query, spec.numbered, spec.current, spec.style, spec.logit_scale, spec.marks_s),
    }


def shown(reply: Reply) -> tuple[object, ...]:
    """Return all that a reply shows, pictures to the byte."""
    pictures = [(one.kind, one.name, one.alt, one.data) for one in reply.pictures]
    return reply.title, reply.text, reply.buttons, reply.links, pictures, reply.videos, reply.tone


@pytest.mark.parametrize("text", QUESTIONS)
async def test_given_a_kept_curve_when_pressed_then_nothing_is_searched(
    house: ColourHouse, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    first = await ask(house, text)
    await house.refiner.close()
    refuse(monkeypatch, house)
    for label in BUTTONS:
        assert (await press(house, first, label)).tone == "plain"


@pytest.mark.parametrize("label", BUTTONS)
@pytest.mark.parametrize("text", QUESTIONS)
async def test_given_no_kept_curve_when_pressed_then_it_shows_the_same(
    house: ColourHouse, text: str, label: str
) -> None:
    first = await ask(house, text)
    kept, from_kept = await press(house, first, label), house.plotter.specs[-1]
    await drop_curves(house)
    searched, from_search = await press(house, first, label), house.plotter.specs[-1]
    assert shown(kept) == shown(searched)
    assert drawn(from_kept) == drawn(from_search)


async def test_given_a_new_answer_when_pressed_then_the_plot_is_the_same(house: ColourHouse) -> None:
    first = await ask(house, "red and blue")
    of_answer = house.plotter.specs[-1]
    again = await press(house, first, "1 ·")
    assert drawn(house.plotter.specs[-1]) == drawn(of_answer)
    assert again.text == first.text


async def test_given_a_forgotten_video_when_pressed_then_the_answer_is_gone(house: ColourHouse) -> None:
    first = await ask(house, "red")
    await house.last(Forget(turn(), "video"))
    gone = await press(house, first, "1 ·")
    assert (gone.tone, gone.pictures) == ("error", ())


async def test_given_a_poster_filter_when_the_post_goes_then_the_answer_is_gone(house: ColourHouse) -> None:
    await put_video(house, turn(), "video", SCENES)
    await put_video(house, BOB, "video", SCENES)
    first = await house.last(find(turn(), "red from:me"))
    await house.last(Forget(turn(), "video"))
    gone = await press(house, first, "1 ·", BOB)
    assert (gone.tone, gone.pictures) == ("error", ())


async def test_given_a_vote_when_pressed_then_the_curve_is_the_turned_one(house: ColourHouse) -> None:
    first = await ask(house, "red and blue")
    await press(house, first, "1 ·")
    before = drawn(house.plotter.specs[-1])
    voted = await press(house, await press(house, first, "2 ·"), "👍", BOB)
    await press(house, voted, "1 ·")
    kept = drawn(house.plotter.specs[-1])
    await drop_curves(house)
    await press(house, voted, "1 ·")
    assert kept["curve"] != before["curve"]
    assert kept == drawn(house.plotter.specs[-1])


async def test_given_another_model_when_pressed_then_no_old_curve_is_drawn(house: ColourHouse) -> None:
    first = await ask(house, "red")
    (action,) = {one.answer_id for one in map(actions.read, [first.buttons[0].id]) if isinstance(one, actions.Show)}
    house.encoder.weights = "other eyes"
    recipe = (await house.searcher.recipe()).key
    (video,) = await house.library.videos(turn().view)
    assert await house.library.kept_curve(action, video.video.id, recipe) is None


def test_given_scores_beside_thresholds_when_rounded_then_same_verdicts() -> None:
    baseline = Baseline(0.21, 0.2351, 0.2472)
    scores = np.linspace(0.2351 - 2e-4, 0.2472 + 2e-4, 1200, dtype=np.float32)
    lines = tuple(TextCurve(text, one, baseline) for text, one in (("a", scores), ("b", scores[::-1].copy())))
    curve = Curve(Video("v", "", "", 1200.0, 1, 1), np.arange(1200.0), lines[1].scores, baseline, lines=lines)
    rounded = curve.rounded()
    assert rounded.scores is rounded.lines[1].scores
    assert np.abs(rounded.scores - curve.scores).max() < 3e-4
    np.testing.assert_array_equal(rounded.rounded().scores, rounded.scores)
    np.testing.assert_array_equal(rounded.scores.astype(np.float16).astype(np.float32), rounded.scores)
