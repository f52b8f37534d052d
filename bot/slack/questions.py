"""What somebody says to Keaton, by a mention or behind /keaton, as an event. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.conversation.commands import parse_about
from core.model.events import Find, LinkPosted, Status, Switch, Unclear

if TYPE_CHECKING:
    from bot.slack.config import Workspace
    from core.model.events import Incoming, PictureFile, Turn


def asked(
    turn: Turn, words: str, workspace: Workspace, picture: PictureFile | None = None, answer_id: str = ""
) -> Incoming:
    """Give the event that words ask for, beside a picture or in an answer's thread, where there is one.

    Words that are no command are a search.
    """
    match words.strip().lower():
        case "on" | "off" as wanted:
            return Switch(turn, wanted == "on")
        case "status":
            return Status(turn, "channels:history" in workspace.missing, workspace.missing)
        case _:
            return parse_about(turn, words, picture, answer_id)[0]


def commanded(turn: Turn, words: str, workspace: Workspace) -> Incoming:
    """Give the event that words behind /keaton ask for: a command, or links. Others are none, and no search for all."""
    event = asked(turn, words, workspace)
    name = words.strip().removeprefix("/").partition(" ")[0].lower()
    return Unclear(turn, words) if isinstance(event, Find) and name != "find" else event


def is_public(event: Incoming) -> bool:
    """Tell whether the answer to a command is for the whole channel."""
    return isinstance(event, Find | LinkPosted | Switch)
