"""Beside a cut, what is told of a frame is told of that very frame, not of the sampled one that is nearest to it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from core.conversation.commands import find
from core.engines.plot.sheets import contact_sheet
from core.model.events import Action, FilePosted
from core.model.results import Moment
from core.model.video import FrameIndex, Thumbnail
from core.refinement.best_frame import Cuts, cuts_around
from core.search.shots import Likeness, shot_span
from tests.core.conftest import remembered, turn
from tests.support.clips import COLOURS, Shape, plain, write_video

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.model.reply import Reply
    from core.model.video import Pixels
    from tests.core.conftest import ColourHouse

FPS, CUT_S, DARK_S, LENGTH_S = 10, 9.2, 14.6, 18

SHOTS = ((0.0, CUT_S), (CUT_S, DARK_S), (DARK_S, float(LENGTH_S)))


def cut() -> Iterator[Pixels]:
    """A red room; after a cut between two sampled frames a green light, brightest at once, that fades; then blue."""
    for number in range(FPS * LENGTH_S):
        time_s = number / FPS
        green = max(0.0, 1 - (time_s - CUT_S) / 2)
        rgb = (round(220 - 2 * time_s), 20, 20) if time_s < CUT_S else (20, round(40 + 200 * green), 40)
        yield plain((64, 48), rgb if time_s < DARK_S else (20, 20, 200))


@pytest.fixture
async def seen(house: ColourHouse, tmp_path: Path) -> ColourHouse:
    path = write_video(tmp_path / "cut.mp4", cut(), Shape((64, 48), fps=FPS, gop=250))
    await house.last(FilePosted(turn(), path, path.name))
    return house


def pressed(reply: Reply, label: str) -> str:
    return next(button.id for button in reply.buttons if button.label.startswith(label))


def probability(reply: Reply, text: str) -> float:
    (line,) = [line for line in reply.text.splitlines() if line.startswith("Probabilities")]
    (said,) = [part for part in line.removesuffix(".").split(": ")[1].split(", ") if part.startswith(text)]
    percents = {"less": 0.0, "more": 99.5}
    return percents.get(said.split()[1], 0.0) / 100 if " than " in said else float(said.split()[1]) / 100


@pytest.mark.slow
async def test_given_a_frame_behind_a_cut_when_shown_then_its_own_shares_stand(
    seen: ColourHouse,
) -> None:
    answered = await seen.last(find(turn(), "green | red"))
    best = (await remembered(seen, answered)).moments[0]
    assert best.peak_s == pytest.approx(CUT_S, abs=0.15)
    assert probability(answered, "green") > 0.99
    spec = seen.plotter.specs[-1]
    at = spec.curve.exactly_at(best.peak_s)
    assert at is not None
    assert [float(line.scores[at]) for line in spec.curve.lines] == pytest.approx(best.among, abs=1e-6)


@pytest.mark.slow
async def test_given_a_step_across_a_cut_when_shown_then_shares_are_its_frames(
    seen: ColourHouse,
) -> None:
    answered = await seen.last(find(turn(), "green | red"))
    before = await seen.last(Action(turn(), pressed(answered, "\N{MINUS SIGN}1 s")))
    assert probability(before, "red") > 0.99
    after = await seen.last(Action(turn(), pressed(before, "+1 s")))
    assert probability(after, "green") > 0.99


@pytest.mark.slow
async def test_given_a_frame_between_samples_when_more_is_asked_then_it_is_meant(
    seen: ColourHouse,
) -> None:
    answered = await seen.last(find(turn(), "green"))
    at_s = (await remembered(seen, answered)).moments[0].peak_s
    assert at_s == pytest.approx(CUT_S, abs=0.15)
    alike = await seen.last(Action(turn(), pressed(answered, "More like this")))
    picture = (await remembered(seen, alike)).query.picture
    assert picture is not None
    assert float(picture.vector[1]) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["green", "red", "red > green"])
async def test_given_a_cut_when_a_moment_was_refined_then_it_spans_one_shot(seen: ColourHouse, asked: str) -> None:
    answered = await seen.last(find(turn(), asked))
    best = (await remembered(seen, answered)).moments[0]
    assert (best.start_s if asked == "green" else best.end_s) == pytest.approx(CUT_S, abs=0.01)
    for moment in (await remembered(seen, answered)).moments:
        for one in (moment, moment.then):
            if one is not None:
                first_s, last_s = next(shot for shot in SHOTS if shot[0] - 0.01 <= one.peak_s < shot[1] - 0.01)
                assert first_s - 0.01 <= one.start_s <= one.peak_s < one.end_s <= last_s + 0.01


@pytest.mark.slow
async def test_given_a_softmax_plot_when_described_then_the_range_is_its_own(seen: ColourHouse) -> None:
    answered = await seen.last(find(turn(), "green"))
    softmax = await seen.last(Action(turn(), pressed(answered, "As softmax")))
    (alt,) = [one.alt for one in softmax.pictures if one.kind == "plot"]
    low, high = (float(word.rstrip("%;")) / 100 for word in alt.split("from ")[1].split(";")[0].split(" to "))
    assert 0 <= low < high <= 1
    scores = 100 * seen.plotter.specs[-1].curve.scores.astype(float)
    powers = np.exp(scores - scores.max())
    assert high == pytest.approx(float((powers / powers.sum()).max()), abs=1e-4)


def test_given_two_shots_when_a_moment_spans_both_then_the_cut_is_known() -> None:
    red, green = (1.0, 0.0), (0.0, 1.0)
    index = FrameIndex(np.arange(16.0), np.array([red] * 8 + [green] * 8, np.float32))
    likeness = Likeness(index.vectors)
    frames = index.merged(FrameIndex(np.array([7.25, 7.5]), np.array([red, green], np.float32)))
    assert cuts_around(Moment("v", 5.0, 10.0, 7.5, 0.3), frames, likeness) == Cuts((7.25, 7.5), None)
    assert cuts_around(Moment("v", 5.0, 10.0, 6.0, 0.3), frames, likeness) == Cuts(None, (7.25, 7.5))
    assert cuts_around(Moment("v", 1.0, 4.0, 2.0, 0.3), frames, likeness) == Cuts(None, None)


def test_given_a_slow_pan_when_neighbours_are_alike_then_it_is_one_shot() -> None:
    turned = np.linspace(0, np.pi / 2, 40)
    pan = np.array([np.cos(turned), np.sin(turned)], np.float32).T
    assert shot_span(np.arange(40.0), pan, 0, Likeness(pan)) == (0, 39)


def test_given_a_cut_when_a_sheet_is_drawn_then_its_side_has_the_number() -> None:
    tiles = [Thumbnail(float(at), _jpeg("red" if at < 3 else "green")) for at in range(6)]
    moment = Moment("v", 2.6, 5.0, 2.7, 0.3)  # behind the cut, and nearer to a picture before it
    sheet = np.asarray(Image.open(io.BytesIO(contact_sheet(tiles, [(1, moment)]))))
    tile = sheet[6 + 130 - 1, 6 + 3 * 246 + 2]  # the orange frame of the fourth tile
    assert tile.tolist() == pytest.approx([255, 169, 77], abs=40)


def _jpeg(colour: str) -> bytes:
    out = io.BytesIO()
    Image.fromarray(plain((64, 36), COLOURS[colour])).save(out, "JPEG")
    return out.getvalue()
