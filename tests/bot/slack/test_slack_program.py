"""The shipped program against a small Slack: real fetching, a real model (with chance for weights), crashes."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio

from tests.bot.slack.conftest import READY, SMALL
from tests.fakes.slack import FakeSlack
from tests.support import clips
from tests.support.discord.program import Program
from tests.support.models import write_model

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.fakes.slack_world import Channel, Message, User, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Shipped:
    """The program, and the workspace that it serves."""

    fake: FakeSlack
    team: Workspace
    program: Program
    folder: Path
    ada: User
    general: Channel

    def video(self, name: str) -> Path:
        seconds = 2 + sum(name.encode()) % 97 / 8
        return clips.make_clip(self.folder / name, [("red", seconds), ("green", 3), ("blue", 3)], SMALL)

    def link(self, name: str) -> str:
        return self.fake.publish(self.video(name))

    async def post(self, text: str) -> Message:
        return await self.fake.post(self.team, self.general, self.ada, text)

    async def below(self, message: Message, words: str = READY) -> Message:
        def found() -> Message | None:
            found = (one for one in self.general.below(message) if words in one.words and one.is_whole)
            return next(found, None)

        return await self.fake.until(found, f"{words!r} below {message.text!r}")

    async def found(self, text: str) -> Message:
        before = set(self.general.messages)
        await self.fake.slash(self.team, self.general, self.ada, "/find", text)

        def new() -> Message | None:
            found = [one for ts, one in self.general.messages.items() if ts not in before and "Moment" in one.words]
            return next((one for one in found if one.is_whole), None)

        return await self.fake.until(new, "an answer")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[FakeSlack, Program]]:
    async with FakeSlack() as fake:
        fake.workspace()
        folder = tmp_path_factory.mktemp("keaton")
        program = Program(fake, folder)
        program.settings |= {"KEATON_WATCH_PORT": "0", "KEATON_LOG_FORMAT": "json"}
        program.settings["KEATON_MODEL"] = f"local-dir:{write_model(folder / 'model')}"
        yield fake, program
        await program.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def shipped(served: tuple[FakeSlack, Program], tmp_path: Path) -> AsyncIterator[Shipped]:
    fake, program = served
    await program.ensure_running()
    team = fake.teams[0]
    yield Shipped(fake, team, program, tmp_path, team.user("Ada"), team.channel())
    assert not fake.wrongs


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the program's log beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    shipped = getattr(item, "funcargs", {}).get("shipped")
    if report.failed and isinstance(shipped, Shipped):
        report.sections.append(("the program's log", "\n".join(shipped.program.log.splitlines()[-60:])))


async def test_given_a_link_when_searched_then_its_answer_can_be_browsed(shipped: Shipped) -> None:
    message = await shipped.post(f"see {shipped.link('stunts.mp4')}")
    assert "stunts" in (await shipped.below(message)).words
    card = await shipped.found("something green")
    assert [shipped.team.files[one].data[:2] for one in card.images] == [b"\xff\xd8", b"\x89P"]
    await shipped.fake.press(shipped.team, card, "As softmax", shipped.ada)
    await shipped.fake.until(lambda: "As similarity" in card.buttons, "the softmax view")
    assert not shipped.fake.sockets.late


async def test_given_files_and_sites_when_fetched_then_slack_alone_has_the_token(shipped: Shipped) -> None:
    fake, file = shipped.fake, shipped.team.take(shipped.video("private.mp4"))
    await shipped.below(await fake.post(shipped.team, shipped.general, shipped.ada, files=[file.json(fake.url)]))
    await shipped.below(await shipped.post(shipped.link("public.mp4")))
    shown = {path.rsplit("/", 1)[1]: given for path, given in fake.fetched}
    assert (shown["private.mp4"], shown["public.mp4"]) == (f"Bearer {shipped.team.bot_token}", "")


async def test_given_a_message_deleted_while_fetching_then_nothing_is_left(shipped: Shipped) -> None:
    link = shipped.link("gone.mp4")
    shipped.fake.gates["gone.mp4"] = gate = asyncio.Event()
    message = await shipped.post(link)
    card = await shipped.below(message, "Fetching")
    await shipped.fake.remove(shipped.team, message)
    await shipped.fake.until(lambda: card.ts not in shipped.general.messages, "the status message gone")
    gate.set()
    await shipped.below(await shipped.post(shipped.link("stays.mp4")))
    listed = await shipped.fake.slash(shipped.team, shipped.general, shipped.ada, "/keaton", "videos")
    said = await shipped.fake.until(lambda: listed.said, "the list")
    assert "1 video" in said[0].words


def fetching(shipped: Shipped) -> list[Message]:
    """Give the messages that say that a video is being fetched."""
    return [one for one in shipped.general.by_keaton if "Fetching" in one.words]


async def test_given_a_crash_when_it_restarts_then_the_same_message_goes_on(shipped: Shipped) -> None:
    fake = shipped.fake
    done = await shipped.post(shipped.link("done.mp4"))
    await shipped.below(done)
    card = await shipped.found("green")
    link = shipped.link("half.mp4")
    fake.gates["half.mp4"] = gate = asyncio.Event()
    half = await shipped.post(link)
    status = await shipped.below(half, "Fetching")
    fake.gates["asked.mp4"] = gate
    await fake.slash(shipped.team, shipped.general, shipped.ada, "/keaton", f"index {shipped.link('asked.mp4')}")
    await fake.until(lambda: len(fetching(shipped)) == 2, "the command's video being fetched")
    (asked,) = (one for one in fetching(shipped) if one is not status)
    await shipped.program.kill()
    gate.set()
    await shipped.program.ensure_running()
    for message in (done, half):
        await fake.event(shipped.team, fake.said(message))
    assert await shipped.below(half) is status
    await fake.press(shipped.team, card, "As softmax", shipped.ada)
    await fake.until(lambda: "As similarity" in card.buttons, "the button of the earlier run")
    assert [len(shipped.general.below(one)) for one in (done, half)] == [1, 1]
    await fake.until(lambda: READY in asked.words, "the command of the earlier run")


async def test_given_a_stop_while_indexing_then_it_says_so_and_goes_on_later(shipped: Shipped) -> None:
    fake = shipped.fake
    link = shipped.link("long.mp4")
    fake.gates["long.mp4"] = gate = asyncio.Event()
    message = await shipped.post(link)
    status = await shipped.below(message, "Fetching")
    began_s = time.monotonic()
    assert await shipped.program.stop() == 0
    assert time.monotonic() - began_s < 10
    assert "I am being restarted" in status.words
    log = shipped.program.data / "keaton.sqlite3-wal"
    assert not log.exists() or log.stat().st_size == 0
    gate.set()
    await shipped.program.ensure_running()
    assert await shipped.below(message) is status


async def figures_with(session: aiohttp.ClientSession, address: str, wanted: list[str]) -> None:
    """Read the figures until these are among them."""
    figures = ""
    async with asyncio.timeout(30):
        while any(one not in figures for one in wanted):
            figures = await (await session.get(address)).text()


async def test_given_a_running_bot_then_health_is_seen_and_the_log_has_no_words(shipped: Shipped) -> None:
    words = "a very private canary"
    await shipped.fake.slash(shipped.team, shipped.general, shipped.ada, "/find", words)
    await shipped.below(await shipped.post(f"canary {shipped.link('watched.mp4')}?secret=canary"))
    await shipped.found(words)
    log = [json.loads(line) for line in shipped.program.log.splitlines() if line.startswith("{")]
    (*_, address) = [line["message"].split()[5] for line in log if line["message"].startswith("health and figures")]
    async with aiohttp.ClientSession() as session:
        health = await session.get(address)
        assert (health.status, (await health.json())["checks"]["Slack"]) == (200, "ok")
        stages = ("fetch", "read", "encode", "words", "save", "search", "plot", "still")
        counted = [f'keaton_stage_seconds_count{{stage="{stage}"}}' for stage in stages]
        # The last words of a turn are said just before it is counted.
        await figures_with(session, address.replace("healthz", "metrics"), [*counted, "keaton_videos_running 0.0"])
    assert {"Find", "LinkPosted"} <= {line.get("kind") for line in log}
    for secret in ("canary", shipped.team.bot_token, "xoxb-", "xapp-"):
        assert secret not in shipped.program.log


async def test_given_a_blocked_loop_when_slack_sends_again_then_one_answer(shipped: Shipped) -> None:
    """The proof of the other stories: the small Slack does notice a late acknowledgement."""
    fake, sockets = shipped.fake, shipped.fake.sockets
    sockets.resend_after_s = 0.3
    late = sockets.late
    shipped.program.freeze()
    listed = await fake.slash(shipped.team, shipped.general, shipped.ada, "/keaton", "videos")
    await fake.until(lambda: sockets.late > late, "a late acknowledgement noticed")
    shipped.program.thaw()
    await fake.until(lambda: listed.said, "the answer")
    sockets.resend_after_s = 3.0
    await shipped.below(await shipped.post(shipped.link("after.mp4")))
    assert len(listed.said) == 1
    sockets.late = 0


async def test_given_an_unknown_token_then_the_program_ends_with_a_sentence(
    served: tuple[FakeSlack, Program], tmp_path: Path
) -> None:
    program = Program(served[0], tmp_path)
    await program.start(SLACK_BOT_TOKEN="xoxb-wrong", KEATON_MODEL=served[1].settings["KEATON_MODEL"])
    assert await program.ended() == 3
    assert "SLACK_BOT_TOKEN" in program.log.splitlines()[-1]
    assert "Traceback" not in program.log
