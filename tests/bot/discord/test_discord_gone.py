"""What was deleted while it was worked on, and what is out of order: an answer comes all the same, and quietly."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.bot.discord.test_discord_walls import Town, a_town, running
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import KEATON, Guild, User, new_id
from tests.fakes.waiting import logged
from tests.support import clips
from tests.support.houses import grace_of, house, parts_of, reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.events import Incoming
    from core.model.reply import Reply
    from core.model.video import Scope
    from tests.core.conftest import ColourHouse
    from tests.fakes.discord_world import Channel, Message

__all__ = ["house", "reader"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="session")]


class Held:
    """A conversation whose last reply waits until a test lets it go."""

    def __init__(self, house: ColourHouse, link: str = "") -> None:
        self._conversation = house.conversation
        self._link = link
        """Only what is said of this one waits, where it is given."""
        self.reached = asyncio.Event()
        self.go_on = asyncio.Event()

    async def handle(self, event: Incoming) -> AsyncIterator[Reply]:
        async for reply in self._conversation.handle(event):
            if reply.progress is None and (not self._link or getattr(event, "url", "") == self._link):
                self.reached.set()
                await self.go_on.wait()
            yield reply


def below(channel: Channel, asked: Message) -> list[Message]:
    return [one for one in channel.messages.values() if one.reply_to == asked.id]


async def post_link(town: Town, folder: Path, channel: Channel) -> Message:
    link = "https://films.example/posted.mp4"
    town.house.fetcher.web[link] = clips.make_clip(folder / "posted.mp4", [("red", 2), ("green", 3)])
    return await town.fake.post(channel, town.ada, link)


async def ready(town: Town, channel: Channel, asked: Message) -> Message:
    def found() -> Message | None:
        return next((one for one in below(channel, asked) if "Ready to search" in one.text), None)

    return await town.fake.until(found, "the card")


def quiet(caplog: pytest.LogCaptureFixture) -> bool:
    return not [one for one in caplog.records if one.exc_info]


async def test_given_a_deleted_status_when_work_ends_then_a_new_card_is_posted(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        asked = await post_link(town, tmp_path, town.general)
        (status,) = await town.fake.until(lambda: below(town.general, asked), "a status")
        await held.reached.wait()
        await town.fake.remove(status)
        held.go_on.set()
        card = await ready(town, town.general, asked)
        assert card.id != status.id
        assert quiet(caplog)


async def test_given_a_status_taken_back_when_work_ends_then_nothing_is_posted(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        asked = await post_link(town, tmp_path, town.general)
        (status,) = await town.fake.until(lambda: below(town.general, asked), "a status")
        await held.reached.wait()
        await house.ledger.take_cards_back(town.scope(str(town.general.id)), str(asked.id))
        await town.fake.until(lambda: status.id not in town.general.messages, "the status gone")
        held.go_on.set()
        await settled(town)
        assert below(town.general, asked) == []
        assert quiet(caplog)


async def test_given_a_forgotten_card_when_the_last_word_comes_then_it_stays(
    house: ColourHouse, tmp_path: Path
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        asked = await post_link(town, tmp_path, town.general)
        (status,) = await town.fake.until(lambda: below(town.general, asked), "a status")
        await held.reached.wait()
        shown = parts_of(house).shown_messages
        await shown.show(town.scope(str(town.general.id)), str(status.id), ["a video that is not kept"])
        await town.fake.until(lambda: "was forgotten" in status.text, "the status taken back")
        held.go_on.set()
        await settled(town)
        assert [one.id for one in below(town.general, asked)] == [status.id]
        assert "was forgotten" in status.text


async def test_given_a_link_edited_away_when_put_back_then_it_has_a_card_again(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with a_town(house) as town:
        asked = await post_link(town, tmp_path, town.general)
        first, link = await ready(town, town.general, asked), asked.content
        await town.fake.change(asked, "nothing")
        await town.fake.until(lambda: first.id not in town.general.messages, "the card gone")
        await town.fake.change(asked, link)
        assert (await ready(town, town.general, asked)).id != first.id


async def test_given_a_brief_first_run_when_the_next_starts_then_it_looks_back(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with FakeDiscord() as fake:
        guild = Guild("A server")
        town = Town(fake, house, grace_of(house, fake.moved), guild, guild.channel("general"), User("Ada"), User("Bob"))
        await fake.join(guild)
        async with running(fake, house, town.grace):
            pass
        asked = await post_link(town, tmp_path, town.general)
        async with running(fake, house, town.grace):
            await ready(town, town.general, asked)


async def test_given_a_message_not_written_down_when_restarted_then_it_is_done(
    house: ColourHouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, real = asyncio.Event(), house.ledger.is_on

    async def is_on(_scope: Scope, *, by_default: bool) -> bool:
        reached.set()
        await asyncio.Event().wait()
        return by_default

    async with FakeDiscord() as fake:
        guild = Guild("A server")
        town = Town(fake, house, grace_of(house, fake.moved), guild, guild.channel("general"), User("Ada"), User("Bob"))
        await fake.join(guild)
        await house.ledger.remember("discord:alive", str(new_id(time.time() - 600)))
        async with running(fake, house, town.grace, alive_every_s=0.05):
            await noted(house, int(await house.ledger.recall("discord:alive")))
            monkeypatch.setattr(house.ledger, "is_on", is_on)
            asked = await post_link(town, tmp_path, town.general)
            await reached.wait()
            await noted(house, int(await house.ledger.recall("discord:alive")))
        monkeypatch.setattr(house.ledger, "is_on", real)
        async with running(fake, house, town.grace):
            await ready(town, town.general, asked)


async def noted(house: ColourHouse, before: int) -> None:
    """Wait until it is noted twice that nothing was missed, after an earlier note."""
    for _ in range(2):
        async with asyncio.timeout(60):
            while (alive := int(await house.ledger.recall("discord:alive") or 0)) <= before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        before = alive


async def test_given_a_deleted_reply_when_the_answer_comes_then_one_word_follows(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        held.go_on.set()
        await town.post(tmp_path, town.general, "known.mp4")
        held.go_on.clear()
        held.reached.clear()
        it = await town.fake.typed(town.general, town.ada, "/find green")
        await held.reached.wait()
        assert it.original is not None
        await town.fake.remove(it.original)
        held.go_on.set()
        said = await town.answer(it, "was deleted")
        assert said.is_ephemeral
        await settled(town)
        assert len(it.whispers) == 1
        assert quiet(caplog)


async def test_given_a_deleted_channel_when_its_video_is_done_then_no_bug_logged(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        gone = await town.create("gone")
        asked = await post_link(town, tmp_path, gone)
        await town.fake.until(lambda: below(gone, asked), "a status")
        await held.reached.wait()
        town.guild.channels.remove(gone)  # the answer is quicker than the event
        held.go_on.set()
        await logged(caplog, "The channel is gone")
        assert quiet(caplog)


async def test_given_a_deleted_message_when_its_press_is_done_then_they_are_told(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = Held(house)
    async with a_town(house, conversation=held) as town:
        held.go_on.set()
        await town.post(tmp_path, town.general, "known.mp4")
        card = await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        await settled(town)
        held.go_on.clear()
        held.reached.clear()
        it = await town.fake.press(card, "As softmax", town.bob)
        await held.reached.wait()
        await town.fake.remove(card)
        held.go_on.set()
        assert (await town.answer(it, "was deleted")).is_ephemeral
        assert quiet(caplog)


async def test_given_a_long_outage_when_restarted_then_the_question_is_answered(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with FakeDiscord() as fake:
        grace, guild = grace_of(house, fake.moved), Guild("A server")
        town = Town(fake, house, grace, guild, guild.channel("general"), User("Ada"), User("Bob"))
        async with running(fake, house, grace, retry_s=(0.05, 0.05)):
            await fake.join(guild)
            await town.post(tmp_path, town.general, "known.mp4")
            await town.answer(await fake.typed(town.general, town.ada, "/find green"), "Moment 1")
            await settled(town)
            fake.is_unwell = True
            asked = await post_link(town, tmp_path, town.general)
            it = await fake.typed(town.general, town.ada, "/find green")
            await logged(caplog, "no answer stands yet", 2)
            house.begin_run()
            assert str(asked.id) in {one.message for one in await house.ledger.unsettled("discord")}
            assert [one for one in await house.runner.jobs.left("discord") if one.request.kind == "find"]
            fake.is_unwell = False
        async with running(fake, house, grace):
            await ready(town, town.general, asked)
            await town.answer(it, "Moment 1")
            await settled(town)
    assert quiet(caplog)


async def settled(town: Town) -> None:
    """Wait until all that was asked for is ended."""
    async with asyncio.timeout(60):
        while await town.house.library.connections.rows("SELECT id FROM jobs WHERE ended_s IS NULL", {}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_given_throttled_reactions_when_mentioned_then_no_answer_waits(
    house: ColourHouse, tmp_path: Path
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "known.mp4")
        town.fake.rate_limits.append((r"/channels/\d+/messages/\d+/reactions", 40.0))
        asked = await town.fake.post(town.general, town.ada, f"<@{KEATON.id}> green")
        answered = lambda: [one for one in below(town.general, asked) if "Moment 1" in one.text]  # noqa: E731
        await town.fake.until(answered, "the answer", within_s=30.0)
        assert not town.fake.rate_limits


async def test_given_several_links_when_the_first_is_done_then_the_eyes_stay(
    house: ColourHouse, tmp_path: Path
) -> None:
    links = [f"https://films.example/{name}.mp4" for name in ("one", "two")]
    held = Held(house, links[1])
    async with a_town(house, conversation=held) as town:
        for number, link in enumerate(links):
            house.fetcher.web[link] = clips.make_clip(tmp_path / f"{number}.mp4", [("red", 2), ("green", 2 + number)])
        asked = await town.fake.post(town.general, town.ada, " ".join(links))
        await ready(town, town.general, asked)
        await held.reached.wait()
        assert asked.reactions == ["👀"]
        held.go_on.set()
        await town.fake.until(lambda: not asked.reactions, "the eyes gone")


async def test_given_a_card_refused_in_every_form_then_a_sign_is_below_the_link(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        town.fake.refuses_posts = True
        asked = await post_link(town, tmp_path, town.general)
        await town.fake.until(lambda: "⚠️" in asked.reactions, "the sign")
        await settled(town)
        assert quiet(caplog)


async def test_given_late_suggestions_when_typing_then_no_traceback_is_logged(
    house: ColourHouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with a_town(house) as town:
        await town.post(tmp_path, town.general, "known.mp4")
        late, town.fake.desk.ack_within_s = town.fake.late_acks, -1.0
        await town.fake.suggest(town.general, town.ada, "kno")
        await town.fake.until(lambda: town.fake.late_acks > late, "a late answer")
        town.fake.desk.ack_within_s = 3.0
        await town.answer(await town.fake.typed(town.general, town.ada, "/find green"), "Moment 1")
        assert quiet(caplog)
