"""A state machine that posts, deletes, edits, asks, presses and changes permissions at random, and looks for leaks."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from core.model.events import Forget, MessageDeleted
from tests.walls.asking import Asking
from tests.walls.changing import Changing
from tests.walls.eyes import scope_of
from tests.walls.ground import numbers
from tests.walls.strangers import Strangers
from tests.walls.waiting import Waiting

if TYPE_CHECKING:
    from tests.walls.spaces import Space
    from tests.walls.town import Posted


class Walls(Asking, Changing, Waiting, Strangers):
    """All that people do, the taking back of it, and what attackers do among them."""

    @initialize(n=numbers)
    def begin(self, n: int) -> None:
        for video in range(4):
            self._post(n + video * 7, video, is_link=video % 2 == 0)

    @rule(n=numbers, video=st.integers(0, 5), is_link=st.booleans())
    def post(self, n: int, video: int, is_link: bool) -> None:
        self._post(n, video, is_link=is_link)

    def _post(self, n: int, video: int, *, is_link: bool, message: str = "") -> None:
        if (place := self._pick(n)) and not self.town.is_held(video):
            self._do(self.town.post(*place, video, self._link(n, video) if is_link else "", message))

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers)
    def delete_message(self, n: int) -> None:
        one = self.town.posted[n % len(self.town.posted)]
        turn = replace(self.town.eyes.own(one.space, one.who, one.room), message=one.message)
        assert self._say(MessageDeleted(turn)) == []
        same = [it for it in self.town.posted if it.message == one.message and it.room is one.room]
        self.town.gone(same)

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers, video=st.integers(0, 5))
    def edit_message(self, n: int, video: int) -> None:
        """Add a link to a message that stands."""
        one = self.town.posted[n % len(self.town.posted)]
        if not self._is_away(one.space, one.room) and not self.town.is_held(video):
            self._do(self.town.post(one.space, one.room, one.who, video, self._link(n, video), one.message))

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers, k=numbers)
    def forget(self, n: int, k: int) -> None:
        """Take a video back by its name: as who posted it, as a moderator, or as neither."""
        one = self.town.posted[n % len(self.town.posted)]
        people = one.space.audience(one.room)
        if not people or self._is_away(one.space, one.room):
            return
        who = people[k % len(people)]
        turn = self.town.eyes.own(one.space, who, one.room)
        video = next(word for word in one.words if word.startswith(b"video"))
        here = self._in_view(one.space, turn.view.channels, video)
        moderates = one.space.moderates(who, one.room)
        mine = here if moderates else [it for it in here if it.who is who]
        named = self.loop.run_until_complete(self.town.house.library.videos(turn.view))
        ids = [it.video.id for it in named if video in it.video.title.encode() or it.video.id == self._id_of(video)]
        if not ids:
            assert not here, "a video that can be read here is not listed"
            return
        reply = self._say(Forget(turn, ids[0]))[-1]
        self._hold(reply, one.space, one.room, who, is_private=True)
        assert (reply.tone == "plain") == bool(mine), (reply.text, mine)
        self.town.gone(mine)

    def _in_view(self, space: Space, channels: frozenset[str], video: bytes) -> list[Posted]:
        return [
            one
            for one in self.town.posted
            if one.space is space and scope_of(space, one.room).channel in channels and video in one.words
        ]

    @invariant()
    def nothing_lives_on(self) -> None:
        self.tally.steps += 1
        if self.tally.steps % 10 == 0:
            self._do(self.town.hold_disk())
