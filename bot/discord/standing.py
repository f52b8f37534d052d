"""Where the answer to an interaction stands, as it is written down before that is acknowledged. Does nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """All that a later run must know to answer in the same place; fields may be added, with defaults."""

    token: str
    """Edits the answer for fifteen minutes."""
    answer: int = 0
    """Keaton's message, or the one whose button was pressed; 0 until Discord said so."""
    everywhere: bool = False
    """A search is for the whole server, or for all that the asker can read."""
    of: int = 0
    """The message whose menu was used."""
    url: str = ""
    """Of a file or a picture that came with the command."""
    words: str = ""
    """What was searched, as it was written."""
    private: bool = False
    """For the asker's eyes alone: once the token has expired nobody can be told."""
    picture: str = ""
    """The name of the picture that came with the command."""
    own: int = 0
    """A message of a press's own, which all see; 0 until there is one."""
    moderator: bool = False
    """The asker could take back what others posted."""

    def text(self) -> str:
        """Give it as JSON."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def read(cls, text: str) -> Standing:
        """Give what `text` gave, in this version or an earlier one."""
        return cls(**{"token": "", **json.loads(text or "{}")})
