"""Where waiting videos stand in the queue, said in one message of a channel.

Platforms count edits of all messages together, and each step of the queue would edit every waiting one. So the video
that has waited longest shows its position and how many come after it; the others say only that they wait.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.model.reply import Reply


class WaitingLines:
    """Remembers which videos wait in which channel."""

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, None]] = {}
        self._numbers = itertools.count()

    async def told(self, replies: AsyncIterator[Reply], channel: str) -> AsyncIterator[Reply]:
        """Yield the replies about one video as they are to be shown in a channel."""
        number = next(self._numbers)
        try:
            async for reply in replies:
                if reply.progress is None or reply.progress.stage != "waiting":
                    self._leave(channel, number)
                    yield reply
                else:
                    yield self._waiting(reply, channel, number)
        finally:
            self._leave(channel, number)

    def _waiting(self, reply: Reply, channel: str, number: int) -> Reply:
        line = self._lines.setdefault(channel, {})
        line[number] = None
        if next(iter(line)) == number:
            after = len(line) - 1
            words = f" {after} more of this channel {'waits' if after == 1 else 'wait'} after it."
            return replace(reply, text=reply.text + words) if after else reply
        progress = replace(reply.progress, ahead=0) if reply.progress else None
        return replace(reply, text="Waiting for my turn…", progress=progress)

    def _leave(self, channel: str, number: int) -> None:
        line = self._lines.get(channel, {})
        line.pop(number, None)
        if not line:
            self._lines.pop(channel, None)
