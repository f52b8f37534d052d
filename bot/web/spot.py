"""Where the replies of one turn appear in the channel. Must not know what they answer, nor HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.web.render import face, picture_key

if TYPE_CHECKING:
    from bot.lastword import Say
    from bot.web.channel import Channel
    from bot.web.pictures import PictureShelf
    from core.shown import Reply


@dataclass(slots=True)
class Spot:
    """Shows replies as one message of Keaton's, or in place of the message whose button was pressed."""

    channel: Channel
    shelf: PictureShelf
    say: Say
    """Whether no later press decides what stands there."""
    tab: str | None
    """Who asked: private replies go there alone. None is nobody in particular: all see them."""
    pressed: int | None = None
    """The message whose button was pressed."""
    puts_back: bool = False
    """That stood in an earlier run's log, which is gone with it."""
    suggestions: tuple[str, ...] = ()
    """What the page offers to type below the reply once it is no progress any more."""
    question: int | None = None
    """The message that is answered, where this is its only answer: it is as private as the answer."""
    run: str = ""
    """Names this run of the page: its messages are counted from 1 each time."""
    own: int | None = None
    """The id that is reserved for its own message, if one is."""
    _stands: bool = False
    _keys: tuple[str, ...] = ()
    _under_way: Reply | None = None
    """What stands under the pressed button while more of it is to come."""

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Give the message that shows it, and the keys of its pictures."""
        shown = self.own if self._stands else self.pressed
        return ("" if shown is None else f"{self.run}:{shown}"), self._keys

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply in its place."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        for picture in reply.pictures:
            self.shelf.keep(picture)
        self._keys = tuple(picture_key(picture) for picture in reply.pictures)
        if reply.updates and self.pressed is not None:
            await self._replace(self.pressed, reply)
            self._under_way = reply if reply.progress else None
        else:
            if self._under_way is not None and self.pressed is not None:  # something went wrong
                await self._replace(self.pressed, replace(self._under_way, progress=None))
                self._under_way = None
            async with self.say.at(str(self.own or "")) as may:
                if may:
                    self._speak(reply)

    async def _replace(self, message: int, reply: Reply) -> None:
        async with self.say.at(str(message)) as may:
            if may and self.puts_back and message not in self.channel:
                self.channel.add(message, "keaton", self._body(reply, message))
            elif may:
                self.channel.change(message, self._body(reply, message))

    def _speak(self, reply: Reply) -> None:
        audience = self.tab if reply.private else None
        own = self.own = self.channel.reserve() if self.own is None else self.own
        if not self._stands:
            self.channel.add(own, "keaton", self._body(reply, own), audience)
            self._stands = True
        else:
            self.channel.change(own, self._body(reply, own))
            self.channel.show_to(own, audience)
        if self.question is not None:
            self.channel.show_to(self.question, audience)

    def _body(self, reply: Reply, message: int) -> dict[str, object]:
        offers = [] if reply.progress or reply.tone == "error" else list(self.suggestions)
        private = reply.private and self.tab is not None
        return {**face(reply, message), "private": private, "suggestions": offers}
