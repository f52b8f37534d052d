"""Places that Keaton was removed from: what it knows from there goes after a while. Owns when; knows no platform.

Only time that Keaton runs counts, by a clock that nobody sets: a calendar that jumps ahead must not purge early.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import AppError

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.model import Scope

log = logging.getLogger(__name__)

WHOLE = ""
"""In the place of a channel: all of a space."""


@dataclass(frozen=True, slots=True)
class Departure:
    """A space or channel that Keaton is out of."""

    scope: Scope
    """Its channel is WHOLE for a whole space."""
    waited_s: float
    """For how long, as far as Keaton ran."""


class Departures(Protocol):
    """Remembers them across restarts. Each method may raise StorageUnusable."""

    async def leave(self, scope: Scope) -> None:
        """Note that Keaton is out of there; an earlier note of it stays as it is."""
        ...

    async def come_back(self, scope: Scope) -> None:
        """Note that Keaton is there again."""
        ...

    async def wait(self, elapsed_s: float) -> tuple[Departure, ...]:
        """Note that so much more time has passed, and give all departures."""
        ...

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Give the channels of a platform that films are known from."""
        ...

    async def purge(self, scope: Scope) -> tuple[str, ...]:
        """Delete all that is kept of a space or channel; give the films that went with it."""
        ...


class Files(Protocol):
    """Lets go of files."""

    async def forget(self, video_id: str) -> None:
        """Delete the kept file of a film that went."""
        ...


class Grace:
    """Lets go of what was left, some time later."""

    def __init__(
        self, departures: Departures, files: Files, clock_s: Callable[[], float], grace_s: float, every_s: float
    ) -> None:
        """Take a clock that only ever goes forward, and how often to look."""
        self._departures = departures
        self._files = files
        self._clock_s = clock_s
        self._grace_s = grace_s
        self._every_s = every_s
        self._looked_s = clock_s()

    async def left(self, scope: Scope) -> None:
        """Note that Keaton was removed from a space or channel."""
        log.info("removed from %s %s %s", scope.platform, scope.space, scope.channel or "as a whole")
        await self.look()  # time that passed before does not count for it
        await self._departures.leave(scope)

    async def back(self, scope: Scope) -> None:
        """Note that Keaton is in a space or channel."""
        await self._departures.come_back(scope)

    async def gone(self, scope: Scope) -> None:
        """Delete all that is known of a space or channel that does not exist any more."""
        for video_id in await self._departures.purge(scope):
            await self._files.forget(video_id)

    async def places(self, platform: str) -> tuple[Scope, ...]:
        """Give the channels of a platform that films are known from."""
        return await self._departures.places(platform)

    async def look(self) -> None:
        """Purge what has waited for long enough."""
        now_s = self._clock_s()
        elapsed_s, self._looked_s = now_s - self._looked_s, now_s
        for departure in await self._departures.wait(max(0.0, elapsed_s)):
            if departure.waited_s >= self._grace_s:
                log.info("the grace period of %s %s is over", departure.scope.platform, departure.scope.space)
                await self.gone(departure.scope)

    async def run(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(self._every_s)
            try:
                await self.look()
            except AppError:
                log.exception("what was left could not be purged; it is tried again")
