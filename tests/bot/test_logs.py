"""Log lines can be read by machines, say to which turn they belong, and hold neither words nor secrets."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from bot.monitoring.logs import set_up_logs
from bot.monitoring.metrics import Metrics
from core.engines.clip.encoder import CarryingPool
from core.model.events import Find, Help, LinkPosted, ListVideos
from core.ports.metrics import begin_turn
from tests.core.conftest import house, turn

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.core.conftest import ColourHouse

__all__ = ["house"]

SECRET = "a-token-of-no-known-shape"
TOKEN = "xoxb-123-456-abcDEF"
DISCORD = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs-a"
WORDS = "a very private canary"


OURS = ("bot", "core", "storage", "demo", "bench", "__main__")
LIBRARIES = (
    "discord.gateway",
    "discord.http",
    "discord.webhook.async_",
    "slack_sdk.web",
    "slack_bolt",
    "aiohttp",
    "yt_dlp",
)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:], logging.root.level = handlers, level
    for name in (*OURS, *LIBRARIES):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("insists", [False, True])
def test_given_libraries_at_debug_when_they_log_then_nothing_is_written(
    log: io.StringIO, name: str, *, insists: bool
) -> None:
    if insists:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger(name).debug("received %s", {"content": WORDS})
    logging.getLogger("bot.test").debug("of our own")
    assert [line["message"] for line in lines(log)] == ["of our own"]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What goes to stderr, as JSON."""
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    set_up_logs("debug", "json", [SECRET])
    return written


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_given_json_logs_then_a_line_is_one_object_with_its_fields(log: io.StringIO) -> None:
    logging.getLogger("bot.test").info("took %d looks", 7, extra={"stage": "encode"})
    (line,) = lines(log)
    assert {name: line[name] for name in ("level", "logger", "message", "turn", "stage")} == {
        "level": "INFO",
        "logger": "bot.test",
        "message": "took 7 looks",
        "turn": "-",
        "stage": "encode",
    }
    assert line["time"].startswith("20")


def test_given_logs_for_people_then_a_record_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("info")
    turn_id = begin_turn()
    logging.getLogger("bot.test").info("hello")
    assert capsys.readouterr().err.endswith(f"INFO    {turn_id} bot.test: hello\n")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (f"the token {TOKEN}", "the token [cut]"),
        (f"Authorization: Bearer {TOKEN}", "Authorization: Bearer [cut]"),
        (f"login with {DISCORD} failed", "login with [cut] failed"),
        (f"it is {SECRET}.", "it is [cut]."),
        ("url=https://cdn.test/a/film.mp4?ex=65&hm=abc)", "url=https://cdn.test/a/film.mp4?[cut])"),
        ("POST https://hooks.slack.com/commands/T1/2/xyz", "POST https://hooks.slack.com/[cut]"),
        ("https://discord.com/api/webhooks/1/abc/messages", "https://discord.com/api/webhooks/[cut]"),
        ("http://ada:password@films.test/a", "http://[cut]@films.test/a"),
        ("https://films.test/watch is fine", "https://films.test/watch is fine"),
    ],
)
def test_given_a_secret_in_a_record_when_logged_then_it_is_cut_out(log: io.StringIO, said: str, kept: str) -> None:
    logging.getLogger("some.library").warning(said)
    logging.getLogger("bot").error("bug", exc_info=RuntimeError(said))
    plain, bug = lines(log)
    assert plain["message"] == kept
    assert f"RuntimeError: {kept}" in bug["exc_info"]


async def test_given_a_turn_when_its_tasks_and_threads_log_then_its_id_is_there(
    log: io.StringIO, house: ColourHouse, colour_video: Path
) -> None:
    logger = logging.getLogger("bot.test")
    pool = CarryingPool(1, "test", lambda _: None, lambda: 0.0)

    async def work(name: str) -> str:
        turn_id = begin_turn()
        await asyncio.to_thread(logger.info, "to_thread %s", name)
        await asyncio.get_running_loop().run_in_executor(pool, logger.info, "pool %s", name)
        await asyncio.create_task(asyncio.to_thread(logger.info, "task %s", name))
        await house.reader.still(colour_video, 0.0, 64)
        return turn_id

    first, second = await asyncio.gather(work("a"), work("b"))
    pool.shutdown()
    told = lines(log)
    for turn_id, name in ((first, "a"), (second, "b")):
        mine = [line["message"] for line in told if line["turn"] == turn_id]
        assert {f"to_thread {name}", f"pool {name}", f"task {name}"} <= set(mine)
        assert sum(line.startswith("child") for line in mine) == 2
    assert first != second


async def test_given_a_turn_when_logged_then_it_is_one_line_without_any_words(
    log: io.StringIO, house: ColourHouse, colour_video: Path
) -> None:
    metrics = Metrics()
    house.relays.watch.target = metrics
    house.fetcher.web["https://films.test/a.mp4"] = colour_video
    await house.say(LinkPosted(turn(), f"https://films.test/a.mp4?{SECRET}"))
    await house.say(LinkPosted(turn(), "https://films.test/a.mp4"))
    await house.say(Find(turn(), WORDS))
    await house.say(Find(turn(), " "))
    await house.say(Find(turn(), "red", WORDS))
    await house.say(ListVideos(turn()))
    await house.say(Help(turn()))
    ended = [line for line in lines(log) if line["logger"] == "bot.monitoring.metrics" and "outcome" in line]
    assert [line["kind"] for line in ended] == ["LinkPosted"] * 2 + ["Find"] * 3 + ["ListVideos", "Help"]
    assert {line["outcome"] for line in ended} == {"done"}
    assert len({line["turn"] for line in ended}) == len(ended)
    for secret in (WORDS, SECRET, "a.mp4?", "A linked video"):
        assert secret not in log.getvalue()
    figures = metrics.text().decode()
    assert 'keaton_problems_total{kind="FetchFailed"} 1.0' in figures
    assert 'keaton_problems_total{kind="EmptyQuery"} 1.0' in figures
    assert 'keaton_turns_total{kind="Find",outcome="done",platform="local"} 3.0' in figures
    assert 'keaton_cache_lookups_total{cache="videos",outcome="miss"}' in figures
