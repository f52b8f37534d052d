"""Files of a small Slack: told about, uploaded in three steps, digested late. Knows no message."""

from __future__ import annotations

import json
import mimetypes
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.fakes.slack_world import File, Message

if TYPE_CHECKING:
    from tests.fakes.slack import FakeSlack
    from tests.fakes.slack_world import Channel, Json, Workspace


class RefusedError(Exception):
    """Slack answers ok: false."""

    def __init__(self, error: str, **more: Any) -> None:
        self.answer = {"ok": False, "error": error, **more}


def parsed(sent: Any) -> Any:
    """Give an argument that may have come as text within a form."""
    return json.loads(sent) if isinstance(sent, str) else sent


def channel_of(team: Workspace, sent: Json) -> Channel:
    """Give the channel that a method is about, where Keaton may speak in it."""
    named = sent.get("channel") or sent.get("channel_id") or ""
    channel = team.talk(named) if named in team.users else team.channels.get(named)
    if channel is None:
        raise RefusedError("channel_not_found")
    if not channel.keaton_inside:
        raise RefusedError("not_in_channel")
    return channel


class FileApi:
    """Answers `files.*`, and takes uploads."""

    def __init__(self, fake: FakeSlack) -> None:
        self._fake = fake

    def info(self, team: Workspace, sent: Json) -> Json:
        file = team.files.get(sent["file"])
        if file is None:
            raise RefusedError("file_not_found")
        answer = {"file": file.json(self._fake.url)}
        if self._fake.digests_s is None:
            file.polls_left -= 1
        return answer

    def delete(self, team: Workspace, sent: Json) -> Json:
        if team.files.pop(sent["file"], None) is None:
            raise RefusedError("file_not_found")
        return {}

    def address(self, team: Workspace, sent: Json) -> Json:
        kind = mimetypes.guess_type(sent["filename"])[0] or "application/octet-stream"
        file = File(
            sent["filename"], b"", kind, polls_left=self._fake.polls, complete=False, alt=sent.get("alt_txt", "")
        )
        team.files[file.id] = file
        self._fake.lengths[file.id] = int(sent["length"])
        return {"file_id": file.id, "upload_url": f"{self._fake.url}/upload/{team.id}/{file.id}"}

    async def take(self, request: web.Request) -> web.Response:
        team = next(one for one in self._fake.teams if one.id == request.match_info["team"])
        file = team.files[request.match_info["file"]]
        file.data = await request.read()
        if "upload" in self._fake.gates:
            await self._fake.gates["upload"].wait()
        if self._fake.upload_status != 200:
            return web.Response(status=self._fake.upload_status, text="no")
        if len(file.data) != self._fake.lengths[file.id]:
            raise web.HTTPBadRequest(text="the length is another")
        return web.Response(text=f"OK - {len(file.data)}")

    def complete(self, team: Workspace, sent: Json) -> Json:
        files = [team.files[one["id"]] for one in parsed(sent["files"])]
        message = None
        if sent.get("channel_id"):
            message = self._share(team, files, channel_of(team, sent), sent.get("thread_ts") or "")
        for file in files:
            file.complete = True
        if self._fake.digests_s is not None:
            self._fake.later(self._fake.digests_s, lambda: self._digest(team, files, message))
        return {"files": [{"id": file.id, "title": file.name} for file in files]}

    async def _digest(self, team: Workspace, files: list[File], message: Message | None) -> None:
        """Know what uploads are, and tell so with the message that shares them."""
        for file in files:
            file.polls_left = 0
        if message is not None and self._fake.tells_shares:
            message.files = [{"id": one.id, "name": one.name, "mimetype": one.mimetype} for one in files]
            event = {**message.json(), "channel": message.channel.id, "subtype": "file_share"}
            await self._fake.event(team, event)
        self._fake.moved()

    def _share(self, team: Workspace, files: list[File], channel: Channel, thread_ts: str) -> Message:
        """Post one message that brings all the files; who is in the channel may see them from then on."""
        if thread_ts and thread_ts not in channel.messages:
            raise RefusedError("invalid_thread_ts")
        if thread_ts and channel.messages[thread_ts].thread_ts not in {"", thread_ts}:
            self._fake.wrongs.append("files shared below a reply, and not below its thread's first message")
        message = Message(channel, team.keaton.id, thread_ts=thread_ts, bot=True)
        message.files = [{"id": file.id, "name": file.name} for file in files]
        channel.messages[message.ts] = message
        for file in files:
            file.shared_in.append((channel.id, thread_ts))
            file.shares[channel.id] = message.ts, thread_ts
        if self._fake.digests_s is None:
            self._fake.happened(team, channel, {**message.json(), "subtype": "file_share"})
        return message
