"""The pictures of the App Home: one upload for each video and person, shared where only they can see it.

Slack shows a `slack_file` only to those who can see the file, and an upload that is shared nowhere is private
(`files.completeUploadExternal`). A view has no channel to share into, so they go into the thread of the person's direct
messages that keeps their pictures.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from bot.slack.refusals import FAILURES, PicturesRefusedError, RefusedError, reason_of
from bot.slack.render import OWN_PICTURES, Shot, card
from bot.slack.targets import file_message
from core.model.reply import Reply
from core.ports.retention import Stale

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.slack.pictures import Pictures, Sharing
    from bot.slack.whispers import DirectMessages
    from core.model.events import Turn
    from core.model.reply import Picture
    from core.model.video import Scope
    from core.ports.jobs import Ledger
    from core.ports.retention import ShownMessages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """The picture of a video in the list."""

    key: str
    """Stands for the video and its picture."""
    video: str
    """The video's id."""
    shown_as: str
    """Name of the picture in the list, by its place there."""
    picture: Picture


class Thumbnails:
    """Uploads them, remembers them across restarts, and deletes those that were not seen for longest."""

    def __init__(
        self,
        pictures: Pictures,
        direct: DirectMessages,
        ledger: Ledger,
        shown_messages: ShownMessages,
        team_id: str,
        most_kept: int,
    ) -> None:
        """Keep the `most_kept` pictures that each person saw last: a page of the list at least."""
        self._pictures = pictures
        self._direct = direct
        self._ledger = ledger
        self._shown_messages = shown_messages
        self._team_id = team_id
        self._most_kept = most_kept
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def kept(self, user_id: str, listed: Reply) -> tuple[Shot, ...]:
        """Return the pictures of a list that were uploaded for a person before."""
        return _shots(listed, await self._noted(user_id))

    async def upload(self, turn: Turn, listed: Reply) -> tuple[Shot, ...]:
        """Upload the pictures of a list that its reader has not got yet; return all that can be shown to them.

        Each is shared by a message of its own, so that it can be deleted alone when its video is forgotten.
        """
        where = await self._sharing(turn.user_id)
        async with self._locks.setdefault(turn.user_id, asyncio.Lock()):
            noted = await self._noted(turn.user_id)
            if where is not None or not self._pictures.shares:
                for one in _entries(listed):
                    if one.key in noted:
                        noted[one.key] = noted.pop(one.key)  # seen last
                    elif not await self._add(turn, one, where, noted):
                        break
                await self._delete(turn, noted, set(list(noted.values())[: -self._most_kept]))
        return _shots(listed, noted)

    async def drop(self, turn: Turn, shots: Iterable[Shot]) -> None:
        """Delete uploads that Slack does not show any more."""
        async with self._locks.setdefault(turn.user_id, asyncio.Lock()):
            noted = await self._noted(turn.user_id)
            await self._delete(turn, noted, {one.file_id for one in shots})

    async def _sharing(self, user_id: str) -> Sharing | None:
        if not self._pictures.shares:
            return None
        try:
            return await self._direct.sharing(user_id, card(Reply(OWN_PICTURES)))
        except FAILURES as error:
            logger.info("the App Home has no pictures: Slack opens no direct messages (%s)", reason_of(error))
        except RefusedError as error:
            logger.info("the App Home has no pictures: Slack opens no direct messages (%s)", error.reason)
        return None

    async def _add(self, turn: Turn, entry: _Entry, where: Sharing | None, noted: dict[str, str]) -> bool:
        """Upload one picture, and note it before the next; return whether Slack took it."""
        try:
            (shot,) = await self._pictures.shots((entry.picture,), where)
        except PicturesRefusedError as error:
            logger.info("Slack does not take a picture of the App Home: %s", error.reason)
            return False
        noted[entry.key] = shot.file_id
        await self._shown_messages.show(turn.scope, file_message(shot.file_id), (entry.video,), (shot.file_id,))
        await self._note(turn.user_id, noted)
        await self._pictures.settled((shot.file_id,))
        return True

    async def _delete(self, turn: Turn, noted: dict[str, str], file_ids: set[str]) -> None:
        for key, file_id in [one for one in noted.items() if one[1] in file_ids]:
            await self._pictures.delete((file_id,))
            await self._shown_messages.settle(_stale(turn.scope, file_id))
            del noted[key]
            await self._note(turn.user_id, noted)

    async def _noted(self, user_id: str) -> dict[str, str]:
        """Return the uploads of a person by their keys, those seen last at the end."""
        found: dict[str, str] = json.loads(await self._ledger.recall(self._name(user_id)) or "{}")
        return found

    async def _note(self, user_id: str, noted: dict[str, str]) -> None:
        await self._ledger.remember(self._name(user_id), json.dumps(noted))

    def _name(self, user_id: str) -> str:
        return f"slack:home:{self._team_id}:{user_id}"


def _stale(scope: Scope, file_id: str) -> Stale:
    return Stale(scope, file_message(file_id), (file_id,))


def _entries(listed: Reply) -> list[_Entry]:
    """Return the entries of a list that have a picture; the key outlives a change of its place in the list."""
    pictures = {one.name: one for one in listed.pictures}
    found = []
    for entry, video in zip(listed.entries, listed.videos, strict=False):
        if picture := pictures.get(entry.picture):
            seen = hashlib.sha256(video.encode() + b"\0" + b"".join(picture.data.values())).hexdigest()[:16]
            found.append(_Entry(seen, video, picture.name, replace(picture, name=f"{seen}.jpg")))
    return found


def _shots(listed: Reply, noted: dict[str, str]) -> tuple[Shot, ...]:
    """Return the pictures that are uploaded, by the names that the list has for them."""
    return tuple(Shot(noted[one.key], one.picture.alt, one.shown_as) for one in _entries(listed) if one.key in noted)
