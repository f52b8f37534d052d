"""When Slack has looked at an upload, so that a message may show it, and which message shares it.

Slack fills an upload's `mimetype` in only after a scan, and refuses a message that shows it earlier. The message that
shares uploads is made after that scan, and its event brings the type, so that mostly nothing has to be asked;
`files.info` is asked where no event comes, one upload after the other, within its tier (see "Rate limits").
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from bot.slack.refusals import FAILURES, PicturesRefusedError, reason_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.doors.pace import Pace

_KEPT = 4000


class Digestion:
    """Waits until uploads can be shown."""

    def __init__(self, client: AsyncWebClient, polls_s: tuple[float, ...], pace: Pace) -> None:
        self._client = client
        self._polls_s = polls_s
        self._pace = pace
        self._done: OrderedDict[str, asyncio.Event] = OrderedDict()
        self._shared: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def hear(self, event: Mapping[str, Any]) -> None:
        """Note what a message event tells about the uploads that it shares."""
        if event.get("subtype") == "file_share":
            self.told(event.get("files") or ())
            for one in event.get("files") or ():
                self._shared[str(one.get("id"))] = str(event.get("channel")), str(event.get("ts"))
            _bound(self._shared)

    def told(self, files: Iterable[Mapping[str, Any]]) -> None:
        """Note which of these uploads Slack knows the type of."""
        for one in files:
            if one.get("mimetype"):
                self._event(str(one.get("id"))).set()

    async def wait(self, file_ids: Sequence[str]) -> None:
        """Wait until Slack knows what all these uploads are; raises PicturesRefusedError, and what Slack fails with."""
        pauses_s = iter(self._polls_s)
        await self._pause(file_ids, next(pauses_s, 0.0))
        while left := [one for one in file_ids if not self._event(one).is_set()]:
            await self._pace.wait("", urgent=True)
            self.told([(await self._client.files_info(file=left[0]))["file"]])
            if not self._event(left[0]).is_set():
                pause_s = next(pauses_s, None)
                if pause_s is None:
                    raise PicturesRefusedError("undigested")
                await self._pause(left, pause_s)

    async def shared_at(self, file_id: str) -> set[tuple[str, str]]:
        """Return channel and ts of the messages that share an upload; raises PicturesRefusedError."""
        if file_id in self._shared:
            return {self._shared[file_id]}
        await self._pace.wait("", urgent=False)
        try:
            told = (await self._client.files_info(file=file_id))["file"]
        except FAILURES as error:
            raise PicturesRefusedError(reason_of(error)) from error
        kinds: dict[str, dict[str, list[dict[str, Any]]]] = told.get("shares") or {}
        return {(there, str(one["ts"])) for kind in kinds.values() for there, all_of in kind.items() for one in all_of}

    async def _pause(self, file_ids: Sequence[str], pause_s: float) -> None:
        """Wait for an event about each of these uploads, but not longer than that."""
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                for one in file_ids:
                    await self._event(one).wait()

    def _event(self, file_id: str) -> asyncio.Event:
        if file_id not in self._done:
            self._done[file_id] = asyncio.Event()
            _bound(self._done)
        return self._done[file_id]


def _bound(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > _KEPT:
        kept.popitem(last=False)
