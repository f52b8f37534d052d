"""The plot is a picture that people can read in a chat."""

from __future__ import annotations

import io
import statistics
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from core.engines.plot.figures import PlotFigures
from core.engines.plot.sheets import contact_sheet, evenly, stamps, with_strip
from core.model.results import Baseline, Curve, Moment, TextCurve
from core.model.video import Thumbnail, Video
from core.ports.video import PlotSpec

if TYPE_CHECKING:
    from core.model.reply import PlotStyle, Theme

WARM_S = 0.150
STYLES: tuple[PlotStyle, ...] = ("similarity", "softmax")
draw = PlotFigures().png


def spec(count: int = 80, query: str = "a woman in water") -> PlotSpec:
    times_s = np.arange(count, dtype=np.float64)
    scores = (0.2 + 0.02 * np.sin(times_s)).astype(np.float32)
    scores[count // 3 : count // 3 + 4] += 0.15
    moment = Moment("v", count // 3, count // 3 + 4, count // 3 + 1, float(scores.max()))
    curve = Curve(Video("v", "", "A video", float(count), 640, 360), times_s, scores)
    return PlotSpec(curve, query, ((1, moment),), 1, "similarity", 100.0)


def pixels(data: bytes) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def test_given_a_plot_when_drawn_then_it_is_800_px_wide() -> None:
    assert Image.open(io.BytesIO(draw(spec(), "light"))).size == (800, 450)


def test_given_a_theme_when_drawn_then_the_paper_is_of_it() -> None:
    assert pixels(draw(spec(), "light"))[0, 0].min() > 240
    assert pixels(draw(spec(), "dark"))[0, 0].max() < 50


def test_given_the_current_moment_when_drawn_then_its_own_colour() -> None:
    shown, other = pixels(draw(spec(), "light")), pixels(draw(replace(spec(), current=None), "light"))
    orange = (np.abs(shown.astype(int) - (217, 72, 15)).sum(axis=2) < 30).sum()
    assert orange > 200 > (np.abs(other.astype(int) - (217, 72, 15)).sum(axis=2) < 30).sum()


def test_given_a_baseline_when_drawn_then_a_band_shows_it() -> None:
    plain, judged = spec(), spec()
    judged = replace(judged, curve=replace(judged.curve, baseline=Baseline(0.2, 0.3, 0.4)))
    band, paper = pixels(draw(judged, "light")), pixels(draw(plain, "light"))
    assert band[270, 500].max() < 245 < paper[270, 500].min()
    assert (band[170, 500] == paper[170, 500]).all()


def several(count: int) -> PlotSpec:
    """Give a plot of several texts, each with a moment of its own."""
    one = spec()
    scores = one.curve.scores
    lines = tuple(TextCurve(f"_text $number$ {n} of many", np.roll(scores, 12 * n)) for n in range(count))
    moments = tuple((n + 1, Moment("v", 26 + 12 * n, 30 + 12 * n, 27 + 12 * n, 0.3, n)) for n in range(count))
    return replace(one, curve=replace(one.curve, lines=lines), numbered=moments)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_given_several_texts_when_drawn_then_a_colour_each(theme: Theme) -> None:
    few, many = (len({tuple(one) for one in pixels(draw(several(n), theme)).reshape(-1, 3)[::3]}) for n in (2, 6))
    assert many > few


def test_given_a_pair_when_drawn_then_its_number_stands_twice() -> None:
    pair = Moment("v", 26, 30, 27, 0.3, 0, Moment("v", 38, 42, 39, 0.3, 1))
    alone = replace(pair, then=None)
    drawn, half = (pixels(draw(replace(several(2), numbered=((1, one),)), "light")) for one in (pair, alone))
    orange = [int((np.abs(one.astype(int) - (217, 72, 15)).sum(axis=2) < 30).sum()) for one in (drawn, half)]
    assert orange[0] > orange[1] + 200


@pytest.mark.parametrize("count", [2, 6])
def test_given_several_texts_when_drawn_as_softmax_then_a_png(count: int) -> None:
    assert draw(replace(several(count), style="softmax"), "light").startswith(b"\x89PNG")


@pytest.mark.parametrize("query", ["$x^2$ \\frac", "水の中の女性", "🏊 swimming", "a\nb\tc", "x" * 500, "%s {0}"])
def test_given_any_words_when_drawn_then_a_png(query: str) -> None:
    assert draw(spec(query=query), "dark").startswith(b"\x89PNG")


@pytest.mark.parametrize("count", [6, 400, 7200, 15000])
def test_given_any_length_when_drawn_then_a_png(count: int) -> None:
    assert draw(spec(count), "light").startswith(b"\x89PNG")


def test_given_one_frame_when_drawn_then_a_png() -> None:
    video = Video("v", "", "One", 0.04, 640, 360)
    curve = Curve(video, np.zeros(1), np.array([0.3], np.float32))
    assert draw(PlotSpec(curve, "x", ((1, Moment("v", 0, 0.04, 0, 0.3)),), 1, "softmax", 100.0), "light")


def test_given_a_plot_when_it_is_drawn_then_both_scales_bear_their_names() -> None:
    cosine, share = (pixels(draw(replace(spec(), style=style), "light")).astype(int) for style in STYLES)
    beside, below = (slice(150, 330), slice(0, 32)), (slice(420, 450), slice(380, 480))
    assert all((one[place] < 200).any() for one in (cosine, share) for place in (beside, below))
    assert (cosine[beside] != share[beside]).any()  # "similarity" and "softmax share"
    assert (cosine[below] == share[below]).all()  # "time"


def test_given_softmax_when_drawn_then_not_the_similarity() -> None:
    assert draw(replace(spec(), style="softmax"), "light") != draw(spec(), "light")


@pytest.mark.slow
def test_given_a_warm_figure_when_drawn_then_within_150_ms() -> None:
    draw(spec(), "light")
    took_s = []
    for _ in range(9):
        started_s = time.process_time()
        draw(spec(), "light")
        took_s.append(time.process_time() - started_s)
    assert statistics.median(took_s) < WARM_S


def thumbnails(count: int) -> list[Thumbnail]:
    out = io.BytesIO()
    Image.new("RGB", (240, 135), (90, 160, 220)).save(out, "JPEG")
    return [Thumbnail(float(number), out.getvalue()) for number in range(count)]


@pytest.mark.parametrize(("count", "size"), [(1, (252, 147)), (4, (990, 147)), (5, (990, 288)), (500, (990, 429))])
def test_given_thumbnails_when_on_a_sheet_then_rows_of_four(count: int, size: tuple[int, int]) -> None:
    assert Image.open(io.BytesIO(contact_sheet(thumbnails(count)))).size == size


def test_given_moments_when_on_a_sheet_then_their_tiles_are_marked() -> None:
    video = thumbnails(100)
    moments = [(1, Moment("video", 40, 43, 41.2, 0.3)), (2, Moment("video", 41, 42, 41.4, 0.2))]
    plain, marked = (Image.open(io.BytesIO(contact_sheet(video, numbered, 24))) for numbered in ((), moments))
    assert plain.size == marked.size == (990, 852)
    corners = [(6 + column * 246 + 1, 6 + row * 141 + 1) for row in range(6) for column in range(4)]
    reds = [[one.getpixel(corner)[0] for corner in corners] for one in (plain, marked)]  # type: ignore[index]
    framed = [marked_red > 200 > plain_red for plain_red, marked_red in zip(*reds, strict=True)]
    assert framed.count(True) == 1


def test_given_a_count_when_spread_then_tiles_are_even() -> None:
    assert evenly(100, 4) == [12, 37, 62, 87]


@pytest.mark.slow
def test_given_other_plots_before_when_drawn_then_the_same_picture() -> None:
    first = draw(spec(), "dark")
    for number in range(80):  # more words than are remembered
        draw(spec(query=f"question {number}"), "light" if number % 2 else "dark")
    assert draw(spec(), "dark") == first


def test_stamps_that_would_be_told_the_same_have_tenths() -> None:
    assert stamps([0.0, 3.2, 3.7, 65.0]) == ["0:00", "0:03.2", "0:03.7", "1:05"]


def test_a_plot_for_chats_bears_the_moments_above_it() -> None:
    plot = io.BytesIO()
    Image.new("RGB", (800, 450), (30, 31, 36)).save(plot, "PNG")
    red = io.BytesIO()
    Image.new("RGB", (160, 90), (220, 30, 30)).save(red, "JPEG")
    tiles = [(number, Thumbnail(10.0 * number, red.getvalue())) for number in (1, 2)]
    made = Image.open(io.BytesIO(with_strip(plot.getvalue(), tiles)))
    assert made.width == 800
    assert 520 < made.height < 560
    middle = [made.getpixel((x, 60)) for x in (110, 270, 430)]
    assert [isinstance(one, tuple) and one[0] > 180 for one in middle] == [True, True, False]
    assert with_strip(plot.getvalue(), []) == plot.getvalue()
