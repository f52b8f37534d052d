"""Keaton among several spaces, with a ledger of who posted what where: whatever it says is held against that.

Every posting and every link has a word of its own, and every film has one: where a word turns up, it was leaked or not.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from core.departures import Grace
from core.talk import FilePosted, LinkPosted
from storage.departures import SqliteDepartures
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import build, looking
from tests.core.fakes import ColourEncoder
from tests.walls.eyes import Eyes, scope_of
from tests.walls.fakes import PaintedReader, TellingClipper, TellingFetcher, TellingPlotter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from core.model import Scope
    from core.talk import Reply, Turn
    from tests.core.conftest import ColourHouse
    from tests.walls.spaces import Person, Room, Space

GRACE_S = 100.0
WORD = re.compile(rb"(?:film|post|link)\d{5}x")


@dataclass(eq=False)
class Posted:
    """One act of posting, as the yardstick knows it."""

    space: Space
    room: Room
    who: Person
    message: str
    words: frozenset[bytes]
    """That of the film, of the posting, and of its link or file."""


@dataclass
class Town:
    """All spaces and the product that serves them."""

    folder: Path
    spaces: list[Space]
    eyes: Eyes = field(default_factory=Eyes)
    posted: list[Posted] = field(default_factory=list)
    away: dict[Scope, float] = field(default_factory=dict)
    """Where Keaton was removed from, and since when by the running clock."""
    clock_s: float = 1000.0
    dead: set[bytes] = field(default_factory=set)
    checks: int = 0
    """How many answers were held against what their readers may see."""
    answers: int = 0
    """How many of them had something to show."""
    _numbers: int = 0
    _open: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start(self) -> None:
        data = self.folder / "data"
        library = await SqliteLibrary.open(data / "keaton.sqlite3")
        self._open.push_async_callback(library.close)
        media = await MediaFolder.open(data / "media", 10**9)
        self._open.push_async_callback(media.close)
        looks = await self._open.enter_async_context(looking(library))
        self.fetcher = TellingFetcher({})
        reader = cast("Any", PaintedReader())
        others = self.fetcher, TellingPlotter(), TellingClipper()
        self.house: ColourHouse = build(library, media, reader, ColourEncoder(), looks, others)
        departures = SqliteDepartures(library.connections)
        self.grace = Grace(departures, media, lambda: self.clock_s, GRACE_S, 1.0)

    async def stop(self) -> None:
        await self._open.aclose()

    async def restart(self) -> None:
        """Let the program end and begin anew: its clock begins anew too, and all that it held in memory is gone."""
        pages = self.fetcher.pages
        await self.grace.look()
        await self.stop()
        self._open = AsyncExitStack()
        self.clock_s += 5.0
        await self.start()
        self.fetcher.pages = pages

    def word(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers:05}x"

    async def post(self, space: Space, room: Room, who: Person, film: int, link: str, message: str = "") -> Reply:
        """Post a film, as a link where one is given, else as a file; a message may bring several."""
        own, content = self.word("post"), f"film{film:05}x"
        turn = self.eyes.own(space, who, room)
        turn = replace(turn, user_name=f"{who.name} {own}", message=message or f"m{own[4:]}")
        turn = replace(turn, message_url=f"https://chat.test/{own}")
        if link:
            name = re.findall(r"link\d{5}x", link)[0]
            event: FilePosted | LinkPosted = LinkPosted(turn, link)
        else:
            name = self.word("link")
            path = self.folder / f"{name}.mp4"
            path.write_bytes(content.encode())
            event = FilePosted(turn, path, path.name)
        said = await self.house.say(event)
        words = frozenset(one.encode() for one in (own, content, name))
        if said[-1].tone == "plain":
            known = [one for one in self.posted if self._is_same(one, turn, content)]
            if not known:
                self.posted.append(Posted(space, room, who, turn.message, words))
        for reply in said:
            self.hold(reply, self._readers(space, room, who) if not reply.private else [who], space, words)
        return said[-1]

    def _is_same(self, one: Posted, turn: Turn, content: str) -> bool:
        return (
            scope_of(one.space, one.room) == turn.scope
            and one.message == turn.message
            and content.encode() in one.words
        )

    def _readers(self, space: Space, room: Room, who: Person) -> list[Person]:
        return [*space.audience(room), who]

    def gone(self, some: Iterable[Posted]) -> None:
        """Note that postings are not there any more."""
        for one in list(some):
            self.posted.remove(one)
            self.dead |= one.words

    def readable(self, space: Space, who: Person) -> list[Posted]:
        """Give what somebody can read."""
        return [one for one in self.posted if one.space is space and space.reads(who, one.room)]

    def visible(self, space: Space, who: Person) -> set[bytes]:
        """Give all words that somebody may come across."""
        return {word for one in self.readable(space, who) for word in one.words}

    def hold(
        self, reply: Reply, readers: Iterable[Person], space: Space, granted: frozenset[bytes] = frozenset()
    ) -> None:
        """Hold an answer against what each of its readers may see; `granted` they were shown just now anyway."""
        self.checks += 1
        found = set(WORD.findall(_all_of(reply)))
        self.answers += bool(found)
        for who in readers:
            leaked = found - self.visible(space, who) - granted
            assert not leaked, f"{leaked} shown to {who.name} of {space.name}: {reply.title} {reply.text}"

    async def hold_disk(self) -> None:
        """See that nothing lives on of what was taken back: in no table, no file."""
        gone = self.dead - {word for one in self.posted for word in one.words}
        if not gone:
            return
        tables = await self.house.library.connections.rows("SELECT name FROM sqlite_master WHERE type = 'table'", {})
        for (name,) in tables:
            for row in await self.house.library.connections.rows(f"SELECT * FROM {name}", {}):  # noqa: S608
                kept = b" ".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
                left = set(WORD.findall(kept)) & gone
                assert not left, f"{left} live on in {name}"
        for path in (self.folder / "data" / "media").glob("*"):
            if path.is_file():
                assert not set(WORD.findall(path.read_bytes())) & gone, "a file lives on"


def _all_of(reply: Reply) -> bytes:
    """Give all that a reply shows or hides, in one piece."""
    pictures = [data for one in reply.pictures for data in (one.alt.encode(), *one.data.values())]
    files = [value for one in vars_of(reply) if isinstance(value := getattr(reply, one), bytes)]
    words = repr((reply.text, reply.title, reply.buttons, reply.links, reply.progress)).encode()
    return b" ".join([words, *pictures, *files])


def vars_of(reply: Reply) -> Iterable[str]:
    return type(reply).__dataclass_fields__
