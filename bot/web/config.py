"""Settings of the local chat; defaults stand in `bot.settings`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.web.access import new_token
from bot.web.banner import BannerBoard
from bot.web.connections import ConnectionLimits
from core.model.events import Door
from core.model.video import Scope, View

if TYPE_CHECKING:
    from pathlib import Path

DOOR = Door(platform="local", themes=("light", "dark"), max_moments=50, draws_plots=True)


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of the local chat."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 picks a free one."""
    token: str = field(default_factory=new_token, repr=False)
    """Shown by every request that is more than a part of the page itself."""
    upload_limit_bytes: int = 2_000_000_000
    """Of one file."""
    uploads: int = 50
    """Files that may be on their way or wait to be looked at, at the same time."""
    uploads_limit_bytes: int = 10_000_000_000
    """Of these together."""
    upload_timeout_s: float = 3600.0
    """How long one file may be on its way."""
    connections: ConnectionLimits = field(default_factory=ConnectionLimits)
    space: str = "home"
    channel: str = "main"
    banner: BannerBoard = field(default_factory=BannerBoard)
    """What stands at the top of the page."""
    upload_dir: Path | None = None
    """Where posted files lie until they were answered, also over a restart; None is a folder that goes at the end."""
    log_limit: int = 500
    """Messages that the page shows; older ones go."""
    picture_limit_bytes: int = 96_000_000
    """Pictures kept in memory; the longest unseen go first."""
    forgotten_every_s: float = 1.0
    """How often it is looked whether shown videos were forgotten."""
    min_gap_s: float = 0.12
    """Between two edits of one message."""

    @property
    def scope(self) -> Scope:
        """Return the page's channel."""
        return Scope(DOOR.platform, self.space, self.channel)

    @property
    def view(self) -> View:
        """Return what an answer on the page may draw on."""
        return View.of(self.scope)
