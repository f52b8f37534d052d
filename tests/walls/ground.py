"""The people and places that the random steps are about, and how they speak to Keaton."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from core.ports.retention import WHOLE
from tests.walls.busy import BusyTown
from tests.walls.eyes import scope_of
from tests.walls.fakes import Page
from tests.walls.spaces import MODERATE, VIEW, Machine, Person, Room, Server, Workspace

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from core.model.reply import Button, Reply
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
    attacks: int = 0
    """Links that were posted by a person who chose an id, a spelling, a redirect, or what is behind them."""


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


class Ground(RuleBasedStateMachine):
    """Many people, one Keaton, and a way to speak to it as anybody; has no rule of its own."""

    tally: ClassVar[Tally] = Tally()

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp(prefix="walls-"))
        spaces = [a_server("North"), a_server("South"), a_workspace("T1"), a_workspace("T2")]
        self.town = BusyTown(self.folder, [*spaces, Machine("home", [Person("you")], [Room("main")])])
        self.shown: list[Shown] = []
        self.links: list[tuple[int, str]] = []
        self.traps: list[str] = []
        """Links that attackers' servers answer."""
        self.tried: set[tuple[Space, str]] = set()
        """Links that were posted, and in which space."""
        self._do(self.town.start())

    def teardown(self) -> None:
        try:
            self._do(self.town.hold_disk())
        finally:  # or its threads would keep the process from ending
            self._do(self.town.drop())
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
        """Return a person who is in some room where Keaton is."""
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

    def _hold(self, reply: Reply, space: Space, room: Room, who: Person, *, is_private: bool) -> None:
        self.town.hold(reply, [who] if is_private else [*space.audience(room), who], space)

    def _id_of(self, content: bytes) -> str:
        """Return the id that a video with these bytes is kept by."""
        return "sha256:" + hashlib.sha256(content).hexdigest()[:32]

    def _link(self, n: int, video: int) -> str:
        """Return a link to that video, one that was posted before or a new one."""
        known = [link for one, link in self.links if one == video]
        if known and n % 2:
            return known[n % len(known)]
        name = self.town.word("link")
        link = f"https://films.example/{name}.mp4"
        self.town.fetcher.pages[link] = Page(f"video{video:05}x".encode(), f"A page about {self.town.word('name')}")
        self.links.append((video, link))
        return link
