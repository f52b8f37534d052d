"""No expected error reaches anybody without a sentence, whatever class was added lately."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from core import errors
from core.wording.errors import sentence

if TYPE_CHECKING:
    from core.errors import AppError

_BRANCHES = {errors.AppError, errors.UserError, errors.TryLater, errors.OperatorError}
LEAVES = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, errors.AppError) and kind.__module__ == errors.__name__ and kind not in _BRANCHES
]
VALUES = {
    "FileKind": "pipe",
    "str": "{odd} name",
    "int": 7_000_000,
    "float": 12.5,
    "float | None": None,
    "bool": True,
    "tuple[str, ...]": ("one", "two"),
    "Quantity": "size_bytes",
}


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_given_every_expected_error_when_told_then_it_is_a_sentence(kind: type[AppError]) -> None:
    error = kind(*(VALUES[str(one.type)] for one in fields(kind)))  # type: ignore[arg-type]
    assert sentence(error) != str(error)
