"""A film on its way here. Owns what is told of that, and the names that a film comes with; keeps nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors.films import called
from core.film_ports import Fetched
from core.gathering import stem
from core.shown import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.film_ports import Fetcher
    from core.talk import Address, RemoteFile

    Report = Callable[[Progress], None]


class Downloads:
    """Brings films into folders."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def film(self, address: Address, report: Report, folder: Path) -> Fetched:
        """Download what lies at an address into a folder; raises what `Fetcher.fetch` raises."""
        report(Progress("fetching", None))
        fetched: Fetched | None = None
        async for event in self._fetcher.fetch(address.url, folder, address.bearer):
            if isinstance(event, Fetched):
                fetched = event  # and read on, so that its child ends here and now
            else:
                share = event.done_bytes / event.total_bytes if event.total_bytes else None
                report(Progress("fetching", share, event.eta_s))
        if fetched is None:
            raise AssertionError("a fetch ends with a Fetched or an error")
        return fetched

    async def file(self, file: RemoteFile, report: Report, folder: Path) -> Fetched:
        """Download a file, which bears the name that it has on its platform and no address."""
        with called(file.name):
            fetched = await self.film(await file.locate(), report, folder)
        return replace(fetched, video_id=None, title=stem(file.name), url="", uploader="", several=False)
