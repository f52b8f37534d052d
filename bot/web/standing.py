"""Where on the page an answer stands, as it is written down with its request. Does nothing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """What the next run needs, so that a message goes on where it stood; fields may be added, with defaults."""

    answer: int = 0
    """The id of Keaton's message, or 0 where it was not said beforehand."""
    question: int = 0
    """That of the message which is answered; 0 for the press of a button."""
    text: str = ""
    """What was written there."""
    file: str = ""
    """The name of the file that was posted there."""
    size_bytes: int = 0
    at_s: float = 0.0
    """When, in Unix seconds."""
    part: int = 0
    """Which of the things that the text asks for."""
    alone: bool = True
    """It asks for nothing else."""
    refines: str = ""
    """The answer whose question the text refines."""
    pressed: int = 0
    """The message whose button was pressed."""
    tab: str = ""
    """Who asked."""

    def json(self) -> str:
        """Give it as it is written down."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, text: str) -> Standing:
        """Give what `json` gave, in this version or an earlier one."""
        return cls(**json.loads(text or "{}"))

    @property
    def at(self) -> datetime:
        """Give when it was asked."""
        return datetime.fromtimestamp(self.at_s, UTC)

    @property
    def body(self) -> dict[str, object]:
        """Give the message that asked, as the page shows it."""
        said: dict[str, object] = {"text": self.text}
        return {**said, "file": {"name": self.file, "size_bytes": self.size_bytes}} if self.file else said
