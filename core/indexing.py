"""One job per film: fetch, read, encode, save. Calls the ports in the right order; must not know how they work."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.courtesy import BATCH_S, BEGINNING_S
from core.errors.asking import UnknownVideo
from core.errors.films import FileUnreadable, FilmGone
from core.film_ports import Fetched
from core.flow import read_ahead
from core.gathering import Gathered, Source, content_id, film_of, looked, put, stem, take, to_encode
from core.intake import Indexed, IndexingLimits, Poster
from core.links import canonical
from core.model import Recipe, View
from core.piecework import Notebook
from core.restoring import Restorer
from core.shown import Progress
from core.talk import Address
from core.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.courtesy import Courtesy
    from core.film_ports import Fetcher, FrameReader
    from core.model import EncoderInfo, Film, PostedVideo, Sampling, Video
    from core.ports import Encoder, Library, Media
    from core.talk import JobRef, RemoteFile
    from core.watch import Watch
    from core.works import Work, Works

    Report = Callable[[Progress], None]
    Note = Callable[[Gathered], Awaitable[None]]
    Download = Callable[[Path], Awaitable[Fetched]]

__all__ = ["Indexed", "Indexer", "IndexingLimits", "Poster"]

_AHEAD = 2


class Indexer:
    """Takes films in, each once, however many people post it at the same time."""

    def __init__(
        self,
        library: Library,
        media: Media,
        fetcher: Fetcher,
        reader: FrameReader,
        encoder: Encoder,
        sampling: Sampling,
        limits: IndexingLimits,
        works: Works,
        watch: Watch,
        courtesy: Courtesy,
    ) -> None:
        self._library = library
        self._works = works
        self._media = media
        self._fetcher = fetcher
        self._reader = reader
        self._encoder = encoder
        self._sampling = sampling
        self._limits = limits
        self._watch = watch
        self._courtesy = courtesy
        self._turns = Turns(limits.films_at_once, limits.films_a_space)
        self._restorer = Restorer(library, media)

    @property
    def waiting(self) -> int:
        """Count the films whose turn has not come."""
        return self._turns.waiting

    @property
    def running(self) -> int:
        """Count the films under way."""
        return self._turns.running

    async def link(self, url: str, poster: Poster, report: Report) -> Indexed:
        """Take in a linked film; raises UserError, TryLater, OperatorError."""
        return await self._take(canonical(url), partial(self._download, Address(url), report), poster, report)

    async def remote(self, file: RemoteFile, poster: Poster, report: Report) -> Indexed:
        """Take in a file that lies on a platform's servers; raises UserError, TryLater, OperatorError."""
        return await self._take(file.key, partial(self._download_file, file, report), poster, report)

    async def file(self, path: Path, name: str, url: str, poster: Poster, report: Report) -> Indexed:
        """Take in a film from the disk; the file stays. Raises UserError, TryLater, OperatorError."""
        try:
            video_id = await asyncio.to_thread(content_id, path)
        except OSError as error:
            raise FileUnreadable(str(path), error.strerror or "") from error
        async with self._turns.turn(video_id, poster.scope, report, poster.length_s):
            info = await self._begin(poster)
            video = _named(await self._library.video(video_id), stem(name), url, "")
            known = await self._known(video, info, poster, "", report)
            if known is None and (work := await self._works.of(video_id)):
                known = await self._go_on(replace(work, title=stem(name), url=url), info, poster, report)
            if known and not await self._restorer.lacks(known.video.id):
                return known
            async with self._media.workshop() as folder:
                copy = await self._media.copy_in(path, folder)
                if known:
                    await self._restorer.put_back(copy, video_id)
                    return known
                return await self._index(Source(copy, video_id, stem(name), url, ""), info, poster, report)

    async def again(self, posted: PostedVideo, report: Report) -> Indexed:
        """Look anew at a film that was indexed by another recipe, from its kept file or else from its link.

        It is posted nowhere by that. Raises UserError (UnknownVideo when the film cannot be had any more, or was
        forgotten meanwhile), TryLater, OperatorError.
        """
        video = posted.video
        async with self._turns.turn(video.id, posted.posting.scope, report):
            info = await self._encoder.ready()
            known = await self._known(video, info, None, "", report)
            if known:
                return known
            if not video.url:
                raise UnknownVideo(video.title)
            download = partial(self._download, Address(video.url), report)
            return await self._fetch(canonical(video.url), download, info, None, report)

    async def _take(self, key: str, download: Download, poster: Poster, report: Report) -> Indexed:
        """Take in a film by its link or key; of a known one that lost its file fetch that again."""
        at_once = await self._at_hand(key, poster)
        if at_once and not await self._restorer.lacks(at_once.video.id):
            return at_once
        async with self._turns.turn(key, poster.scope, report, poster.length_s):
            if at_once is None:
                info = await self._begin(poster)
                known = await self._known(await self._library.video_at(key), info, poster, key, report)
                at_once = known or await self._go_on(await self._works.at(key), info, poster, report)
                if at_once is None:
                    return await self._fetch(key, download, info, poster, report)
            await self._restorer.fetched(at_once, download)
            return at_once

    async def _at_hand(self, key: str, poster: Poster) -> Indexed | None:
        at_once = await self._at_once(await self._library.video_at(key), poster)
        self._watch.cache("films", hit=at_once is not None)
        return at_once

    async def _begin(self, poster: Poster) -> EncoderInfo:
        info = await self._encoder.ready()
        await self._courtesy.after_you(BEGINNING_S)
        if poster.job:
            await self._works.start(poster.job.id)
        return info

    async def _go_on(self, work: Work | None, info: EncoderInfo, poster: Poster, report: Report) -> Indexed | None:
        """Go on with a film of which an earlier run has fetched the file, if that is still kept."""
        path = await self._media.path(work.video_id) if work and poster.job else None
        if work is None or path is None:
            return None
        about = (work.video_id, work.title, work.url, work.link, work.uploader)
        with suppress(FilmGone):
            return await self._index(Source(path, *about, kept=True, several=work.several), info, poster, report)
        return None

    async def _at_once(self, video: Video | None, poster: Poster | None) -> Indexed | None:
        """Post a film here that need not be looked at: nobody waits in line for that."""
        info = await self._encoder.ready() if video and self._encoder.loaded else None
        if video is None or info is None or not await self._library.has_index(video.id, self._recipe(info).key):
            return None
        if poster is None:
            return Indexed(video, 0)
        # Where it was not seen before, nothing may tell that it is known from elsewhere.
        is_seen = await self._library.posting(video.id, View.of(poster.scope))
        looks = 0 if is_seen else await self._library.looks(video.id, self._recipe(info).key)
        await self._library.post(poster.posting(video))
        return Indexed(video, looks)

    async def _known(
        self, video: Video | None, info: EncoderInfo, poster: Poster | None, link: str, report: Report
    ) -> Indexed | None:
        """Post a known film here too; look at it first where this recipe has not, if its file is still kept."""
        if at_once := await self._at_once(video, poster):
            return at_once
        path = await self._media.path(video.id) if video else None
        if video is None or path is None:
            return None
        source = Source(path, video.id, video.title, video.url, link, video.uploader, kept=True)
        return await self._index(source, info, poster, report)

    async def _fetch(
        self, key: str, download: Download, info: EncoderInfo, poster: Poster | None, report: Report
    ) -> Indexed:
        async with self._media.workshop() as folder:
            fetched = await download(folder)
            video_id = fetched.video_id
            if video_id is None:
                video_id = await asyncio.to_thread(content_id, fetched.path)
            names = fetched.title, fetched.url, fetched.uploader or ""
            known = await self._at_once(_named(await self._library.video(video_id), *names), poster)
            if known:
                await self._restorer.put_back(fetched.path, video_id)
            source = Source(fetched.path, video_id, *names[:2], key, names[2], several=fetched.several)
            indexed = known or await self._index(source, info, poster, report)
            return replace(indexed, several=fetched.several)

    async def _download_file(self, file: RemoteFile, report: Report, folder: Path) -> Fetched:
        """Download a file, which bears the name that it has on its platform and no address."""
        fetched = await self._download(await file.locate(), report, folder)
        return replace(fetched, video_id=None, title=stem(file.name), url="", uploader="", several=False)

    async def _download(self, address: Address, report: Report, folder: Path) -> Fetched:
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

    async def _index(self, source: Source, info: EncoderInfo, poster: Poster | None, report: Report) -> Indexed:
        async with self._turns.film(source.video_id):
            names = source.title, source.url, source.uploader
            known = await self._at_once(_named(await self._library.video(source.video_id), *names), poster)
            if known is None and poster and poster.job:
                known = await self._in_pieces(source, info, poster, poster.job, report)
            indexed = known or await self._at_a_stretch(source, info, poster, report)
            return replace(indexed, several=source.several)

    async def _in_pieces(
        self, source: Source, info: EncoderInfo, poster: Poster, job: JobRef, report: Report
    ) -> Indexed:
        """Look at a film so that a later run can go on; what is left of it when the job ends is not ours to drop."""
        notebook = Notebook(self._works, source, self._recipe(info).key, self._limits.save_every_s)
        gathered = await notebook.begin(job.id)
        if source.kept and await self._media.path(source.video_id) is None:
            raise FilmGone(source.title)  # whoever was about it before has dropped it a moment ago
        if not source.kept:
            source = replace(source, path=await self._media.keep(source.path, source.video_id), kept=True)
        film = film_of(source, await self._look(source, info, gathered, notebook.note, report), self._recipe(info))
        report(Progress("saving", None))
        await self._save(source, film, poster)
        return Indexed(film.video, len(film.index))

    async def _at_a_stretch(self, source: Source, info: EncoderInfo, poster: Poster | None, report: Report) -> Indexed:
        gathered = await self._look(source, info, Gathered(), _unnoted, report)
        film = film_of(source, gathered, self._recipe(info))
        report(Progress("saving", None))
        try:
            await self._save(source, film, poster)
        except BaseException:
            # Cancelled or failed: a file that no film leads to could never be forgotten.
            await asyncio.shield(self._drop_orphan(source.video_id))
            raise
        return Indexed(film.video, len(film.index))

    async def _save(self, source: Source, film: Film, poster: Poster | None) -> None:
        if not source.kept:
            await self._media.keep(source.path, source.video_id)
        links = [link for link in (source.link, canonical(source.url) if source.url else "") if link]
        with self._watch.stage("save"):
            if poster is None:
                await self._library.refresh(film, links)
            else:
                await self._library.save(film, poster.posting(film.video), links)

    async def _drop_orphan(self, video_id: str) -> None:
        if await self._library.video(video_id) is None:
            await self._media.forget(video_id)

    async def _look(
        self, source: Source, info: EncoderInfo, gathered: Gathered, note: Note, report: Report
    ) -> Gathered:
        started_s = time.monotonic()
        events = self._reader.looks(source.path, self._sampling, info.preprocess, gathered.seen)
        async with read_ahead(events, _AHEAD * self._limits.batch) as ready:
            async for event in ready:
                if take(gathered, event, self._limits.batch):
                    await self._encode(gathered)
                    await note(gathered)
                    report(looked(gathered, time.monotonic() - started_s))
        await self._encode(gathered)
        report(looked(gathered, time.monotonic() - started_s))
        return gathered

    async def _encode(self, gathered: Gathered) -> None:
        if gathered.batch:
            await self._courtesy.after_you(BATCH_S)
            pixels = to_encode(gathered)
            put(gathered, await self._encoder.images(pixels) if len(pixels) else gathered.vectors[-1][:0])

    def _recipe(self, info: EncoderInfo) -> Recipe:
        return Recipe.of(info, self._sampling)


def _named(video: Video | None, title: str, url: str, uploader: str) -> Video | None:
    """Give a known film by the names that it is posted under this time, whatever it is called elsewhere."""
    return replace(video, title=title, url=url, uploader=uploader) if video else None


async def _unnoted(_gathered: Gathered) -> None:
    """Nobody asked for it in writing."""
