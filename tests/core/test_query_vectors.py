"""What looks are compared with says what was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.query import Term
from core.search.query_vectors import query_vector, similarity

A, B, C = np.eye(3, dtype=np.float32)
VECTORS = {"dog": A, "boat": B, "red": C}


def test_given_quotes_and_a_picture_when_added_then_each_has_its_weight() -> None:
    emphatic = query_vector(Term("dog", ("red",)), VECTORS)
    assert emphatic.vector == pytest.approx(np.array([1.0, 0.0, 0.5]) / np.sqrt(1.25))
    assert query_vector(Term("dog"), VECTORS, picture=B).vector == pytest.approx(np.array([1.0, 1.0, 0.0]) / np.sqrt(2))
    assert query_vector(Term(""), {}, picture=B).vector == pytest.approx(B)


def test_given_unwanted_text_when_frames_show_it_then_those_alone_lose() -> None:
    looks = np.array([A, (A + B) / np.sqrt(2), A, C, C], np.float32)
    plain, without = (
        similarity(looks, query_vector(wish, VECTORS)) for wish in (Term("dog"), Term("dog", (), ("boat",)))
    )
    assert without[1] < plain[1] - 0.5
    assert without[[0, 2, 3, 4]] == pytest.approx(plain[[0, 2, 3, 4]])


def test_given_unwanted_text_when_most_frames_show_it_then_it_counts() -> None:
    looks = np.array([A, *[(A + B) / np.sqrt(2)] * 9], np.float32)
    scores = similarity(looks, query_vector(Term("dog", (), ("boat",)), VECTORS))
    assert scores.argmax() == 0
    assert scores[0] - scores[1:].max() > 0.5
