"""Health and figures over HTTP, on this machine alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from bot.monitoring.health import Check, Health, serve_watch
from bot.monitoring.metrics import Metrics
from core.errors import PortTaken

if TYPE_CHECKING:
    import aiohttp


async def fine() -> str:
    return ""


async def wrong() -> str:
    return "The disk is full."


async def never() -> str:
    await asyncio.Event().wait()
    return ""


async def test_given_a_healthy_program_when_asked_then_health_is_200(session: aiohttp.ClientSession) -> None:
    async with serve_watch(0, Health([Check("model", fine), Check("database", fine)]), Metrics()) as port:
        answer = await session.get(f"http://127.0.0.1:{port}/healthz")
        assert answer.status == 200
        assert await answer.json() == {"ok": True, "wrong": [], "checks": {"model": "ok", "database": "ok"}}


async def test_given_a_faulty_program_when_asked_then_health_is_503(session: aiohttp.ClientSession) -> None:
    checks = [Check("model", fine), Check("database", wrong), Check("Slack", never)]
    async with serve_watch(0, Health(checks, patience_s=0.05), Metrics()) as port:
        answer = await session.get(f"http://127.0.0.1:{port}/healthz")
        report = await answer.json()
    assert answer.status == 503
    assert report["wrong"] == ["The disk is full.", "The check of the Slack does not answer."]


async def test_given_figures_when_read_by_prometheus_then_they_are_valid(session: aiohttp.ClientSession) -> None:
    metrics = Metrics()
    metrics.gauge("videos_waiting", "Videos whose turn has not come", lambda: 3)
    for stage in ("fetch", "read", "encode", "words", "save", "search", "plot", "still"):
        with metrics.stage(stage):
            pass
    metrics.encoded(16, 2.0)
    metrics.cache("vectors", hit=True)
    metrics.cache("vectors", hit=False)
    async with serve_watch(0, Health([]), metrics) as port:
        answer = await session.get(f"http://127.0.0.1:{port}/metrics")
        figures = await answer.text()
    assert answer.headers["Content-Type"].startswith("text/plain")
    for line in (
        "keaton_videos_waiting 3.0",
        'keaton_stage_seconds_count{stage="search"} 1.0',
        "keaton_looks_total 16.0",
        "keaton_looks_per_second 8.0",
        'keaton_cache_lookups_total{cache="vectors",outcome="hit"} 1.0',
        "process_resident_memory_bytes",
    ):
        assert line in figures


async def test_given_two_products_in_one_process_then_they_count_apart(session: aiohttp.ClientSession) -> None:
    first, second = Metrics(), Metrics()
    first.problem("DiskFull")
    assert b"DiskFull" in first.text()
    assert b"DiskFull" not in second.text()
    async with serve_watch(0, Health([]), first) as port:
        answer = await session.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": "evil.test"})
    assert answer.status == 403


async def test_given_a_port_in_use_then_it_is_named_with_its_setting() -> None:
    async with serve_watch(0, Health([]), Metrics()) as port:
        with pytest.raises(PortTaken) as caught:
            async with serve_watch(port, Health([]), Metrics()):
                pass
    assert caught.value.setting == "KEATON_WATCH_PORT"


async def test_given_a_turn_that_breaks_or_is_dropped_then_it_is_counted_so() -> None:
    metrics = Metrics()
    with pytest.raises(RuntimeError), metrics.turn("Find", "local"):
        raise RuntimeError
    with pytest.raises(asyncio.CancelledError), metrics.turn("Find", "local"):
        raise asyncio.CancelledError
    figures = metrics.text().decode()
    for outcome in ("bug", "dropped"):
        assert f'keaton_turns_total{{kind="Find",outcome="{outcome}",platform="local"}} 1.0' in figures
