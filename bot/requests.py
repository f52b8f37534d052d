"""Writes down what somebody asks a door for, before it is acknowledged, and ends it. Must not know any platform."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from core.jobs import Request
from core.talk import FilePosted, Find, LinkPosted, RemoteFilePosted

if TYPE_CHECKING:
    from core.foreman import Foreman
    from core.jobs import JobKind
    from core.ledger import Errand, Ledger
    from core.talk import Incoming, JobRef, Turn

_BYTES_A_SECOND = 250_000
"""Of a film as people post it: a file's size is the only hint at its length."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Something that is to be done, and was written down."""

    event: Incoming
    errand: Errand
    job: JobRef | None
    """None for what is done in a moment."""


class Requests:
    """Takes up each request once."""

    def __init__(self, foreman: Foreman, ledger: Ledger) -> None:
        self._foreman = foreman
        self._ledger = ledger

    async def take(self, errand: Errand, event: Incoming, place: str = "") -> Taken | None:
        """Write a request down; None when it was taken up before, unless by a process that died.

        `place` says where its answer stands, for what no message of the asker's leads back to. Raises StorageUnusable.
        """
        request = request_of(errand, event, place)
        if request is None:
            return Taken(event, errand, None) if await self._ledger.begin(errand) else None
        job = await self._foreman.accept(request)
        if job is None:
            return None
        if isinstance(event, LinkPosted | FilePosted | RemoteFilePosted):
            event = replace(event, job=job.ref)
        return Taken(event, errand, job.ref)

    async def end(self, taken: Taken) -> None:
        """Note that a request was answered, well or not. Raises StorageUnusable."""
        if taken.job is None:
            await self._ledger.settle(taken.errand)
        else:
            await self._foreman.settle(taken.job)

    async def drop(self, job: JobRef | None) -> None:
        """Note that a request cannot be answered, for nobody hears of it. Raises StorageUnusable."""
        if job is not None:
            await self._foreman.drop(job)

    async def stand(self, taken: Taken, place: str, message: str) -> None:
        """Note where the answer stands by now, and as which message. Raises StorageUnusable."""
        if taken.job is not None:
            await self._foreman.stand(taken.job, place, message)


def request_of(errand: Errand, event: Incoming, place: str = "") -> Request | None:
    """Give what is to be written down of an event; None where it is done in a moment, or asked for by a message."""
    match event:
        case LinkPosted(turn, url):
            return _request(errand, turn, "link", url, "", place)
        case RemoteFilePosted(turn, file):
            length_s = file.size_bytes / _BYTES_A_SECOND if file.size_bytes else None
            return _request(errand, turn, "remote", file.key, file.name, place, length_s)
        case FilePosted(turn, path, name):
            length_s = path.stat().st_size / _BYTES_A_SECOND if path.is_file() else None
            return _request(errand, turn, "file", str(path), name, place, length_s)
        case Find(turn, text, video) if place and event.picture is None and not event.refines:
            return _request(errand, turn, "find", text, video or "", place)
        case _:
            return None


def _request(
    errand: Errand, turn: Turn, kind: JobKind, source: str, name: str, place: str, length_s: float | None = None
) -> Request:
    who = turn.user_id, turn.user_name, turn.message, turn.message_url
    return Request(errand, kind, source, name, *who, place, length_s)
