"""Why a link brings no film. Owns data; sentences stand in core.sentences."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import TryLater, UserError


@dataclass(eq=False)
class LinkRefused(UserError):
    """The link leads where Keaton does not go."""

    url: str
    why: str
    """"scheme", "private", "port", "malformed" or "site"."""
    host: str = ""
    """Where the link leads on to, in place of its own host."""


@dataclass(eq=False)
class VideoUnavailable(UserError):
    """The site does not give the film out."""

    url: str
    why: str
    """"no_video", "not_found", "hidden", "login", "age", "robot", "live", "geo", "removed", "circles",
    "no_site", "truncated", "empty" or "unsupported"."""
    detail: str = ""


@dataclass(eq=False)
class FetchFailed(TryLater):
    """The network, or the other side, did not play along."""

    url: str
    why: str
    """"dns", "tls", "refused", "timeout", "slow", "broken", "http" or "other"."""
    detail: str = ""
