"""The background captions are encoded once, and a verdict is the model's own odds against them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.model.video import EncoderInfo, Preprocess
from core.search.judge import Background, captions
from core.search.verdict import STRONG_FROM, WEAK_FROM, background, baseline, level
from tests.support.fakes import ColourEncoder, Drawer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.results import Baseline
    from core.model.video import Floats

PREPROCESS = Preprocess(16, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
CLIP = EncoderInfo("m", "w", 3, PREPROCESS, "fp32", 100.0, 0.0, "cpu")


class CountingEncoder(ColourEncoder):
    """Notes how many texts it was given."""

    asked = 0

    async def texts(self, texts: Sequence[str]) -> Floats:
        self.asked += len(texts)
        return await super().texts(texts)


def unit(*rows: Sequence[float]) -> Floats:
    found = np.array(rows, np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)  # type: ignore[no-any-return]


def test_given_captions_when_counted_then_they_are_many_and_neutral() -> None:
    assert len(captions()) == len(set(captions())) > 200


async def test_given_a_bank_when_opened_again_then_it_is_not_encoded_again() -> None:
    drawer, first, second = Drawer(), CountingEncoder(), CountingEncoder()
    texts = ("a red door", "a green field")
    kept = Background(first, drawer, texts)
    bank = await kept.bank()
    assert (await kept.bank() is bank, first.asked) == (True, 2)
    assert np.array_equal(await Background(second, drawer, texts).bank(), bank)
    assert second.asked == 0


async def test_given_another_model_when_it_is_loaded_then_it_has_its_own_bank() -> None:
    drawer, other = Drawer(), CountingEncoder("other eyes")
    await Background(CountingEncoder(), drawer, ("a red door",)).bank()
    await Background(other, drawer, ("a red door",)).bank()
    assert (other.asked, len(drawer.kept)) == (1, 2)


async def test_given_a_damaged_bank_when_read_then_it_is_encoded_anew() -> None:
    drawer, again = Drawer(), CountingEncoder()
    await Background(CountingEncoder(), drawer, ("a red door",)).bank()
    drawer.kept = {name: b"\0" * len(data) for name, data in drawer.kept.items()}
    await Background(again, drawer, ("a red door",)).bank()
    assert again.asked == 1


def judged(query: Floats, looks: Floats, bank: Floats, info: EncoderInfo = CLIP) -> Baseline:
    return baseline(looks @ query, looks, background(looks, bank, info), bank, info)


LOOKS = unit([1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0])


def test_given_words_when_no_caption_beats_them_then_a_strong_hit() -> None:
    (query,) = unit([1, 0, 1])
    assert judged(query, LOOKS, unit([0, 1, 0.3], [0, 0.2, 1])).verdict(0.7) == "strong"


def test_given_words_when_a_caption_beats_them_then_absent() -> None:
    (query,) = unit([1, 0, 0.3])
    assert judged(query, LOOKS, unit([1, 0.1, 0], [0, 1, 0])).verdict(0.95) == "absent"


def test_given_a_video_all_about_the_words_when_judged_then_a_hit() -> None:
    looks, (query,) = unit(*[[1, 0, 0]] * 5), unit([1, 0, 0.2])
    assert judged(query, looks, unit([0, 1, 0], [0, 0, 1])).verdict(0.98) == "strong"


def test_given_a_temperature_when_judged_then_the_band_follows_it() -> None:
    looks, (query,) = unit([1, 0, 0], [-1, 0, 0]), unit([1, 0, 0])
    for scale in (20.0, 100.0):
        found = judged(query, looks, unit([0, 1, 0], [0, 0, 1]), replace(CLIP, logit_scale=scale))
        edges = (0.0, WEAK_FROM / scale, STRONG_FROM / scale)
        assert (found.usual, found.weak_from, found.strong_from) == pytest.approx(edges)


def test_given_a_bank_twice_as_large_when_judged_then_nothing_changes() -> None:
    bank = unit([0.3, 1, 0], [0.1, 0, 1])
    once, thrice = (judged(LOOKS[0], LOOKS, np.concatenate([bank] * times)) for times in (1, 3))
    assert once.weak_from == pytest.approx(thrice.weak_from)


def test_given_a_model_with_bias_when_judged_then_nothing_is_a_rival() -> None:
    means, bank = np.zeros(1, np.float32), unit([0, 1, 0])
    plain, biased = (level(LOOKS[:1], means, bank, replace(CLIP, logit_bias=bias)) for bias in (0.0, -16.5))
    assert plain == pytest.approx(0.0)
    assert 6.0 < biased < 6.2
