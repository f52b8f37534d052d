"""What is too much is refused with a sentence that names the limit; no queue is filled, no video tried for ever."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest

from core.errors import DecoderDied, GivenUp, OverLimit, QueueFull
from core.indexing.queue import VideoTurns
from core.limits import Quantity, quantity
from core.model.events import Door, LinkPosted
from core.model.video import Scope
from core.ports.video import VideoEnded
from core.rate_limit import RateLimit
from core.wording.errors import sentence
from tests.core.conftest import poster, turn

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

    from core.model.events import Turn
    from core.model.reply import Progress
    from core.model.video import Preprocess, Sampling, Still
    from core.ports.video import Reading, ResumePoint
    from tests.core.conftest import ColourHouse

HERE = Scope("discord", "guild", "main")
LINK = "https://films.example/colours.mp4"


def shared(user: str = "u1") -> Turn:
    return replace(turn(), door=Door("discord", ("dark",), 25, shared=True), user_id=user)


def unheard(_progress: Progress) -> None:
    """Take a report and do nothing."""


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (OverLimit("a", "duration_s", 18000, 90000), "a is 25:00:00 long; I take videos of up to 5:00:00."),
        (OverLimit("a", "size_bytes", 2e9, 1e10), "a has 10 GB; I take up to 2 GB."),
        (OverLimit("a", "size_bytes", 2e9), "a is too large; I take up to 2 GB."),
        (OverLimit("a", "frame_px", 36e6, 1.6e9), "(1,600 million pixels); I read up to 36 million"),
        (OverLimit("a", "frames", 2e6, 2e6 + 1), "more than 2,000,000 frames"),
        (OverLimit("a", "decode_s", 7200), "more than 2 hours of computing"),
        (OverLimit("a", "memory_bytes", 2e9), "more memory than I give to one video (2 GB)"),
        (QueueFull(10), "10 videos with me"),
        (GivenUp("a"), "leave it alone"),
    ],
)
def test_given_a_limit_when_exceeded_then_its_sentence_names_it(
    error: OverLimit | QueueFull | GivenUp, part: str
) -> None:
    assert part in sentence(error)


def test_given_a_childs_word_when_no_known_quantity_then_not_believed() -> None:
    assert [quantity(name) for name in get_args(Quantity)] == list(get_args(Quantity))
    assert quantity("wishes") is None


def test_given_one_person_when_too_many_wait_then_the_next_is_refused() -> None:
    queue = RateLimit(0, lambda: 0.0, most_videos=2)
    with queue.place(shared()), queue.place(shared()):
        with pytest.raises(QueueFull), queue.place(shared()):
            pass
        with queue.place(shared("u2")), queue.place(replace(shared(), late=True)), queue.place(turn()):
            pass
    with queue.place(shared()), queue.place(shared()):
        pass


async def test_given_a_broken_decoder_when_twice_then_the_video_is_left_alone() -> None:
    turns = VideoTurns(2, 2)
    for _ in range(2):
        with pytest.raises(DecoderDied):
            async with turns.turn(LINK, HERE, unheard):
                raise DecoderDied("a.mp4", "signal SIGSEGV")
    with pytest.raises(GivenUp):
        async with turns.turn(LINK, HERE, unheard):
            pytest.fail("it was tried once more")
    async with turns.turn(LINK + "2", HERE, unheard):
        pass


async def test_given_a_video_over_limits_when_posted_again_then_it_is_not_read() -> None:
    turns = VideoTurns(2, 2)
    for _ in range(3):
        with pytest.raises(OverLimit) as raised:
            async with turns.turn(LINK, HERE, unheard):
                raise OverLimit("a.mp4", "decode_s", 5)
    assert raised.value.limit == 5


async def test_given_one_space_when_it_posts_much_then_others_have_places() -> None:
    turns = VideoTurns(2, 1)
    elsewhere = Scope("discord", "another guild", "main")
    waiting = asyncio.Event()

    async def second() -> None:
        async with turns.turn("b", HERE, lambda _: waiting.set()):
            pass

    async with asyncio.timeout(20), turns.turn("a", HERE, unheard):
        task = asyncio.create_task(second())
        await waiting.wait()
        async with turns.turn("c", elsewhere, unheard):
            assert not task.done()
    await task


async def test_given_a_waiting_twin_when_others_come_then_it_lends_its_place() -> None:
    turns, has_begun = VideoTurns(2, 2), asyncio.Event()
    elsewhere = Scope("discord", "another guild", "main")

    async def second() -> None:
        async with turns.turn(LINK, elsewhere, unheard):
            has_begun.set()
            async with turns.video("sha256:same"):
                pass

    async with asyncio.timeout(20), turns.turn(LINK, HERE, unheard), turns.video("sha256:same"):
        task = asyncio.create_task(second())
        await has_begun.wait()
        async with turns.turn("another", HERE, unheard):
            assert not task.done()
    await task


async def test_given_a_public_video_when_two_spaces_post_then_one_waits_alone() -> None:
    turns, elsewhere = VideoTurns(3, 1), Scope("discord", "another guild", "main")
    begun: list[str] = []

    async def take(scope: Scope) -> None:
        async with turns.turn(LINK, scope, unheard, None, "public"):
            begun.append(scope.space)

    async with asyncio.timeout(20), turns.turn("what its space is busy with", HERE, unheard):
        waits = asyncio.create_task(take(HERE))
        await asyncio.sleep(0)
        await take(elsewhere)
        assert begun == ["another guild"]
    await waits
    async with asyncio.timeout(20), turns.turn(LINK, HERE, unheard, None, "public"):
        waits = asyncio.create_task(take(elsewhere))
        for _ in range(20):
            await asyncio.sleep(0)
        assert begun == ["another guild", "guild"]
    await waits


async def test_given_two_channels_when_one_link_is_posted_then_one_fetch(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    said = await asyncio.gather(
        house.last(LinkPosted(turn("one", "home", "discord"), LINK)),
        house.last(LinkPosted(turn("two", "home", "discord"), LINK + "?utm_source=x")),
    )
    assert house.fetcher.fetched == [LINK]
    assert all(reply.tone == "plain" for reply in said)


async def test_given_two_spaces_when_one_link_is_posted_then_indexed_once(
    house: ColourHouse, colour_video: Path
) -> None:
    house.fetcher.web[LINK] = colour_video
    said = await asyncio.gather(
        house.last(LinkPosted(turn("one", "home", "discord"), LINK)),
        house.last(LinkPosted(turn("two", "away", "slack"), LINK)),
    )
    assert (house.fetcher.fetched, sum(house.encoder.batches)) == ([LINK, LINK], 3)
    assert all(reply.tone == "plain" for reply in said)


async def test_given_a_hostile_video_when_searched_again_then_it_is_not_read(
    house: ColourHouse, tmp_path: Path
) -> None:
    house.fetcher.web[LINK] = tmp_path / "absent"
    (tmp_path / "absent").write_bytes(b"no video")
    died = _DyingReader()
    house.relays.reader.target = died
    said = [(await house.last(LinkPosted(turn(), LINK))).text for _ in range(3)]
    assert died.times == 2
    assert "leave it alone" in said[2]


class _DyingReader:
    """A decoder that always dies."""

    def __init__(self) -> None:
        self.times = 0

    async def frames(
        self,
        path: Path,
        sampling: Sampling,  # noqa: ARG002 - the port names them
        preprocess: Preprocess,  # noqa: ARG002
        seen: ResumePoint | None = None,  # noqa: ARG002
    ) -> AsyncGenerator[Reading, None]:
        self.times += 1
        for error in (DecoderDied(path.name, "signal SIGSEGV"),):
            raise error
        yield VideoEnded(truncated=True, reached_s=0.0)

    async def still(self, path: Path, time_s: float, max_px: int) -> Still:  # noqa: ARG002
        raise DecoderDied(path.name)


async def test_given_a_link_to_several_when_posted_then_the_first_is_said(
    house: ColourHouse, colour_video: Path
) -> None:
    from core.wording import replies  # noqa: PLC0415

    indexed = await house.indexer.file(colour_video, "colours.mp4", "", poster(), unheard)
    assert "several videos" not in replies.indexed(indexed, None, turn()).text
    assert "this is the first" in replies.indexed(replace(indexed, several=True), None, turn()).text
