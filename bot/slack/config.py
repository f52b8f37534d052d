"""Settings of the Slack door, and Slack's limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.doors.delivery import RETRY_S
from bot.doors.pace import Budget
from core.model.events import Door
from core.model.video import Scope

DOOR = Door(
    platform="slack",
    themes=("light",),
    max_moments=5,
    shared=True,
    grouped=frozenset({"videos", "index", "forget", "status", "help"}),
    max_upload_bytes=100_000_000,
    moving="gif",
)


SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:write",
    "users:read",
)
"""What the manifest asks for; it gives a reason for each."""


POSTS = Budget(burst=4, every_s=1.0, kept=2)
""""Posting one message per second per channel", and short bursts of more."""
REACTIONS = Budget(burst=12, every_s=1.6, kept=0)
"""`reactions.add` and `reactions.remove` are of tier 3 too, each by itself."""
UPDATES = Budget(burst=12, every_s=1.6, kept=8)
"""These make 49 within any minute, of the 50 that tier 3 allows."""


FILE_LOOKS = Budget(burst=10, every_s=0.7, kept=3)
"""`files.info` is of tier 4: some 100 a minute; these make 95."""
DELETIONS = Budget(burst=12, every_s=1.6, kept=0)
"""`files.delete` and `chat.delete` are of tier 3, each by itself."""

READINGS = Budget(burst=12, every_s=1.6, kept=0)
"""`conversations.history` and `conversations.replies` are of tier 3 for an app of one's own, each by itself."""


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """Settings of this door."""

    bot_token: str
    app_token: str
    api_base: str = ""
    """Another place of Slack's Web API, or ""; for tests."""
    min_gap_s: float = 3.0
    """Between two edits of one message."""
    retry_s: tuple[float, ...] = RETRY_S
    """When a last reply that could not be shown is tried again."""
    picture_polls_s: tuple[float, ...] = (1.5, 1.0, 1.5, 2.0, 3.0, 4.0)
    """Pauses while Slack digests an upload, the first before it is asked at all: mostly an event tells before that.

    After the last of them the picture goes into the thread.
    """
    pictures: Literal["shared", "inline"] = "shared"
    """"inline" shows uploads that were shared nowhere, which Slack may show to nobody but Keaton."""
    post_again_s: tuple[float, ...] = (0.5, 2.0)
    """Pauses before a post is looked for, and tried again, that Slack may have carried out."""
    posts: Budget = POSTS
    """Of `chat.postMessage` in one channel."""
    updates: Budget = UPDATES
    """Of `chat.update` in the workspace."""
    reactions: Budget = REACTIONS
    """Of `reactions.add` and of `reactions.remove`."""
    file_looks: Budget = FILE_LOOKS
    """Of `files.info`."""
    deletions: Budget = DELETIONS
    """Of `files.delete` and of `chat.delete`, where pictures go."""
    timeout_s: float = 60.0
    """For one request to Slack, an upload too."""
    ping_every_s: float = 5.0
    home_pictures: int = 20
    """Pictures of videos that are kept uploaded for the App Home of one person: four pages of the list."""
    forgotten_every_s: float = 2.0
    """How often it is looked whether shown videos were forgotten."""
    alive_every_s: float = 30.0
    """How often it is noted that nothing was missed so far."""
    read_again_s: tuple[float, ...] = (30.0, 120.0, 600.0, 3600.0)
    """When a channel is read back again that could not be."""
    readings: Budget = READINGS
    """Of the methods that read channels and threads back."""
    silence_s: float = 600.0
    """After that long without a word from Slack the connection is made anew."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The workspace that a bot token belongs to."""

    team_id: str
    bot_id: str
    """The user id of Keaton there."""
    name: str
    """What people mention it by."""
    url: str
    """Ends with a slash."""
    missing: tuple[str, ...] = ()
    """Scopes of `SCOPES` that the token lacks."""
    bot_profile_id: str = ""
    """What Slack marks Keaton's own messages by."""

    def scope(self, channel: str) -> Scope:
        """Return the scope of a channel."""
        return Scope(DOOR.platform, self.team_id, channel)

    def permalink(self, channel: str, ts: str, thread_ts: str = "") -> str:
        """Return where people can see a message."""
        place = f"{self.url}archives/{channel}/p{ts.replace('.', '')}"
        return f"{place}?thread_ts={thread_ts}&cid={channel}" if thread_ts and thread_ts != ts else place
