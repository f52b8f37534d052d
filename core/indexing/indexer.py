"""Indexes a posted link or file: decides whether it is known, kept, or must be downloaded and sampled.

A known video whose kept file had to make room gets it back when it is posted again (`Restorer`).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from core.concurrency import BEGINNING_S
from core.errors import AppError, UnknownVideo, VideoGone, called
from core.indexing.embedding import FrameEmbedder, Source, VideoEmbedder, content_id, stem
from core.indexing.local_files import file_id
from core.indexing.queue import VideoTurns
from core.links import canonical, is_web
from core.model.events import Address
from core.model.reply import Progress
from core.model.video import Indexed, Recipe, View
from core.ports.video import Fetched
from core.site_ids import Led, is_public, is_same, names_site

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from core.concurrency import ForegroundPriority
    from core.limits import IndexingLimits
    from core.model.events import RemoteFile
    from core.model.requests import Poster
    from core.model.video import EncoderInfo, PostedVideo, Sampling, Video
    from core.ports.jobs import Checkpoints, Work
    from core.ports.library import Encoder, Library, Media
    from core.ports.metrics import Watch
    from core.ports.video import Fetcher, FrameReader

    Report = Callable[[Progress], None]
    Download = Callable[[Path], Awaitable[Fetched]]


class Downloads:
    """Brings videos into folders."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher

    async def video(self, address: Address, report: Report, folder: Path) -> Fetched:
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
            fetched = await self.video(await file.locate(), report, folder)
        return replace(fetched, video_id=None, title=stem(file.name), url="", uploader="", several=False)


class Indexer:
    """Takes videos in, each once, however many people post it at the same time."""

    def __init__(
        self,
        library: Library,
        media: Media,
        fetcher: Fetcher,
        reader: FrameReader,
        encoder: Encoder,
        sampling: Sampling,
        limits: IndexingLimits,
        checkpoints: Checkpoints,
        watch: Watch,
        priority: ForegroundPriority,
    ) -> None:
        self._library = library
        self._checkpoints = checkpoints
        self._media = media
        self._encoder = encoder
        self._sampling = sampling
        self._watch = watch
        self._priority = priority
        self._turns = VideoTurns(limits.videos_at_once, limits.videos_per_space)
        self._restorer = Restorer(library, media)
        self._downloads = Downloads(fetcher)
        self.file_bytes = limits.file_bytes
        embedder = FrameEmbedder(reader, encoder, sampling, limits.batch)
        self._video_embedder = VideoEmbedder(library, media, checkpoints, embedder, watch, limits.save_every_s)

    @property
    def waiting(self) -> int:
        """Count the videos whose turn has not come."""
        return self._turns.waiting

    @property
    def running(self) -> int:
        """Count the videos under way."""
        return self._turns.running

    async def link(self, url: str, poster: Poster, report: Report) -> Indexed:
        """Take in a linked video; raises UserError, TryLater, OperatorError."""
        key = canonical(url) if is_web(url) else f"no link: {url}"  # and so no file's key either
        return await self._take(key, url, partial(self._downloads.video, Address(url), report), poster, report)

    async def remote(self, file: RemoteFile, poster: Poster, report: Report) -> Indexed:
        """Take in a file that lies on a platform's servers; raises UserError, TryLater, OperatorError."""
        return await self._take(file.key, "", partial(self._downloads.file, file, report), poster, report)

    async def file(self, path: Path, name: str, url: str, poster: Poster, report: Report) -> Indexed:
        """Take in a video from the disk; the file stays. Raises UserError, TryLater, OperatorError."""
        video_id = await asyncio.to_thread(file_id, path, name, self.file_bytes)
        async with self._turns.turn(video_id, poster.scope, report, poster.length_s):
            info = await self._begin(poster)
            video = _named(await self._library.video(video_id), stem(name), url, "")
            known = await self._known(Led(video, "") if video else None, info, poster, "", report)
            if known is None and (work := await self._checkpoints.of(video_id)):
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
        """Index a video anew that was indexed by another recipe, from its kept file or else from its link.

        It is posted nowhere by that. Raises UserError (UnknownVideo when the video cannot be had any more, or was
        forgotten meanwhile), TryLater, OperatorError.
        """
        video = posted.video
        async with self._turns.turn(video.id, posted.posting.scope, report):
            info = await self._encoder.ready()
            known = await self._known(Led(video, ""), info, None, "", report)
            if known:
                return known
            if not video.url:
                raise UnknownVideo(video.title)
            download = partial(self._downloads.video, Address(video.url), report)
            return await self._fetch_anew(video, download, info, report)

    async def _take(self, key: str, url: str, download: Download, poster: Poster, report: Report) -> Indexed:
        """Take in a video by its link or key; of a known one that lost its file fetch that again."""
        at_once = await self._at_hand(key, url, poster)
        if at_once and not await self._restorer.lacks(at_once.video.id):
            return at_once
        public = key if is_public(key) else ""
        async with self._turns.turn(key, poster.scope, report, poster.length_s, public):
            if at_once is None:
                info = await self._begin(poster)
                known = await self._known(await self._led(key, url, poster), info, poster, key, report)
                work = None if known else await self._checkpoints.at(key, poster.scope)
                if work:
                    work = replace(work, url=_address(key, url, work.url))
                at_once = known or await self._go_on(work, info, poster, report)
                if at_once is None:
                    return await self._fetch(key, download, info, poster, report)
            await self._restorer.fetched(at_once, key, download)
            return at_once

    async def _at_hand(self, key: str, url: str, poster: Poster) -> Indexed | None:
        led = await self._led(key, url, poster)
        at_once = await self._at_once(led.video, poster, key, led.site_id) if led else None
        self._watch.cache("videos", hit=at_once is not None)
        return at_once

    async def _led(self, key: str, url: str, poster: Poster) -> Led | None:
        """Return the video that is known by a link or key where it is posted."""
        led = await self._library.video_at(key, poster.scope)
        return replace(led, video=replace(led.video, url=_address(key, url, led.video.url))) if led else None

    async def _begin(self, poster: Poster) -> EncoderInfo:
        info = await self._encoder.ready()
        await self._priority.after_you(BEGINNING_S)
        if poster.job:
            await self._checkpoints.start(poster.job.id)
        return info

    async def _go_on(self, work: Work | None, info: EncoderInfo, poster: Poster, report: Report) -> Indexed | None:
        """Go on with a video of which an earlier run has fetched the file, if that is still kept."""
        path = await self._media.path(work.video_id) if work and poster.job else None
        if work is None or path is None:
            return None
        about = (work.video_id, work.title, work.url, work.link, work.uploader)
        source = Source(path, *about, kept=True, several=work.several, site_id=work.site_id)
        with suppress(VideoGone):
            return await self._index(source, info, poster, report)
        return None

    async def _at_once(
        self, video: Video | None, poster: Poster | None, link: str = "", site_id: str = ""
    ) -> Indexed | None:
        """Post a video here that need not be indexed, without a turn in the queue."""
        info = await self._encoder.ready() if video and self._encoder.loaded else None
        if video is None or info is None or not await self._library.has_index(video.id, self._recipe(info).key):
            return None
        if poster is None:
            return Indexed(video, 0)
        # Where it was not seen before, nothing may tell that it is known from elsewhere.
        is_seen = await self._library.posting(video.id, View.of(poster.scope))
        frames = 0 if is_seen else await self._library.frame_count(video.id, self._recipe(info).key)
        with suppress(UnknownVideo):  # it was forgotten elsewhere a moment ago: here it is taken in anew
            await self._library.post(poster.posting(video), poster.job, frames, [link] if link else [], site_id)
            return Indexed(video, frames)
        return None

    async def _known(
        self, led: Led | None, info: EncoderInfo, poster: Poster | None, link: str, report: Report
    ) -> Indexed | None:
        """Post a known video here too; index it first where this recipe has not, if its file is still kept."""
        if led is None:
            return None
        video = led.video
        if at_once := await self._at_once(video, poster, link, led.site_id):
            return at_once
        path = await self._media.path(video.id)
        if path is None:
            return None
        about = (video.id, video.title, video.url, link, video.uploader)
        return await self._index(Source(path, *about, kept=True, site_id=led.site_id), info, poster, report)

    async def _fetch(self, key: str, download: Download, info: EncoderInfo, poster: Poster, report: Report) -> Indexed:
        """Fetch a video; where its very bytes are known from anywhere, they are not indexed again."""
        async with self._media.workshop() as folder:
            fetched = await download(folder)
            with called(fetched.title):
                video_id, site_id = await asyncio.to_thread(content_id, fetched.path), fetched.video_id or ""
            names = fetched.title, fetched.url, fetched.uploader or ""
            video = _named(await self._library.video(video_id), *names)
            known = await self._at_once(video, poster, key, site_id)
            if known:
                await self._restorer.put_back(fetched.path, video_id)
            about = (video_id, *names[:2], key, names[2])
            source = Source(fetched.path, *about, several=fetched.several, site_id=site_id)
            indexed = known or await self._index(source, info, poster, report)
            return replace(indexed, several=fetched.several)

    async def _fetch_anew(self, video: Video, download: Download, info: EncoderInfo, report: Report) -> Indexed:
        """Fetch a video to index it anew; raises UnknownVideo where its link leads to another by now."""
        async with self._media.workshop() as folder:
            fetched = await download(folder)
            with called(video.title):
                content = await asyncio.to_thread(content_id, fetched.path)
            if not is_same(video.id, content, canonical(video.url), fetched.video_id):
                raise UnknownVideo(video.title)
            source = Source(fetched.path, video.id, video.title, video.url, "", video.uploader)
            return await self._index(source, info, None, report)

    async def _index(self, source: Source, info: EncoderInfo, poster: Poster | None, report: Report) -> Indexed:
        async with self._turns.video(source.video_id):
            names = source.title, source.url, source.uploader
            video = _named(await self._library.video(source.video_id), *names)
            known = await self._at_once(video, poster, source.link, source.site_id)
            if known is None and poster and poster.job:
                known = await self._video_embedder.in_pieces(source, info, poster, poster.job, report)
            indexed = known or await self._video_embedder.at_a_stretch(source, info, poster, report)
            return replace(indexed, several=source.several)

    def _recipe(self, info: EncoderInfo) -> Recipe:
        return Recipe.of(info, self._sampling)


def _named(video: Video | None, title: str, url: str, uploader: str) -> Video | None:
    """Return a known video by the names that it is posted under this time, whatever it is called elsewhere."""
    return replace(video, title=title, url=url, uploader=uploader) if video else None


def _address(key: str, url: str, known: str) -> str:
    """Return the address of a known video where it is posted: of a site's video there are many, with tokens in them."""
    return url if names_site(key) else known or url


log = logging.getLogger(__name__)


class Restorer:
    """Brings files back into the store."""

    def __init__(self, library: Library, media: Media) -> None:
        self._library = library
        self._media = media

    async def lacks(self, video_id: str) -> bool:
        """Tell whether a video's file is gone; one that is there counts as used."""
        return await self._media.path(video_id) is None

    async def fetched(self, known: Indexed, link: str, download: Callable[[Path], Awaitable[Fetched]]) -> None:
        """Fetch a video's file again if it is gone, by `download` into a folder, and keep it if it is that video still.

        `link` is the canonical link, or the file's key, that it is fetched by.

        Where that fails the video stays as it is: it can be searched, and posted once more.
        """
        try:
            if not await self.lacks(known.video.id):
                return
            async with self._media.workshop() as folder:
                got = await download(folder)
                content = await asyncio.to_thread(content_id, got.path)
                if is_same(known.video.id, content, link, got.video_id):
                    await self.put_back(got.path, known.video.id)
        except AppError as error:
            log.warning("the file of %s could not be fetched again: %s", known.video.id, type(error).__name__)

    async def put_back(self, path: Path, video_id: str) -> None:
        """Keep a file that lies in a workshop where the video's own is gone, unless the video was forgotten meanwhile.

        Raises StorageUnusable.
        """
        try:
            if await self.lacks(video_id):
                await self._media.keep(path, video_id)
        finally:
            await asyncio.shield(self._library.unless_needed(video_id, self._media.forget))
