"""36 videos at once on Slack, in time that passes as fast as it can: nothing is one too many, and presses do not wait.

Slack's limits: `chat.update` is of tier 3, "50+ per minute" for the method and workspace; docs, "Rate limits".
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from slack_sdk.web.async_client import AsyncWebClient

from bot.doors.delivery import deliver
from bot.doors.desk import WaitingLines
from bot.doors.pace import Pace
from bot.doors.requests import Unnumbered
from bot.slack.config import POSTS, REACTIONS, UPDATES
from bot.slack.desk import SlackWorkReaction
from bot.slack.messages import SlackMessage
from bot.slack.sender import Paces, Slack
from bot.slack.targets import SlackPressTarget, ThreadTarget
from core.model.reply import Progress, Reply
from core.wording.replies import working
from tests.bot.slack.conftest import no_pictures
from tests.support import quickloop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.slack.pictures import Sharing
    from bot.slack.render import SlackCard

VIDEOS, AT_ONCE, EACH_S = 36, 6, 24.0
MOST_A_MINUTE = 50


class CountingClient(AsyncWebClient):
    """Takes messages, and notes when."""

    def __init__(self) -> None:
        super().__init__("x")
        self.posts_s: list[float] = []
        self.updates: list[tuple[float, str]] = []
        self.reactions: dict[str, list[tuple[float, str]]] = {"add": [], "remove": []}

    async def chat_postMessage(self, **sent: Any) -> Any:  # noqa: N802
        del sent
        self.posts_s.append(asyncio.get_running_loop().time())
        return {"ts": f"{len(self.posts_s)}.0"}

    async def chat_update(self, **sent: Any) -> Any:
        self.updates.append((asyncio.get_running_loop().time(), sent["text"]))
        return {}

    async def reactions_add(self, **sent: Any) -> Any:
        self.reactions["add"].append((asyncio.get_running_loop().time(), sent["timestamp"]))
        return {}

    async def reactions_remove(self, **sent: Any) -> Any:
        self.reactions["remove"].append((asyncio.get_running_loop().time(), sent["timestamp"]))
        return {}


class Nobody:
    """Is whispered to."""

    async def __call__(self, shown: SlackCard) -> None:
        raise AssertionError(shown.text)

    async def sharing(self) -> Sharing:
        raise AssertionError


class NoLedger:
    """Remembers nothing, since nothing is uploaded."""


async def video(number: int) -> AsyncIterator[Reply]:
    """Wait until the videos before it are done, say each tenth of a second how far it is, and be ready."""
    before = number // AT_ONCE
    for turn in range(before):
        yield working(Progress("waiting", None, ahead=AT_ONCE * (before - turn)))
        await asyncio.sleep(EACH_S)
    for step in range(int(EACH_S * 10)):
        yield working(Progress("looking", step / (EACH_S * 10)))
        await asyncio.sleep(0.1)
    yield Reply(f"Ready {number}.")


async def ignore(_ts: str) -> None:
    return


def most_within_a_minute(times_s: list[float]) -> int:
    """Return the largest number of calls that any 60 seconds saw."""
    return max(sum(start <= one < start + 60 for one in times_s) for start in times_s)


def test_given_36_videos_when_pressed_then_it_shows_at_once_within_limits() -> None:
    client, waits_s, last_s = quickloop.run(_busy())
    updates_s = [one for one, _ in client.updates]
    assert most_within_a_minute(updates_s) <= MOST_A_MINUTE
    assert most_within_a_minute(client.posts_s) <= 64, "one a second for the channel, and a burst"
    assert max(waits_s) < 2.0
    assert {f"Ready {number}." for number in range(VIDEOS)} <= {text for _, text in client.updates}
    ready_s = [one for one, text in client.updates if text.startswith("Ready")]
    assert max(ready_s) - last_s < 3.0
    assert len(client.posts_s) == VIDEOS


async def _busy() -> tuple[CountingClient, list[float], float]:
    """Index the videos while somebody presses a button each five seconds; give how long each press took to show."""
    client, loop = CountingClient(), asyncio.get_running_loop()
    paces = Paces(Pace(POSTS, loop.time), Pace(UPDATES, loop.time))
    slack = Slack(client, no_pictures(client, NoLedger()), client, paces)  # type: ignore[arg-type]
    lines, waits_s = WaitingLines(), []
    async with asyncio.TaskGroup() as group:
        for number in range(VIDEOS):
            place = ThreadTarget(slack, "C1", f"{number}", Nobody(), ignore, Unnumbered())
            group.create_task(deliver(lines.told(video(number), "C1"), place, 3.0, paces.of(place, "C1")))
        for number in range(20):
            await asyncio.sleep(5.0)
            press, began_s = SlackPressTarget(slack, "C1", "9.9", "", Nobody(), Unnumbered(), ignore), loop.time()
            await deliver(_answer(number), press, 3.0, paces.of(press, "C1"))
            shown_s = next(one for one, text in client.updates if text == f"Moment {number}.")
            waits_s.append(shown_s - began_s)
    return client, waits_s, (VIDEOS // AT_ONCE) * EACH_S


async def _answer(number: int) -> AsyncIterator[Reply]:
    yield Reply(f"Moment {number}.", updates=True)


def test_given_36_messages_when_each_has_a_reaction_then_none_stays() -> None:
    client = quickloop.run(_watched())
    added, removed = client.reactions["add"], client.reactions["remove"]
    assert most_within_a_minute([one for one, _ in added]) <= MOST_A_MINUTE
    assert most_within_a_minute([one for one, _ in removed]) <= MOST_A_MINUTE
    assert {ts for _, ts in added} <= {ts for _, ts in removed} == {f"{number}.0" for number in range(2 * VIDEOS)}


async def _watched() -> CountingClient:
    """Work on twice as many messages as there are videos, each for a moment."""
    client, loop = CountingClient(), asyncio.get_running_loop()
    eyes = SlackWorkReaction(client, Pace(REACTIONS, loop.time), Pace(REACTIONS, loop.time))

    async def work(number: int) -> None:
        message = SlackMessage("C1", f"{number}.0", "", "U1", "", ())
        eyes.expect(message, 1)
        async with eyes.on(message) as done:
            await asyncio.sleep(3.0)
            await done()

    async with asyncio.TaskGroup() as group:
        for number in range(2 * VIDEOS):
            group.create_task(work(number))
    return client
