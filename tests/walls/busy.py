"""A town where videos take their time: one is held in the middle, and others may wait for it. Survives restarts."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from core.model.events import LinkPosted
from tests.walls.town import Town

if TYPE_CHECKING:
    from tests.walls.spaces import Person, Room, Space
    from tests.walls.town import UnderWay


class BusyTown(Town):
    """A town, and what is under way in it."""

    async def restart(self) -> None:
        """Let the program end and begin anew: its clock begins anew too, and all that it held in memory is gone."""
        pages = self.fetcher.pages
        await self.grace.purge()
        await self.drop()
        await self.stop()
        self._open = AsyncExitStack()
        self.clock_s += 5.0
        await self.start()
        self.fetcher.pages = pages
        await self._take_up()

    async def begin(self, space: Space, room: Room, who: Person, video: int, link: str) -> None:
        """Have a video indexed up to its middle, or queued behind itself; one that is known is answered at once."""
        one = await self.ask(space, room, who, video, link)
        if one is None:
            return
        self.reader.held.setdefault(one.content, asyncio.Event())
        self.under_way.append(one)
        await self._go_on(one)

    async def _go_on(self, one: UnderWay) -> None:
        self.reader.reached.clear()
        one.task = asyncio.create_task(self.house.say(one.taken.event))
        reached = asyncio.create_task(self.reader.reached.wait())
        is_first = self.under_way[0] is one
        await asyncio.wait({one.task, reached}, timeout=60 if is_first else 0.05, return_when=asyncio.FIRST_COMPLETED)
        reached.cancel()
        assert one.task.done() or self.reader.reached.is_set() or not is_first, "neither held nor answered"
        if one.task.done():
            await self._finish(one)

    async def _finish(self, one: UnderWay) -> None:
        assert one.task is not None
        said = await asyncio.wait_for(one.task, 60)
        self.under_way.remove(one)
        await self.answered(one, said)

    async def finish_all(self) -> None:
        """Let all videos be indexed to their end."""
        for event in self.reader.held.values():
            event.set()
        for one in tuple(self.under_way):
            await self._finish(one)
        self.reader.held.clear()

    async def dropped(self, one: UnderWay) -> None:
        """See that a video is not indexed any more, and let the next who wait for it begin."""
        assert one.task is not None
        said = await asyncio.wait_for(one.task, 60)
        assert all(reply.tone == "error" or reply.progress for reply in said), [reply.text for reply in said]
        self.under_way.remove(one)
        await self.requests.end(one.taken)
        if not self.under_way:
            self.reader.held.clear()

    def is_held(self, video: int) -> bool:
        """Tell whether a video is half indexed: who posts it now waits for that."""
        return f"video{video:05}x".encode() in self.reader.held

    async def drop(self) -> None:
        """Let the program die over what is under way."""
        tasks = [one.task for one in self.under_way if one.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_up(self) -> None:
        """Do as the doors do after a restart: all that was open is taken up, and nothing else is."""
        left = [job for kind in ("discord", "slack", "local") for job in await self.house.runner.jobs.left(kind)]
        assert sorted(job.request.key.message for job in left) == sorted(one.message for one in self.under_way)
        for one in tuple(self.under_way):
            taken = await self.requests.take(one.taken.key, LinkPosted(one.taken.event.turn, one.link))
            assert taken is not None, "an open request is not taken up again"
            one.taken = taken
            self.reader.held.setdefault(one.content, asyncio.Event())
        for one in tuple(self.under_way):
            await self._go_on(one)
