"""What people of a town take back: videos that they cancel, forget or delete. Knows no platform's protocol."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord_world import BOT_ID
from tests.support.discord.looking import READY, cards_below

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.crash.town import Town
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Message

_LEFT = "I leave that video alone"
_GONE = "that was shown here was forgotten"
FORGOTTEN = "forgotten here meanwhile"
"""What is said of a video that was forgotten while it was under way."""


@dataclass
class Regrets:
    """What was taken back there, and what must have become of it in the end."""

    town: Town
    deleted: dict[Path, Message] = field(default_factory=dict)
    """Videos that went with their messages."""
    forgotten: dict[Path, Interaction] = field(default_factory=dict)
    """By /forget."""
    cancelled: dict[Path, Interaction] = field(default_factory=dict)
    """While they were under way."""

    @property
    def taken(self) -> frozenset[Path]:
        """Return the videos that people take back."""
        return frozenset((*self.deleted, *self.forgotten, *self.cancelled))

    @property
    def promised(self) -> frozenset[Path]:
        """Return the videos of which nothing may be left."""
        forgotten = [video for video, it in self.forgotten.items() if it.ack_s is not None]
        return frozenset((*self.deleted, *forgotten))

    @property
    def unkept(self) -> list[Interaction]:
        """Return what was acknowledged and is not answered."""
        promised = [it for it in self.forgotten.values() if it.ack_s is not None]
        return [it for it in promised if it.shown is None or not it.shown.text]

    async def delete(self) -> None:
        """Delete a message that brought a video, wherever that stands."""
        if some := [one for one in self.town.posted if self._is_dear(self.town.videos.get(one.id))]:
            message = self.town.chance.choice(some)
            self.town.posted.remove(message)
            self.deleted[self.town.videos.pop(message.id)] = message
            await self.town.fake.remove(message)

    async def forget(self) -> None:
        """Use /forget for a video that is there."""
        if ready := [video for card, video in self._cards() if READY in card.text]:
            video = self.town.chance.choice(ready)
            it = await self.town.fake.slash(self.town.square, self.town.ada, "forget", video=video.stem)
            self.forgotten[video] = it

    async def cancel(self) -> None:
        """Press Cancel under a video on its way."""
        if under_way := [(card, video) for card, video in self._cards() if "Cancel" in card.buttons]:
            card, video = self.town.chance.choice(under_way)
            self.cancelled[video] = await self.town.fake.press(card, "Cancel", self.town.ada)

    def _cards(self) -> Iterator[tuple[Message, Path]]:
        for message in self.town.posted:
            video = self.town.videos.get(message.id)
            if video and self._is_dear(video):
                yield from ((card, video) for card in cards_below(message))
        yield from ((it.shown, video) for it, video in self.town.indexed if it.shown and self._is_dear(video))

    def _is_dear(self, video: Path | None) -> bool:
        return video is not None and video not in self.taken

    def wrongs(self, kept: set[str]) -> Iterator[str]:
        """Say what is left of what was taken back, of videos that are kept by title; and what was promised in vain."""
        yield from (f"{video.name} was taken back and is kept" for video in self.promised if video.stem in kept)
        for it in self.forgotten.values():
            if it.ack_s is not None and (it.shown is None or "Forgotten: " not in it.shown.text):
                yield f"/forget was answered with {it.shown and it.shown.text!r}"
        for video, it in self.cancelled.items():
            if it.ack_s is not None and video.stem in kept and not it.whispers:
                yield f"{video.name} was cancelled and is kept"
        ours = [one for one in self.town.square.messages.values() if one.author.id == BOT_ID and not one.only_for]
        for video, message in self.deleted.items():
            yield from (f"the card of {video.name} is left: {one.text!r}" for one in ours if one.reply_to == message.id)
        for video in self.promised:
            names = re.compile(rf"\b{video.stem}\b(?!: \d+% indexed so far)")  # an answer about another video said so
            yield from (f"{video.name} is still shown: {one.history}" for one in ours if names.search(one.text))


def is_taken_back(message: Message) -> bool:
    """Tell whether what a message showed was taken back, or will never come."""
    return _GONE in message.text or _LEFT in message.text or message.id not in message.channel.messages
