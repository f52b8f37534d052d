"""Keaton among several spaces, with a ledger of who posted what where: whatever it says is held against that.

Each posting, each link and each video has a word of its own: where a word turns up, it was leaked or not.
"""

from __future__ import annotations

import re
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast

from bot.doors.requests import RequestLog
from core.model.events import FilePosted, LinkPosted
from core.model.requests import MessageKey
from core.retention import DepartureGrace
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from storage.retention import SqliteDepartures
from tests.core.conftest import build, looking
from tests.support.fakes import ColourEncoder
from tests.walls.eyes import Eyes, scope_of
from tests.walls.fakes import PaintedFramer, PaintedReader, TellingClipper, TellingFetcher, TellingPlotter

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable
    from pathlib import Path

    from bot.doors.requests import AcceptedRequest
    from core.model.events import Turn
    from core.model.reply import Reply
    from core.model.video import Scope
    from tests.core.conftest import ColourHouse
    from tests.walls.spaces import Person, Room, Space

GRACE_S = 100.0
_VOTES_OF_STRANGERS = """
    SELECT 1 FROM (SELECT platform, space, video_id FROM votes UNION ALL SELECT platform, space, video_id FROM ballots)
    AS given WHERE NOT EXISTS (
        SELECT 1 FROM postings WHERE postings.video_id = given.video_id
        AND postings.platform = given.platform AND postings.space = given.space
    )
"""
WORD = re.compile(rb"(?:video|post|link|name)\d{5}x")


@dataclass(eq=False)
class Posted:
    """One act of posting, as the yardstick knows it."""

    space: Space
    room: Room
    who: Person
    message: str
    words: frozenset[bytes]
    """That of the video, of the posting, of its link or file, and of what its page says."""


@dataclass(eq=False)
class UnderWay(Posted):
    """A video that was posted and is yet to be answered."""

    content: bytes
    link: str
    taken: AcceptedRequest
    task: asyncio.Task[list[Reply]] | None = None

    @property
    def job_id(self) -> int:
        assert self.taken.job is not None
        return self.taken.job.id


@dataclass
class Town:
    """All spaces and the product that serves them."""

    folder: Path
    spaces: list[Space]
    eyes: Eyes = field(default_factory=Eyes)
    posted: list[Posted] = field(default_factory=list)
    under_way: list[UnderWay] = field(default_factory=list)
    away: dict[Scope, float] = field(default_factory=dict)
    """Where Keaton was removed from, and since when by the running clock."""
    clock_s: float = 1000.0
    standing: set[bytes] = field(default_factory=set)
    """Links in messages that stand, and their titles, though Keaton was told to leave them alone."""
    dead: set[bytes] = field(default_factory=set)
    edition: int = 0
    """How often the model was changed."""
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
        self.reader = PaintedReader()
        others = self.fetcher, TellingPlotter(), TellingClipper(), PaintedFramer()
        self.house: ColourHouse = build(library, media, cast("Any", self.reader), self._encoder(), looks, others)
        self._open.push_async_callback(self.house.runner.close)
        self._open.push_async_callback(self.house.renewal.close)
        self.requests = RequestLog(self.house.runner, self.house.ledger)
        departures = SqliteDepartures(library.connections)
        self.grace = DepartureGrace(departures, media, lambda: self.clock_s, GRACE_S, 1.0)

    def _encoder(self) -> ColourEncoder:
        return ColourEncoder(f"eyes of edition {self.edition}")

    async def stop(self) -> None:
        await self._open.aclose()

    def word(self, kind: str) -> str:
        self._numbers += 1
        return f"{kind}{self._numbers:05}x"

    async def post(self, space: Space, room: Room, who: Person, video: int, link: str, message: str = "") -> None:
        """Post a video, as a link where one is given, else as a file; a message may bring several."""
        one = await self.ask(space, room, who, video, link, message)
        if one is not None:
            await self.answered(one, await self.house.say(one.taken.event))

    async def ask(
        self, space: Space, room: Room, who: Person, video: int, link: str, message: str = ""
    ) -> UnderWay | None:
        """Have a posted video written down, as the doors do; None where that message brought this link before."""
        own, content = self.word("post"), f"video{video:05}x".encode()
        turn = self.eyes.own(space, who, room)
        turn = replace(turn, user_name=f"{who.name} {own}", message=message or f"m{own[4:]}")
        turn = replace(turn, message_url=f"https://chat.test/{own}")
        if link:
            name = re.findall(r"link\d{5}x", link)[0]
            event: FilePosted | LinkPosted = LinkPosted(turn, link)
            shown = self.fetcher.names(link)
        else:
            name, shown = self.word("link"), b""
            path = self.folder / f"{name}.mp4"
            path.write_bytes(content)
            event = FilePosted(turn, path, path.name)
        taken = await self.requests.take(MessageKey(turn.scope, turn.message, link or name), event)
        words = frozenset((own.encode(), content, name.encode(), *WORD.findall(shown)))
        return UnderWay(space, room, who, turn.message, words, content, link, taken) if taken else None

    async def answered(self, one: UnderWay, said: list[Reply]) -> None:
        """Hold what was said about a posted video against the walls, and note that it is known."""
        await self.requests.end(one.taken)
        space, room, who, turn = one.space, one.room, one.who, one.taken.event.turn
        before = [it for it in self.posted if self._is_same(it, turn, one.content)]
        for it in before:  # a second link to the same video: the message stands for both
            it.words |= one.words
        if said[-1].tone == "plain" and not before:
            self.posted.append(Posted(space, room, who, one.message, one.words))
        for reply in said:
            self.hold(reply, self._readers(space, room, who) if not reply.private else [who], space, one.words)

    def hold_videos(self, reply: Reply, of: Iterable[Posted]) -> None:
        """See that an answer shows no other videos than these."""
        found = {word for word in WORD.findall(all_of(reply)) if word.startswith(b"video")}
        assert found <= {word for one in of for word in one.words}, reply.text

    def _is_same(self, one: Posted, turn: Turn, content: bytes) -> bool:
        return scope_of(one.space, one.room) == turn.scope and one.message == turn.message and content in one.words

    def _readers(self, space: Space, room: Room, who: Person) -> list[Person]:
        return [*space.audience(room), who]

    def gone(self, some: Iterable[Posted]) -> None:
        """Note that postings are not there any more."""
        for one in list(some):
            if one in self.posted:
                self.posted.remove(one)
            self.dead |= one.words

    def readable(self, space: Space, who: Person) -> list[Posted]:
        """Return what a person can read."""
        return [one for one in self.posted if one.space is space and space.reads(who, one.room)]

    def visible(self, space: Space, who: Person) -> set[bytes]:
        """Return all words that a person may come across."""
        coming = [one for one in self.under_way if one.space is space and space.reads(who, one.room)]
        return {word for one in [*self.readable(space, who), *coming] for word in one.words}

    def hold(
        self, reply: Reply, readers: Iterable[Person], space: Space, granted: frozenset[bytes] = frozenset()
    ) -> None:
        """Hold an answer against what each of its readers may see; `granted` they were shown just now anyway."""
        self.checks += 1
        found = set(WORD.findall(all_of(reply)))
        self.answers += bool(found)
        for who in readers:
            leaked = found - self.visible(space, who) - granted
            assert not leaked, f"{leaked} shown to {who.name} of {space.name}: {reply.title} {reply.text}"

    async def hold_disk(self) -> None:
        """See that nothing lives on of what was taken back: in no table, no file."""
        gone = self.dead - {word for one in [*self.posted, *self.under_way] for word in one.words} - self.standing
        if not gone:
            return
        tables = await self.house.library.connections.rows("SELECT name FROM sqlite_master WHERE type = 'table'", {})
        for (name,) in tables:
            for row in await self.house.library.connections.rows(f"SELECT * FROM {name}", {}):  # noqa: S608
                kept = b" ".join(one if isinstance(one, bytes) else str(one).encode() for one in row)
                left = set(WORD.findall(kept)) & gone
                assert not left, f"{left} live on in {name}"
        strangers = await self.house.library.connections.rows(_VOTES_OF_STRANGERS, {})
        assert not strangers, [tuple(row) for row in strangers]
        for path in (self.folder / "data" / "media").glob("*"):
            if path.is_file():
                assert not set(WORD.findall(path.read_bytes())) & gone, "a file lives on"


def all_of(reply: Reply) -> bytes:
    """Return all that a reply shows or hides, in one piece."""
    pictures = [data for one in reply.pictures for data in (one.alt.encode(), *one.data.values())]
    files = [value for one in vars_of(reply) if isinstance(value := getattr(reply, one), bytes)]
    words = repr((reply.text, reply.title, reply.buttons, reply.links, reply.progress)).encode()
    return b" ".join([words, *pictures, *files])


def vars_of(reply: Reply) -> Iterable[str]:
    return type(reply).__dataclass_fields__
