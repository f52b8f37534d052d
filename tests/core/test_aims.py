"""What looks are compared with says what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.query import Term
from core.search.query_vectors import aim, similarity

A, B, C = np.eye(3, dtype=np.float32)
VECTORS = {"dog": A, "boat": B, "red": C}


def test_a_phrase_in_quotes_weighs_more_and_a_picture_as_much_as_the_words() -> None:
    emphatic = aim(Term("dog", ("red",)), VECTORS)
    assert emphatic.vector == pytest.approx(np.array([1.0, 0.0, 0.5]) / np.sqrt(1.25))
    assert aim(Term("dog"), VECTORS, picture=B).vector == pytest.approx(np.array([1.0, 1.0, 0.0]) / np.sqrt(2))
    assert aim(Term(""), {}, picture=B).vector == pytest.approx(B)


def test_looks_lose_what_they_show_of_the_unwanted_and_no_others_do() -> None:
    looks = np.array([A, (A + B) / np.sqrt(2), A, C, C], np.float32)
    plain, without = (similarity(looks, aim(wish, VECTORS)) for wish in (Term("dog"), Term("dog", (), ("boat",))))
    assert without[1] < plain[1] - 0.5
    assert without[[0, 2, 3, 4]] == pytest.approx(plain[[0, 2, 3, 4]])


def test_an_unwanted_thing_in_most_of_the_video_counts_too() -> None:
    looks = np.array([A, *[(A + B) / np.sqrt(2)] * 9], np.float32)
    scores = similarity(looks, aim(Term("dog", (), ("boat",)), VECTORS))
    assert scores.argmax() == 0
    assert scores[0] - scores[1:].max() > 0.5
