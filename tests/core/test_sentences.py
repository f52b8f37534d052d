"""No expected error reaches anybody without a sentence, whatever class was added lately."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from core import errors
from core.sentences import sentence

if TYPE_CHECKING:
    from core.errors import AppError

LEAVES = [
    kind
    for module in iter_modules(errors.__path__, "core.errors.")
    for _, kind in inspect.getmembers(import_module(module.name), inspect.isclass)
    if kind.__module__ == module.name
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
def test_every_expected_error_is_a_sentence(kind: type[AppError]) -> None:
    error = kind(*(VALUES[str(one.type)] for one in fields(kind)))  # type: ignore[arg-type]
    assert sentence(error) != str(error)
