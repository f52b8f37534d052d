"""Counters and timers for Prometheus, in a registry of their own."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from core.ports.metrics import begin_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from core.ports.metrics import Stage

logger = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS_S = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)


class Metrics:
    """Counts and times, ready to be read at any moment."""

    def __init__(self) -> None:
        self._registry = own = CollectorRegistry()
        ProcessCollector(registry=own)
        self._turns = Counter("keaton_turns", "Turns that ended", ("kind", "platform", "outcome"), registry=own)
        self._turn_s = Histogram("keaton_turn_seconds", "Length of turns", ("kind",), registry=own, buckets=_BUCKETS_S)
        self._problems = Counter("keaton_problems", "Expected errors, by class", ("kind",), registry=own)
        self._stage_s = Histogram(
            "keaton_stage_seconds", "Length of pieces of work", ("stage",), registry=own, buckets=_BUCKETS_S
        )
        self._looks = Counter("keaton_looks", "Frames that were encoded", registry=own)
        self._pace = Gauge("keaton_looks_per_second", "Pace of the newest batch of frames", registry=own)
        self._cache = Counter("keaton_cache_lookups", "Lookups in caches", ("cache", "outcome"), registry=own)

    @contextmanager
    def turn(self, kind: str, platform: str) -> Iterator[None]:
        """Follow one turn under an id of its own."""
        begin_turn()
        began_s = time.monotonic()
        outcome = "bug"
        try:
            yield
            outcome = "done"
        except (GeneratorExit, asyncio.CancelledError):
            outcome = "dropped"
            raise
        finally:
            took_s = time.monotonic() - began_s
            self._turns.labels(kind, platform, outcome).inc()
            self._turn_s.labels(kind).observe(took_s)
            told = {"kind": kind, "platform": platform, "outcome": outcome, "took_s": round(took_s, 3)}
            logger.info("%s from %s: %s after %.2f s", kind, platform, outcome, took_s, extra=told)

    def problem(self, kind: str) -> None:
        """Count an expected error, by its class."""
        self._problems.labels(kind).inc()
        logger.info("told somebody of a problem: %s", kind, extra={"problem": kind})

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Time a piece of work, however it ends."""
        with self._stage_s.labels(stage).time():
            yield

    def took(self, stage: Stage, seconds: float) -> None:
        """Note how long a piece of work took."""
        self._stage_s.labels(stage).observe(seconds)

    def encoded(self, frames: int, seconds: float) -> None:
        """Note how many frames were encoded in one go, and how long that took."""
        self._looks.inc(frames)
        self._pace.set(frames / max(seconds, 1e-6))

    def cache(self, name: str, *, hit: bool) -> None:
        """Note whether something was found where it is kept at hand."""
        self._cache.labels(name, "hit" if hit else "miss").inc()

    def gauge(self, name: str, what: str, read: Callable[[], float]) -> None:
        """Show a figure that is read whenever a person looks."""
        Gauge(f"keaton_{name}", what, registry=self._registry).set_function(read)

    def text(self) -> bytes:
        """Return all figures as Prometheus reads them."""
        return generate_latest(self._registry)
