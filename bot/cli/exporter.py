"""`keaton export`: writes a space as JSON and files, in the layout of docs/export.md.

One video is in memory at a time.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TextIO

import numpy as np

from bot.cli.output import prepare, writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.video import PostedVideo, Posting
    from core.ports.library import Library, Media
    from core.ports.retention import Archive, KeptEmbeddings, Space

FORMAT = 1
DOCUMENT = "keaton.json"


class Exporter:
    """Writes one space into one folder."""

    def __init__(self, archive: Archive, library: Library, media: Media, folder: Path) -> None:
        self._archive = archive
        self._library = library
        self._media = media
        self._folder = folder

    async def export(self, space: Space) -> int:
        """Write all that is kept of a space; give the number of videos. Raises FolderUnwritable, StorageUnusable."""
        prepare(self._folder)
        part = self._folder / f"{DOCUMENT}.part"
        with writing(part):
            try:
                with part.open("w", encoding="utf-8") as out:
                    count = await self._document(space, out)
                part.replace(self._folder / DOCUMENT)
            finally:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
        return count

    async def _document(self, space: Space, out: TextIO) -> int:
        at = datetime.now(UTC).isoformat(timespec="seconds")
        head = {"format": FORMAT, "platform": space.platform, "space": space.name, "exported_at": at}
        out.write(_json(head)[:-1] + ',\n"videos": [')
        count = 0
        for count, posted in enumerate(await self._library.videos(await self._archive.view(space)), 1):
            out.write(",\n" if count > 1 else "\n")
            out.write(_json(await self._video(space, posted, count)))
        out.write('\n],\n"notes": [')
        first = True
        async for kind, note in self._archive.notes(space):
            out.write("\n" if first else ",\n")
            out.write(_json({"kind": kind, **note}))
            first = False
        out.write("\n]}\n")
        return count

    async def _video(self, space: Space, posted: PostedVideo, number: int) -> dict[str, object]:
        folder = self._folder / "videos" / f"{number:05}"
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        looks = [
            await asyncio.to_thread(self._looks, folder, n, one)
            async for n, one in _numbered(self._archive.embeddings(posted))
        ]
        return {
            **asdict(posted.video),
            "postings": [_posting(one) for one in await self._archive.postings(space, posted)],
            "looks": looks,
            "thumbnails": await self._thumbnails(folder, posted),
            "media": await self._copy(folder, posted),
        }

    def _looks(self, folder: Path, number: int, looks: KeptEmbeddings) -> dict[str, object]:
        file = folder / f"vectors-{number}.npy"
        np.save(file, looks.index.vectors, allow_pickle=False)
        return {"recipe": looks.recipe, "times_s": looks.index.times_s.tolist(), "vectors": self._name(file)}

    async def _thumbnails(self, folder: Path, posted: PostedVideo) -> list[dict[str, object]]:
        made: list[dict[str, object]] = []
        for number, one in enumerate(await self._library.thumbnails(posted.video.id)):
            file = folder / f"thumbnail-{number:04}.jpg"
            await asyncio.to_thread(file.write_bytes, one.jpeg)
            made.append({"time_s": one.time_s, "file": self._name(file)})
        return made

    async def _copy(self, folder: Path, posted: PostedVideo) -> str | None:
        kept = await self._media.path(posted.video.id)
        if kept is None:
            return None
        file = folder / f"media{kept.suffix}"
        await asyncio.to_thread(shutil.copyfile, kept, file)
        return self._name(file)

    def _name(self, file: Path) -> str:
        return file.relative_to(self._folder).as_posix()


async def _numbered(looks: AsyncIterator[KeptEmbeddings]) -> AsyncIterator[tuple[int, KeptEmbeddings]]:
    number = 0
    async for one in looks:
        number += 1
        yield number, one


def _posting(posting: Posting) -> dict[str, object]:
    told = asdict(posting)
    del told["video_id"], told["scope"]
    return {"channel": posting.scope.channel, **told, "posted_at": posting.posted_at.isoformat()}


def _json(what: dict[str, object]) -> str:
    return json.dumps(what, ensure_ascii=False, allow_nan=False)
