"""In which workspace and channels Keaton is; tells the grace period where it was removed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from bot.slack.config import DOOR
from core.model.video import Scope
from core.ports.retention import WHOLE

if TYPE_CHECKING:
    from core.ports.jobs import Ledger
    from core.retention import DepartureGrace


class SlackPresence:
    """Tells the grace period where Keaton is and where it is not any more."""

    def __init__(self, grace: DepartureGrace, team_id: str) -> None:
        self._grace = grace
        self._team_id = team_id

    async def left(self, channel: str = WHOLE) -> None:
        """Keaton was removed from the workspace, or from a channel of it."""
        await self._grace.left(Scope(DOOR.platform, self._team_id, channel))

    async def back(self, channel: str = WHOLE) -> None:
        """Keaton is in the workspace, or in a channel of it."""
        await self._grace.back(Scope(DOOR.platform, self._team_id, channel))

    async def deleted(self, channel: str) -> None:
        """Forget what a channel held; once more later, for a video that was on its way."""
        await self._grace.gone(Scope(DOOR.platform, self._team_id, channel))
        await self.left(channel)


async def signed_in(grace: DepartureGrace, ledger: Ledger, token: str, team_id: str) -> None:
    """Note whose token it is, and that Keaton is there."""
    await ledger.remember(_note(token), team_id)
    await SlackPresence(grace, team_id).back()


async def refused(grace: DepartureGrace, ledger: Ledger, token: str) -> None:
    """Let the grace period of the workspace begin that a token was good for once."""
    if team_id := await ledger.recall(_note(token)):
        await SlackPresence(grace, team_id).left()


def _note(token: str) -> str:
    return f"slack:token:{hashlib.sha256(token.encode()).hexdigest()[:16]}"
