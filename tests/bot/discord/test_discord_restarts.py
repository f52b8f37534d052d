"""What a crash, an absence and a broken connection do: nothing is lost, and nothing is said twice."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord
import pytest
from discord.http import Route

from bot.discord.recovery import hook_of
from tests.bot.discord.test_discord_asking import green
from tests.fakes.discord_world import MANAGE_CHANNELS, MANAGE_MESSAGES, User
from tests.support.discord.looking import READY, answer_to, cards_below, found, posted, said_below
from tests.support.discord.program import Program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bot.discord.conftest import Scene
    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Message

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="session")]


async def test_given_replayed_events_when_resumed_then_each_is_handled_once(scene: Scene) -> None:
    fake, gateway = scene.fake, scene.fake.gateway
    known = scene.reel()
    message = await posted(scene, known, known=True)
    answer = await found(scene)
    before, replies, shown = gateway.resumed, len(cards_below(message)), len(answer.history)
    gateway.repeats = 40
    await gateway.ask_to_reconnect()
    await fake.until(lambda: gateway.session is not None and gateway.session.socket is None, "the hanging up")
    missed = await fake.post(scene.general, scene.bob, known)
    await fake.until(lambda: gateway.resumed > before, "the RESUME")
    gateway.repeats = 0
    await said_below(scene, missed, "I know this video already")
    await found(scene)
    assert (len(cards_below(message)), len(cards_below(missed))) == (replies, 1)
    assert len(answer.history) == shown


async def test_given_a_crash_and_an_absence_when_restarted_then_one_answer_each(scene: Scene) -> None:
    fake, general = scene.fake, scene.general
    await posted(scene, scene.reel(), known=True)
    await posted(scene, scene.link("forgettable.mp4"))
    answer, syncs = await found(scene, "a dog"), fake.syncs
    half, status = await half_fetched(scene, "half.mp4")
    gate = fake.cdn.gates["half.mp4"]
    unwanted = await posted(scene, scene.link("unwanted.mp4"))
    (its_card,) = cards_below(unwanted)
    fake.cdn.gates["asked.mp4"] = gate
    command = await fake.slash(general, scene.ada, "index", url=scene.link("asked.mp4"))
    await fake.until(lambda: command.shown and "Fetching" in command.shown.text, "the command's video being fetched")
    promised = await acknowledged(scene, answer)
    await scene.program.kill()
    gate.set()
    await fake.remove(unwanted)
    missed = await fake.post(general, scene.ada, scene.link())
    stale = await fake.post(general, scene.bob, "", scene.video())
    stale.attachments = [fake.cdn.signed(one, life_s=-10) for one in stale.attachments]

    await scene.program.ensure_running()
    for life in fake.desk.known.values():
        life.sent_s -= 0 if life in promised.alive else 1000
    await promised.kept(scene)
    await answer_to(scene, await fake.press(answer, "Next", scene.bob), "Moment 2 of")
    for message in (half, missed, stale):
        await said_below(scene, message)
        assert len(cards_below(message)) == 1
    await fake.until(lambda: its_card.id not in general.messages, "the card of what was deleted meanwhile gone")
    assert "unwanted" not in await fake.type(general, scene.bob, "")
    assert READY in status.text, "the message of the run that died goes on"
    await answer_to(scene, command, READY)
    assert fake.syncs == syncs, "the commands are told once, not at each start"


async def half_fetched(scene: Scene, name: str) -> tuple[Message, Message]:
    """Post a link whose video waits at its gate; give the message, and Keaton's that says how far it is."""
    scene.fake.cdn.gates[name] = asyncio.Event()
    message = await scene.fake.post(scene.general, scene.ada, scene.link(name))
    return message, await said_below(scene, message, "Fetching")


@dataclass(frozen=True)
class Promised:
    """What was acknowledged, and not begun, when Keaton died."""

    ranked: Message
    """An answer that was voted for."""
    turned: Interaction
    """The press of a button that shows another moment of another answer."""
    mine: Interaction
    """A search for the asker's eyes alone."""
    too_late: Interaction
    """Such a search, whose token will have expired."""
    pictured: Interaction
    forgetting: Interaction

    @property
    def alive(self) -> tuple[Interaction, ...]:
        return self.mine, self.pictured, self.forgetting

    async def kept(self, scene: Scene) -> None:
        await scene.fake.until(lambda: "👍 1" in self.ranked.buttons, "the vote, once")
        await answer_to(scene, self.turned, "Moment 2 of")
        assert (await answer_to(scene, self.mine, "Moment")).is_ephemeral
        await answer_to(scene, self.pictured, "ike the picture")
        await answer_to(scene, self.forgetting, "Forgotten")
        await all_noted(scene)
        assert self.too_late.shown is None or not self.too_late.shown.text
        assert not [path for path in (scene.program.data / "media" / ".inbox").iterdir() if "picture" in path.name]


async def all_noted(scene: Scene) -> None:
    """Wait until Keaton has noted that what it showed is answered: only then nothing more will come."""
    await asyncio.wait_for(asyncio.to_thread(nothing_open, scene.program.data), 30)


def nothing_open(data: Path) -> None:
    """Wait until all that was written down is done; another process does not say so."""
    with closing(sqlite3.connect(f"file:{data / 'keaton.sqlite3'}?mode=ro", uri=True)) as db:
        while db.execute(
            "SELECT 1 FROM jobs WHERE kind IN ('find', 'press', 'forget', 'switch', 'link') AND ended_s IS NULL"
        ).fetchall():
            time.sleep(0.05)


async def acknowledged(scene: Scene, ranked: Message) -> Promised:
    """Have things acknowledged by a Keaton that does not get to know that they were, and so begins none of them."""
    fake, here, bob = scene.fake, scene.general, scene.bob
    turned = await found(scene, "something red")
    fake.desk.gate = asyncio.Event()
    vote = await fake.press(ranked, "👍", bob)
    promised = Promised(
        ranked,
        await fake.press(turned, "Next", bob),
        await fake.slash(here, bob, "find", text="a dog", in_="all I can read"),
        await fake.slash(here, bob, "find", text="a cat", in_="all I can read"),
        await fake.slash(here, bob, "find-picture", picture=green(scene.folder)),
        await fake.slash(here, scene.ada, "forget", video="forgettable"),
    )
    all_of_them = vote, promised.turned, promised.too_late, *promised.alive
    await fake.until(lambda: all(one.ack_s is not None for one in all_of_them), "acknowledgements")
    fake.desk.gate = None
    return promised


async def test_given_a_preview_and_a_cut_when_it_crashes_then_posted_once(scene: Scene) -> None:
    fake = scene.fake
    await posted(scene, scene.reel(), known=True)
    moving, cut = await found(scene, "a dog"), await found(scene, "something red")
    await answer_to(scene, await fake.press(cut, "Cut", scene.bob), "Cut: ")
    fake.desk.gate = asyncio.Event()
    preview, send = await fake.press(moving, "Preview", scene.ada), await fake.press(cut, "Send the cut", scene.bob)
    await fake.until(lambda: preview.ack_s is not None and send.ack_s is not None, "acknowledgements")
    fake.desk.gate = None
    await scene.program.kill()
    assert ("preview.mp4" in moving.files, cards_below(cut)) == (False, [])

    await scene.program.ensure_running()
    await answer_to(scene, preview, "Preview: ")
    sent = await fake.until(lambda: next((one for one in cards_below(cut) if one.files), None), "the cut")
    await all_noted(scene)
    assert [name.endswith(".mp4") for name in sent.files] == [True]
    assert cards_below(cut) == [sent]
    assert ("preview.mp4" in moving.files, cards_below(moving)) == (True, [])


async def test_given_a_run_that_died_early_when_forgotten_then_its_answer_goes(scene: Scene) -> None:
    fake, message = scene.fake, await posted(scene, scene.link("regretted.mp4"))
    fake.desk.gate = asyncio.Event()
    asked = await fake.slash(scene.general, scene.bob, "find", text="something green", video="regretted")
    await fake.until(lambda: asked.ack_s is not None, "the acknowledgement")
    await scene.program.kill()
    fake.desk.gate = None
    await scene.program.ensure_running()
    answer = await answer_to(scene, asked, "Moment")
    await fake.remove(message)
    await fake.until(lambda: "was forgotten" in answer.text, "the answer taken back")


async def test_given_an_answer_not_noted_when_it_crashes_then_later_acts_hold(scene: Scene) -> None:
    fake, eve = scene.fake, User("Eve")
    scene.guild.extra[eve.id] = MANAGE_CHANNELS
    await posted(scene, scene.reel(), known=True)
    fake.desk.unheard[eve.id] = asyncio.Event()
    shown = await found(scene, "something red", eve)
    pressed = await fake.press(shown, "Next", scene.bob)
    alike = await fake.press(shown, "More like this", scene.bob)
    voted = await fake.press(await found(scene, "a dog", eve), "👍", scene.bob)
    await fake.until(lambda: all(one.ack_s is not None for one in (pressed, alike, voted)), "acknowledgements")
    half, status = await half_fetched(scene, "unwelcome.mp4")
    scene.guild.extra[eve.id] |= MANAGE_MESSAGES
    fake.desk.gate = asyncio.Event()
    cancelled = await fake.press(status, "Cancel", eve)
    await fake.until(lambda: cancelled.ack_s is not None, "acknowledgement")
    fake.desk.gate, fetched = None, fake.cdn.fetched.count("unwelcome.mp4")
    switched = await answer_to(scene, await fake.slash(scene.general, eve, "keaton", "off"), "Off:")
    await answer_to(scene, await fake.slash(scene.general, scene.ada, "keaton", "on"), "On:")
    await scene.program.kill()
    fake.desk.unheard.clear()
    fake.cdn.gates.pop("unwelcome.mp4").set()
    assert "Moment 1 of" in shown.text

    await scene.program.ensure_running()
    await all_noted(scene)
    assert "Moment 2 of" in shown.text
    assert voted.message is not None
    assert "👍 1" in voted.message.buttons
    assert len(cards_below(shown)) == 1
    assert READY not in "".join(one.text for one in cards_below(half))
    assert fake.cdn.fetched.count("unwelcome.mp4") == fetched
    assert "switched on since: I look" in switched.text
    await answer_to(scene, await fake.slash(scene.general, scene.bob, "status"), "I look at every video")


async def test_given_a_press_before_a_crash_when_restarted_then_a_private_reply(
    fake: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Route, "BASE", fake.environment["DISCORD_API_BASE"])
    async with discord.Client(intents=discord.Intents.default()) as client:
        await client.login(fake.environment["DISCORD_TOKEN"])
        hook = hook_of(client, 1, "token")
    assert hook.type is discord.WebhookType.application, "the library sends nothing in private through any other"


async def test_given_an_address_that_expired_while_waiting_then_a_new_one_is_got(scene: Scene) -> None:
    fake, reads = scene.fake, len(scene.fake.reads)
    file = scene.video()
    real = fake.cdn.life_s
    fake.cdn.life_s = -10.0
    message = await fake.post(scene.general, scene.ada, "", file)
    fake.cdn.life_s = real
    await said_below(scene, message)
    assert fake.reads[reads:].count(message.id) == 1
    assert fake.cdn.dead_links == 0


async def test_given_an_unknown_token_when_starting_then_its_setting_is_named(
    fake: FakeDiscord, tmp_path: Path
) -> None:
    program = Program(fake, tmp_path)
    await program.start(DISCORD_TOKEN="wrong")
    assert await program.ended() == 3
    assert "DISCORD_TOKEN" in program.log.splitlines()[-1]
    assert "Traceback" not in program.log


async def test_given_a_thread_fallen_asleep_when_work_ends_then_it_has_its_card(scene: Scene) -> None:
    fake, thread = scene.fake, scene.guild.thread(scene.general, "a thread")
    await fake.gateway.dispatch("THREAD_CREATE", thread.json())
    fake.cdn.gates["asleep.mp4"] = gate = asyncio.Event()
    message = await fake.post(thread, scene.ada, scene.link("asleep.mp4"))
    await fake.until(lambda: any("Fetching" in one.text for one in cards_below(message)), "the video being fetched")
    await fake.set_thread(thread, archived=True)
    gate.set()
    (card,) = cards_below(await said_on(scene, message))
    assert not thread.archived
    assert "Ready to search" in card.text


async def said_on(scene: Scene, message: Message) -> Message:
    """Wait until a message's video can be searched; give the message."""
    await scene.fake.until(lambda: any("Ready to search" in one.text for one in cards_below(message)), "the card")
    return message
