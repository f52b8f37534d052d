"""What memory has at hand, and what it has not, is counted: looks and texts."""

from __future__ import annotations

from bot.monitoring.metrics import Metrics
from core.engines.watched import WatchedTexts
from tests.support.fakes import ColourEncoder


def figure(metrics: Metrics, cache: str, outcome: str) -> str:
    name = f'keaton_cache_lookups_total{{cache="{cache}",outcome="{outcome}"}} '
    return next((line.removeprefix(name) for line in metrics.text().decode().splitlines() if line.startswith(name)), "")


async def test_a_text_that_is_known_is_a_hit_and_a_new_one_is_a_miss() -> None:
    metrics = Metrics()
    texts = WatchedTexts(ColourEncoder(), 10, metrics)
    for words in ("red", "red", "green", "red"):
        await texts.texts([words])
    assert (figure(metrics, "texts", "hit"), figure(metrics, "texts", "miss")) == ("2.0", "2.0")
