"""Random steps of people who ask, browse, vote and look things up. What they are shown is held against the walls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from core.conversation.commands import find
from core.model.events import Action, Find, ListVideos, Status
from tests.walls.eyes import scope_of
from tests.walls.ground import WHERE, Ground, Shown, numbers

if TYPE_CHECKING:
    from core.model.reply import Reply
    from core.model.video import Scope
    from tests.walls.spaces import Person, Room, Space


class Asking(Ground):
    """People who want to see something."""

    @rule(n=numbers, colour=st.sampled_from(["red", "green", "blue"]), where=st.sampled_from(WHERE))
    def search(self, n: int, colour: str, where: str) -> None:
        place = self._pick(n)
        if place is None:
            return
        space, room, who = place
        turn, is_private = self.town.eyes.asked(space, who, room, where)
        reply = self._say(Find(turn, colour))[-1]
        is_private = is_private or reply.private
        self._hold(reply, space, room, who, is_private=is_private)
        if reply.buttons:
            self.shown.append(Shown(space, room, who if is_private else None, reply.buttons))
        if not is_private or where == "all I can read":
            self._must_find(reply, turn.scope, space, room, who)

    def _must_find(self, reply: Reply, scope: Scope, space: Space, room: Room, who: Person) -> None:
        """See that the walls have doors: what was posted right here is found here."""
        if self.town.edition:
            return  # embeddings of another model cannot be searched any more
        if any(scope_of(one.space, one.room) == scope for one in self.town.readable(space, who)):
            public = all(space.reads(one, room) for one in space.audience(room))
            assert reply.tone == "plain" or not public, reply.text

    @precondition(lambda self: self.shown)
    @rule(n=numbers, k=numbers)
    def press(self, n: int, k: int) -> None:
        one = self.shown[-1 - n % min(12, len(self.shown))]
        people = [one.only_for] if one.only_for else one.space.audience(one.room)
        people = [who for who in people if one.space.sees(who, one.room)]
        if not people or one.room not in one.space.rooms or self._is_away(one.space, one.room):
            return
        who = people[n % len(people)]
        turn = self.town.eyes.pressed(one.space, who, one.room, is_whispered=one.only_for is not None)
        for reply in self._say(Action(turn, one.buttons[k % len(one.buttons)].id)):
            is_private = one.only_for is not None or reply.private
            self._hold(reply, one.space, one.room, who, is_private=is_private)
            if reply.buttons:  # a second earlier, a cut, and what is below that
                self.shown.append(Shown(one.space, one.room, one.only_for, reply.buttons))

    @precondition(lambda self: self.shown)
    @rule(n=numbers, k=numbers)
    def press_elsewhere(self, n: int, k: int) -> None:
        """Press a button that stands in another room, or under an answer for another person."""
        one, place = self.shown[k % len(self.shown)], self._pick(n)
        if place is None:
            return
        space, room, who = place
        turn = self.town.eyes.pressed(space, who, room, is_whispered=False)
        for reply in self._say(Action(turn, one.buttons[k % len(one.buttons)].id)):
            self._hold(reply, space, room, who, is_private=reply.private)
            assert reply.tone == "error" or (space, room) == (one.space, one.room)

    @rule(n=numbers)
    def list_videos(self, n: int) -> None:
        if place := self._pick(n):
            space, room, who = place
            turn = self.town.eyes.own(space, who, room)
            for event in (ListVideos(turn), Status(turn)):
                self._hold(self._say(event)[-1], space, room, who, is_private=True)

    @rule(n=numbers, typed=st.sampled_from(["", "a", "link", "video", "sha256"]), where=st.sampled_from(WHERE))
    def suggest(self, n: int, typed: str, where: str) -> None:
        if place := self._pick(n):
            space, room, who = place
            turn, _ = self.town.eyes.asked(space, who, room, where)
            videos = self.loop.run_until_complete(self.town.house.conversation.videos.suggest(turn.view, typed))
            may = self.town.visible(space, who)
            for video in videos:
                self.town.checks += 1
                assert video.title.split()[-1].encode() in may, video

    @rule(n=numbers, k=numbers, where=st.sampled_from(WHERE), beside=st.sampled_from(["in", "from", "both"]))
    def search_with_filters(self, n: int, k: int, where: str, beside: str) -> None:
        """Ask for what one person posted, or for what was posted in some room, be it one that the asker cannot see."""
        place = self._pick(n)
        if place is None:
            return
        space, room, who = place
        there, them = space.rooms[k % len(space.rooms)], space.people[k % len(space.people)]
        words = {"in": f"in:{there.name}", "from": f"from:{them.name}", "both": f"in:{there.name} from:{them.name}"}
        turn, is_private = self.town.eyes.asked(space, who, room, where)
        event = replace(find(turn, f"green {words[beside]}"), rooms=self.town.eyes.rooms(space, who, room))
        reply = self._say(event)[-1]
        self._hold(reply, space, room, who, is_private=is_private or reply.private)
        if reply.tone == "plain" and beside != "in":
            self.town.hold_videos(reply, [one for one in self.town.posted if one.space is space and one.who is them])

    @precondition(lambda self: self.shown)
    @rule(n=numbers, k=numbers)
    def vote(self, n: int, k: int) -> None:
        """Vote on what an answer shows, or take that back; others see the count, and no more of it."""
        one = self.shown[-1 - n % min(12, len(self.shown))]
        ways = [button for button in one.buttons if button.id.startswith("vote:")]
        people = [one.only_for] if one.only_for else one.space.audience(one.room)
        people = [who for who in people if one.space.sees(who, one.room)]
        if not ways or not people or one.room not in one.space.rooms or self._is_away(one.space, one.room):
            return
        who = people[k % len(people)]
        turn = self.town.eyes.pressed(one.space, who, one.room, is_whispered=one.only_for is not None)
        for reply in self._say(Action(turn, ways[k % len(ways)].id)):
            is_private = one.only_for is not None or reply.private
            self._hold(reply, one.space, one.room, who, is_private=is_private)
