"""Runs a piece of work in a process of its own, so that neither its memory nor its threads count for another."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from bot import THREADS

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


def alone(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function of a module gives, in a new interpreter, with threads as they are by default."""
    for name in THREADS:
        os.environ.pop(name, None)
    return _run(work, *args, **kwargs)


def as_shipped(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do the same with threads that wait as those of the shipped program do."""
    os.environ.update(THREADS)
    return _run(work, *args, **kwargs)


def _run(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()
