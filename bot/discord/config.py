"""Settings of the Discord door, and Discord's limits."""

from __future__ import annotations

from dataclasses import dataclass

from bot.doors.delivery import RETRY_S
from bot.doors.pace import Budget
from core.model.events import Door

DOOR = Door(
    platform="discord",
    themes=("dark",),
    max_moments=5,
    shared=True,
    max_upload_bytes=10 * 1024 * 1024,
)

MOST_REQUEST_BYTES = 25 * 1024 * 1024
MOST_FILE_BYTES = 24 * 1024 * 1024
"""Of one file alone in a request, whatever a server would allow."""

BUDGET = Budget(burst=2, every_s=1.25, kept=1)
"""Discord allows five new messages and five edits of a channel in five seconds."""

REACTIONS = Budget(burst=1, every_s=0.3, kept=0)
"""Discord allows one reaction, set or removed, in 250 ms of a channel."""


@dataclass(frozen=True, slots=True)
class DiscordConfig:
    """Settings of this door."""

    token: str
    api_base: str = ""
    """Another place of Discord's REST interface, or ""; for tests."""
    gateway: str = ""
    """Another place of Discord's gateway, or ""; for tests."""
    min_gap_s: float = 3.0
    """Between two edits of one message."""
    forgotten_every_s: float = 2.0
    """How often it is looked whether shown videos were forgotten."""
    alive_every_s: float = 30.0
    """How often it is noted that nothing was missed so far."""
    budget: Budget = BUDGET
    """Of new messages in a channel, and of edits there."""
    reactions: Budget = REACTIONS
    """Of reactions in a channel."""
    retry_s: tuple[float, ...] = RETRY_S
    """When a last reply that could not be shown is tried again."""
    again_s: tuple[float, ...] = (30.0, 120.0, 600.0, 3600.0)
    """When a channel that could not be read back is tried again."""
