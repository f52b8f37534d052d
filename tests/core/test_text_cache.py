"""Texts are encoded once, together with those that come at the same time, and never for the wrong model."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pytest

from core.engines.clip.encoder import RememberingEncoder
from core.errors import EncoderBroken
from core.ports.metrics import Unwatched
from tests.support.fakes import ColourEncoder, NotingWatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.model.video import Floats


@dataclass
class CountingEncoder(ColourEncoder):
    """Notes what it was asked to encode, and fails as often as it is told to."""

    asked: list[list[str]] = field(default_factory=list)
    failures: int = 0

    async def texts(self, texts: Sequence[str]) -> Floats:
        self.asked.append(list(texts))
        await asyncio.sleep(0)
        if self.failures:
            self.failures -= 1
            raise EncoderBroken("colours", 1.0)
        return await super().texts(texts)


async def test_given_a_recent_text_when_asked_again_then_it_is_not_encoded() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder, most=2, watch=Unwatched())
    for text in ("red", "green", "red", "blue", "red", "green"):
        np.testing.assert_array_equal(await remembering.texts([text]), await ColourEncoder().texts([text]))
    assert encoder.asked == [["red"], ["green"], ["blue"], ["green"]]


async def test_given_known_words_when_encoded_again_then_a_hit_is_counted() -> None:
    watch = NotingWatch()
    remembering = RememberingEncoder(CountingEncoder(), most=10, watch=watch)
    for text in ("red", "red", "green", "red"):
        await remembering.texts([text])
    assert watch.stages == ["texts False", "texts True", "texts False", "texts True"]


async def test_given_texts_at_once_when_asked_then_one_batch() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder, most=100, watch=Unwatched())
    await asyncio.gather(*(remembering.texts([f"red {n % 20}", "green"]) for n in range(32)))
    assert [len(texts) for texts in encoder.asked] == [21]


async def test_given_a_shared_batch_when_one_leaves_then_others_get_theirs() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder, most=100, watch=Unwatched())
    leaver, stayer = (asyncio.create_task(remembering.texts(["blue"])) for _ in range(2))
    await asyncio.sleep(0)
    leaver.cancel()
    assert (await stayer).shape == (1, 4)


async def test_given_a_failed_batch_when_asked_again_then_it_is_tried_anew() -> None:
    encoder = CountingEncoder(failures=1)
    remembering = RememberingEncoder(encoder, most=100, watch=Unwatched())
    told = await asyncio.gather(*(remembering.texts(["red"]) for _ in range(3)), return_exceptions=True)
    assert [type(one) for one in told] == [EncoderBroken] * 3
    assert (await remembering.texts(["red"])).shape == (1, 4)


async def test_given_another_model_when_asked_then_nothing_is_remembered() -> None:
    encoder = CountingEncoder()
    remembering = RememberingEncoder(encoder, most=100, watch=Unwatched())
    await remembering.texts(["red"])
    encoder.weights = "new eyes"
    await remembering.texts(["red"])
    assert encoder.asked == [["red"], ["red"]]


async def test_given_no_text_when_encoded_then_no_vector() -> None:
    assert (await RememberingEncoder(CountingEncoder(), most=1, watch=Unwatched()).texts([])).shape == (0, 4)


@pytest.mark.parametrize("count", [1, 200])
async def test_given_any_number_of_texts_when_encoded_then_they_are_in_order(count: int) -> None:
    texts = [f"{('red', 'green', 'blue')[n % 3]} {n}" for n in range(count)]
    found = await RememberingEncoder(CountingEncoder(), most=10, watch=Unwatched()).texts(texts)
    np.testing.assert_array_equal(found, await ColourEncoder().texts(texts))
