"""A door that dies is opened again, and the others do not notice."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest

from bot.cli.run import keep_open
from core.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Sequence


class FakeDoor:
    """A door that dies of each of some errors in turn, then stays open."""

    def __init__(self, *deaths: Exception, open_s: float = 0.0) -> None:
        self._deaths = list(deaths)
        self._open_s = open_s
        self.openings = 0
        self.is_open = asyncio.Event()

    async def run(self) -> None:
        self.openings += 1
        await asyncio.sleep(self._open_s)
        if self._deaths:
            raise self._deaths.pop(0)
        self.is_open.set()
        await asyncio.Event().wait()


async def serve(
    door: FakeDoor, *, is_only: bool = False, settled_s: float = 3600.0, waits: Sequence[float] = (0.0,)
) -> None:
    task = asyncio.create_task(keep_open("Discord", door, is_only=is_only, reopen_s=waits, settled_s=settled_s))
    opened = asyncio.create_task(door.is_open.wait())
    await asyncio.wait({task, opened}, timeout=30, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        opened.cancel()
        task.result()
    assert opened.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("is_only", [True, False])
async def test_given_a_door_that_dies_then_it_is_opened_again(
    caplog: pytest.LogCaptureFixture, *, is_only: bool
) -> None:
    door = FakeDoor(KeyError("author"), ValueError("x"))
    await serve(door, is_only=is_only)
    assert door.openings == 3
    assert "the door to Discord is shut" in caplog.text


async def test_given_a_wrong_token_at_the_start_then_the_program_ends() -> None:
    with pytest.raises(BadSetting):
        await serve(FakeDoor(BadSetting("DISCORD_TOKEN", "wrong")))


async def test_given_a_token_taken_back_then_it_ends_only_without_another_door(
    caplog: pytest.LogCaptureFixture,
) -> None:
    revoked = BadSetting("DISCORD_TOKEN", "Discord does not accept it")
    with caplog.at_level(logging.ERROR):
        await serve(FakeDoor(revoked, open_s=0.01), settled_s=0.0)
    assert "DISCORD_TOKEN is wrong" in caplog.text
    with pytest.raises(BadSetting):
        await serve(FakeDoor(revoked, open_s=0.01), is_only=True, settled_s=0.0)


async def test_given_doors_that_die_again_and_again_then_they_open_more_rarely(
    caplog: pytest.LogCaptureFixture,
) -> None:
    door = FakeDoor(*(KeyError() for _ in range(4)))
    await serve(door, waits=(0.001, 0.002, 0.003))
    shut = [record.args for record in caplog.records if "is shut" in record.message]
    assert [args[2] for args in shut if isinstance(args, tuple)] == [0.001, 0.002, 0.003, 0.003]
