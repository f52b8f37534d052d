"""Who may read what, said in few words: the yardstick of the walls."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

VIEW, HISTORY, CONNECT, ADMIN, MODERATE = 1 << 10, 1 << 16, 1 << 20, 1 << 3, 1 << 13
SWITCHED = (VIEW, HISTORY, CONNECT, ADMIN, MODERATE)
"""The permissions that people grant and take away here."""

_ids = itertools.count(5_000_000_000_000_000)


@dataclass(eq=False)
class Person:
    name: str
    roles: set[int] = field(default_factory=set)
    id: int = field(default_factory=lambda: next(_ids))


@dataclass(eq=False)
class Room:
    """A channel or thread."""

    name: str
    kind: Literal["text", "voice", "open thread", "closed thread"] = "text"
    parent: Room | None = None
    inside: set[int] = field(default_factory=set)
    """Ids of the people in it: of a closed thread, or of a channel of a workspace."""
    exceptions: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Allowed and denied bits, by the id of a role, of a person, or of the server for everybody."""
    id: int = field(default_factory=lambda: next(_ids))


class Space:
    """A server, a workspace, or one person's machine."""

    platform = ""

    def __init__(self, name: str, people: Iterable[Person], rooms: Iterable[Room]) -> None:
        self.name = name
        self.people = list(people)
        self.rooms = list(rooms)
        self.is_left = False

    def sees(self, who: Person, room: Room) -> bool:
        """Tell whether a person sees what is said in a room from now on."""
        raise NotImplementedError

    def reads(self, who: Person, room: Room) -> bool:
        """Tell whether a person can read what was said in a room before."""
        raise NotImplementedError

    def moderates(self, who: Person, room: Room) -> bool:
        """Tell whether a person may take back what others posted."""
        raise NotImplementedError

    def audience(self, room: Room) -> list[Person]:
        """Return all who see what is said in a room."""
        return [who for who in self.people if self.sees(who, room)]


class Server(Space):
    """Discord: roles and exceptions."""

    platform = "discord"

    def __init__(self, name: str, people: Iterable[Person], rooms: Iterable[Room], roles: dict[int, int]) -> None:
        super().__init__(name, people, rooms)
        self.id = next(_ids)
        self.roles = roles | {self.id: VIEW | HISTORY | CONNECT}

    def bits(self, who: Person, room: Room) -> int:
        """Return a person's permissions, as Discord's documentation works them out."""
        held = self.roles[self.id]
        for role in who.roles:
            held |= self.roles[role]
        if held & ADMIN:
            return sum(SWITCHED)
        of = (room.parent or room).exceptions
        held = _with(held, of.get(self.id, (0, 0)))
        mine = [of[role] for role in who.roles if role in of]
        held = _with(held, (_any(allow for allow, _ in mine), _any(deny for _, deny in mine)))
        return _with(held, of.get(who.id, (0, 0)))

    def sees(self, who: Person, room: Room) -> bool:
        is_in = room.kind != "closed thread" or who.id in room.inside or bool(self.bits(who, room) & ADMIN)
        return is_in and bool(self.bits(who, room) & VIEW)

    def reads(self, who: Person, room: Room) -> bool:
        bits, is_voice = self.bits(who, room), room.kind == "voice"
        return self.sees(who, room) and bool(bits & HISTORY) and (not is_voice or bool(bits & CONNECT))

    def moderates(self, who: Person, room: Room) -> bool:
        return bool(self.bits(who, room) & MODERATE)


class Workspace(Space):
    """Slack: who is in a channel sees it."""

    platform = "slack"

    def sees(self, who: Person, room: Room) -> bool:
        return who.id in room.inside

    def reads(self, who: Person, room: Room) -> bool:
        return self.sees(who, room)

    def moderates(self, who: Person, room: Room) -> bool:
        return who is self.people[0] and self.sees(who, room)


class Machine(Space):
    """The local chat: its user sees all."""

    platform = "local"

    def sees(self, who: Person, room: Room) -> bool:
        return who in self.people and room in self.rooms

    def reads(self, who: Person, room: Room) -> bool:
        return self.sees(who, room)

    def moderates(self, who: Person, room: Room) -> bool:
        return self.sees(who, room)


def _with(held: int, exception: tuple[int, int]) -> int:
    allow, deny = exception
    return held & ~deny | allow


def _any(bits: Iterable[int]) -> int:
    found = 0
    for one in bits:
        found |= one
    return found
