"""A state machine that posts, deletes, edits, asks, presses and changes permissions at random, and looks for leaks."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.departures import WHOLE
from core.ledger import Errand
from core.talk import Action, Find, Forget, ListVideos, MessageDeleted, Status
from tests.walls.eyes import scope_of
from tests.walls.spaces import (
    ADMIN,
    CONNECT,
    HISTORY,
    MODERATE,
    SWITCHED,
    VIEW,
    Machine,
    Person,
    Room,
    Server,
    Workspace,
)
from tests.walls.town import GRACE_S, Posted, Town

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from core.model import Scope
    from core.talk import Button, Reply
    from tests.walls.spaces import Space

numbers = st.integers(0, 10**6)
WHERE = ("this channel", "this server", "all I can read")


@dataclass
class Shown:
    """An answer with buttons, and who sees it."""

    space: Space
    room: Room
    only_for: Person | None
    buttons: tuple[Button, ...]


@dataclass
class Tally:
    """What all runs together came to."""

    steps: int = 0
    checks: int = 0
    answers: int = 0


def a_server(name: str) -> Server:
    people = [Person(one) for one in ("Ada", "Bob", "Cleo")]
    crew, staff, mods = 7001, 7002, 7003
    general, private = Room("general"), Room("private")
    rooms = [general, private, Room("stage", "voice"), Room("talk", "open thread", general)]
    rooms.append(Room("aside", "closed thread", private, {people[0].id}))
    server = Server(name, people, rooms, {crew: VIEW, staff: 0, mods: MODERATE})
    people[0].roles |= {staff, mods}
    private.exceptions |= {server.id: (0, VIEW), staff: (VIEW, 0)}
    return server


def a_workspace(name: str) -> Workspace:
    people = [Person(one) for one in ("Dan", "Eve", "Fay")]
    everybody = {who.id for who in people}
    return Workspace(name, people, [Room("C1", inside=set(everybody)), Room("C2", inside={people[1].id})])


class Walls(RuleBasedStateMachine):
    """Many people, one Keaton."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="walls-"))
        spaces = [a_server("North"), a_server("South"), a_workspace("T1"), a_workspace("T2")]
        self.town = Town(self.folder, [*spaces, Machine("home", [Person("you")], [Room("main")])])
        self.shown: list[Shown] = []
        self.links: list[tuple[int, str]] = []
        self._do(self.town.start())

    def teardown(self) -> None:
        self._do(self.town.hold_disk())
        self._do(self.town.stop())
        self.loop.close()
        shutil.rmtree(self.folder)
        self.tally.checks += self.town.checks
        self.tally.answers += self.town.answers

    def _do(self, work: Coroutine[object, object, object]) -> object:
        return self.loop.run_until_complete(work)

    def _say(self, event: object) -> list[Reply]:
        async def say() -> list[Reply]:
            return await self.town.house.say(event)  # type: ignore[arg-type]

        return self.loop.run_until_complete(say())

    def _pick(self, n: int) -> tuple[Space, Room, Person] | None:
        """Give somebody who is in some room where Keaton is."""
        places = [
            (space, room, who)
            for space in self.town.spaces
            for room in space.rooms
            for who in space.people
            if space.sees(who, room) and not self._is_away(space, room)
        ]
        return places[n % len(places)] if places else None

    def _is_away(self, space: Space, room: Room) -> bool:
        there = scope_of(space, room)
        return there in self.town.away or replace(there, channel=WHOLE) in self.town.away

    @initialize(n=numbers)
    def begin(self, n: int) -> None:
        for film in range(4):
            self._post(n + film * 7, film, is_link=film % 2 == 0)

    @rule(n=numbers, film=st.integers(0, 5), is_link=st.booleans())
    def post(self, n: int, film: int, is_link: bool) -> None:
        self._post(n, film, is_link=is_link)

    def _post(self, n: int, film: int, *, is_link: bool, message: str = "") -> None:
        if place := self._pick(n):
            self._do(self.town.post(*place, film, self._link(n, film) if is_link else "", message))

    def _link(self, n: int, film: int) -> str:
        """Give a link to that film, one that was posted before or a new one."""
        known = [link for one, link in self.links if one == film]
        if known and n % 2:
            return known[n % len(known)]
        name = self.town.word("link")
        link = f"https://films.example/{name}.mp4"
        self.town.fetcher.pages[link] = (f"film{film:05}x".encode(), f"A page about {name}")
        self.links.append((film, link))
        return link

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers)
    def delete_message(self, n: int) -> None:
        one = self.town.posted[n % len(self.town.posted)]
        turn = replace(self.town.eyes.own(one.space, one.who, one.room), message=one.message)
        self._do(self.town.house.ledger.begin(Errand(turn.scope, one.message, "film")))
        assert self._say(MessageDeleted(turn)) == []
        same = [it for it in self.town.posted if it.message == one.message and it.room is one.room]
        self.town.gone(same)

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers, film=st.integers(0, 5))
    def edit_message(self, n: int, film: int) -> None:
        """Add a link to a message that stands."""
        one = self.town.posted[n % len(self.town.posted)]
        if not self._is_away(one.space, one.room):
            self._do(self.town.post(one.space, one.room, one.who, film, self._link(n, film), one.message))

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
        if any(scope_of(one.space, one.room) == scope for one in self.town.readable(space, who)):
            public = all(space.reads(one, room) for one in space.audience(room))
            assert reply.tone == "plain" or not public, reply.text

    def _hold(self, reply: Reply, space: Space, room: Room, who: Person, *, is_private: bool) -> None:
        self.town.hold(reply, [who] if is_private else [*space.audience(room), who], space)

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

    @precondition(lambda self: self.shown)
    @rule(n=numbers, k=numbers)
    def press_elsewhere(self, n: int, k: int) -> None:
        """Press a button that stands in another room, or under an answer for somebody else."""
        one, place = self.shown[k % len(self.shown)], self._pick(n)
        if place is None:
            return
        space, room, who = place
        turn = self.town.eyes.pressed(space, who, room, is_whispered=False)
        for reply in self._say(Action(turn, one.buttons[k % len(one.buttons)].id)):
            self._hold(reply, space, room, who, is_private=reply.private)
            assert reply.tone == "error" or (space, room) == (one.space, one.room)

    @rule(n=numbers)
    def list_films(self, n: int) -> None:
        if place := self._pick(n):
            space, room, who = place
            turn = self.town.eyes.own(space, who, room)
            for event in (ListVideos(turn), Status(turn)):
                self._hold(self._say(event)[-1], space, room, who, is_private=True)

    @rule(n=numbers, typed=st.sampled_from(["", "a", "link", "film", "sha256"]), where=st.sampled_from(WHERE))
    def suggest(self, n: int, typed: str, where: str) -> None:
        if place := self._pick(n):
            space, room, who = place
            turn, _ = self.town.eyes.asked(space, who, room, where)
            videos = self.loop.run_until_complete(self.town.house.conversation.suggest(turn.view, typed))
            may = self.town.visible(space, who)
            for video in videos:
                self.town.checks += 1
                assert video.title.split()[-1].encode() in may, video

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers, k=numbers)
    def forget(self, n: int, k: int) -> None:
        """Take a film back by its name: as who posted it, as a moderator, or as neither."""
        one = self.town.posted[n % len(self.town.posted)]
        people = one.space.audience(one.room)
        if not people or self._is_away(one.space, one.room):
            return
        who = people[k % len(people)]
        turn = self.town.eyes.own(one.space, who, one.room)
        film = next(word for word in one.words if word.startswith(b"film"))
        here = self._in_view(one.space, turn.view.channels, film)
        moderates = one.space.moderates(who, one.room)
        mine = here if moderates else [it for it in here if it.who is who]
        named = self.loop.run_until_complete(self.town.house.library.videos(turn.view))
        ids = [it.video.id for it in named if film in it.video.title.encode() or self._is(it.video.id, film)]
        if not ids:
            assert not here, "a film that can be read here is not listed"
            return
        reply = self._say(Forget(turn, ids[0]))[-1]
        self._hold(reply, one.space, one.room, who, is_private=True)
        assert (reply.tone == "plain") == bool(mine), (reply.text, mine)
        self.town.gone(mine)

    def _is(self, video_id: str, film: bytes) -> bool:
        import hashlib  # noqa: PLC0415

        return video_id == "sha256:" + hashlib.sha256(film).hexdigest()[:32]

    def _in_view(self, space: Space, channels: frozenset[str], film: bytes) -> list[Posted]:
        return [
            one
            for one in self.town.posted
            if one.space is space and scope_of(space, one.room).channel in channels and film in one.words
        ]

    @rule(n=numbers, k=numbers, bit=st.sampled_from(SWITCHED), how=st.sampled_from(["allow", "deny", "neither"]))
    def change_exception(self, n: int, k: int, bit: int, how: str) -> None:
        servers = [one for one in self.town.spaces if isinstance(one, Server)]
        server = servers[n % len(servers)]
        rooms = [room for room in server.rooms if not room.parent]
        targets = [*server.roles, *(who.id for who in server.people)]
        room, target = rooms[k % len(rooms)], targets[(n // 7) % len(targets)]
        allow, deny = room.exceptions.get(target, (0, 0))
        allow, deny = allow & ~bit, deny & ~bit
        if bit != ADMIN:
            room.exceptions[target] = (allow | bit * (how == "allow"), deny | bit * (how == "deny"))

    @rule(n=numbers, k=numbers, bit=st.sampled_from([VIEW, HISTORY, CONNECT, MODERATE, ADMIN]))
    def change_role(self, n: int, k: int, bit: int) -> None:
        servers = [one for one in self.town.spaces if isinstance(one, Server)]
        server = servers[n % len(servers)]
        role = list(server.roles)[k % len(server.roles)]
        if bit != ADMIN or role != server.id:
            server.roles[role] ^= bit

    @rule(n=numbers, k=numbers)
    def join_or_leave(self, n: int, k: int) -> None:
        """Give somebody a role or take it; let somebody into a channel or thread, or out of it."""
        space = self.town.spaces[n % 4]
        who = space.people[k % len(space.people)]
        if isinstance(space, Server) and k % 3:
            role = [one for one in space.roles if one != space.id][(n // 4) % 3]
            who.roles ^= {role}
        else:
            room = space.rooms[-1 - (n // 4) % 2]
            room.inside ^= {who.id}

    @rule(n=numbers, is_whole=st.booleans())
    def remove_keaton(self, n: int, is_whole: bool) -> None:
        if (place := self._pick(n)) and place[0].platform != "local":
            scope = scope_of(place[0], place[1])
            scope = replace(scope, channel=WHOLE) if is_whole else scope
            self._do(self.town.grace.left(scope))
            self.town.away.setdefault(scope, self.town.clock_s)

    @precondition(lambda self: self.town.away)
    @rule(n=numbers)
    def add_keaton_again(self, n: int) -> None:
        scope = list(self.town.away)[n % len(self.town.away)]
        self._do(self.town.grace.back(scope))
        del self.town.away[scope]

    @rule(seconds=st.sampled_from([1.0, 30.0, GRACE_S]))
    def let_time_pass(self, seconds: float) -> None:
        self.town.clock_s += seconds
        self._do(self.town.grace.look())
        over = [scope for scope, since in self.town.away.items() if self.town.clock_s - since >= GRACE_S]
        for scope in over:
            self.town.gone([one for one in self.town.posted if _is_within(scope_of(one.space, one.room), scope)])
        known = self.loop.run_until_complete(self._known())
        assert known == {scope_of(one.space, one.room) for one in self.town.posted}, "purged early, late or elsewhere"
        self.town.away = {scope: since for scope, since in self.town.away.items() if scope not in over}

    async def _known(self) -> set[Scope]:
        return {one for kind in ("discord", "slack", "local") for one in await self.town.grace.places(kind)}

    @rule()
    def restart(self) -> None:
        before = self.town.clock_s
        self._do(self.town.restart())
        lost = self.town.clock_s - before  # time that the program did not run does not count
        self.town.away = {scope: since + lost for scope, since in self.town.away.items()}

    @invariant()
    def nothing_lives_on(self) -> None:
        self.tally.steps += 1
        if self.tally.steps % 10 == 0:
            self._do(self.town.hold_disk())


def _is_within(one: Scope, scope: Scope) -> bool:
    return (one.platform, one.space) == (scope.platform, scope.space) and scope.channel in {WHOLE, one.channel}
