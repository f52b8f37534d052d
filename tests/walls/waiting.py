"""Random steps around videos under way: half indexed, queued, cancelled, deleted, let go.

While one is held in the middle all other steps go on: what is searched is half of it, and the walls may move.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from core.model.actions import Cancel
from core.model.events import Action, MessageDeleted
from tests.walls.ground import Ground, numbers


class Waiting(Ground):
    """People who post long videos, and change their minds."""

    @rule(n=numbers, video=st.integers(0, 5))
    def post_a_long_video(self, n: int, video: int) -> None:
        """Post a link to a video that takes its time; while one does, this or another link to it queues behind it."""
        place = self._pick(n)
        if place is None or self.town.edition:
            return  # after a change of the model a search waits for a video that is indexed anew: here for ever
        held = self.town.under_way[0] if self.town.under_way else None
        video = int(held.content[5:10]) if held else video
        link = held.link if held and n % 3 else self._link(n, video)
        self._do(self.town.begin(*place, video, link))

    @precondition(lambda self: self.town.under_way)
    @rule(n=numbers)
    def let_it_go(self, n: int) -> None:
        """Let the video be indexed to its end, for all who wait for it."""
        del n
        self._do(self.town.finish_all())

    @precondition(lambda self: self.town.under_way)
    @rule(n=numbers, k=numbers)
    def cancel(self, n: int, k: int) -> None:
        """Press Cancel: as who posted it, as a moderator, or as neither."""
        one = self.town.under_way[n % len(self.town.under_way)]
        people = one.space.audience(one.room)
        if not people or self._is_away(one.space, one.room):
            return
        who = people[k % len(people)]
        turn = self.town.eyes.pressed(one.space, who, one.room, is_whispered=False)
        said = self._say(Action(turn, Cancel(one.job_id).id))  # nothing, where its card tells it
        may = who is one.who or turn.moderator or not turn.door.shared
        assert (not said or said[-1].tone == "plain") == may, said
        if may:
            self.town.standing |= {word for word in one.words if word.startswith((b"link", b"name"))}
            self._do(self.town.dropped(one))

    @precondition(lambda self: self.town.under_way)
    @rule(n=numbers)
    def delete_while_under_way(self, n: int) -> None:
        """Delete the message that brought it."""
        one = self.town.under_way[n % len(self.town.under_way)]
        turn = replace(self.town.eyes.own(one.space, one.who, one.room), message=one.message)
        assert self._say(MessageDeleted(turn)) == []
        self._do(self.town.dropped(one))
        self.town.gone([one, *(it for it in self.town.posted if it.message == one.message and it.room is one.room)])
