"""A small Slack on loopback: Web API, uploads, files, Socket Mode. It models the rules and keeps what it was sent.

Stories act through its methods and wait with `until` for what they expect.

| rule | source |
|---|---|
| an upload that was shared nowhere is private to its uploader, in blocks too | `files.completeUploadExternal` |
| the same on the App Home; one that was deleted is `invalid_blocks` there | "Slack file object", `views.publish` |
| with `chat:write` alone a user's id as `channel` posts into their direct messages | `chat.postMessage`, "App Home" |
| one call shares its files by one message; a thread is named by its first one | the same, `thread_ts` |
| deleting the message that shared a file takes the sharing away | Slack help, "Delete files" |
| an upload is digested late; named in blocks before, it is `invalid_blocks` | java-slack-sdk #1349 |
| the message that shares uploads is made after their scan, with their `mimetype` | bolt-js #2115 |
| `files.info` is of tier 4, some 100 a minute; `files.delete` of tier 3 (`a_minute`) | method pages |
| an ephemeral message in a thread shows only where that has a reply | `chat.postEphemeral`, `thread_ts` |
| a `response_url` is good five times | docs, "Handling user interaction" |
| behind a command names and links are marked where `should_escape` is true | docs, "Slash commands" |
| a thread's first message tells of its `latest_reply`; replies are in no history | `conversations.history` |
| a thread is given in pages, oldest first | `conversations.replies` |
| a `trigger_id` opens one form, within three seconds | `views.open`, `expired_trigger_id` |
| an ephemeral message reaches only who is in the channel | `chat.postEphemeral`, `user_not_in_channel` |
| an envelope that is not acknowledged within 3 s is sent again | docs, "Socket Mode" |
| a channel takes a message a second, and short bursts (`posts_at_once`), then 429 | docs, "Rate limits" |
| a method of tier 3 is answered some 50 times a minute, then 429 (`a_minute`) | docs, "Rate limits" |
| a request may be carried out and answered 500 (`broken`), on a `response_url` too | `chat.postMessage` |
| any method may be refused by the errors on its page (`refusals`) | method pages |
| an upload may be answered 413 or 500 (`upload_status`) | docs, "Working with files" |
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Self

from aiohttp import web

from tests.fakes.slack_desk import InteractionDesk
from tests.fakes.slack_socket import Sockets, event_body
from tests.fakes.slack_web import WebApi
from tests.fakes.slack_world import Message, Workspace, new_id, new_ts, typed
from tests.fakes.waiting import Waited

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.fakes.slack_desk import ResponseUrl
    from tests.fakes.slack_socket import Envelope
    from tests.fakes.slack_world import Channel, File, Json, User


class FakeSlack(Waited, InteractionDesk):
    """The whole of it."""

    def __init__(self) -> None:
        super().__init__()
        self.teams: list[Workspace] = []
        self.sockets = Sockets(self.moved)
        self.url = ""
        self.polls = 2
        """So often files.info must be asked before an upload can be shown."""
        self.digests_s: float | None = None
        """So long after its completion an upload can be shown, however often it is asked about; None counts polls."""
        self.tells_shares = True
        """The message that shares uploads is told of with their types, once they are known."""
        self._later: set[asyncio.Task[None]] = set()
        self.shows_pictures = True
        self.calls: list[tuple[str, Json]] = []
        self.wrongs: list[str] = []
        """What Keaton should not have sent, though Slack may take it."""
        self.reacted: list[tuple[str, str]] = []
        self.reread: list[str] = []
        self.lengths: dict[str, int] = {}
        self.opened: list[tuple[str, Json]] = []
        self._limit()
        self.site: dict[str, Path] = {}
        self.fetched: list[tuple[str, str]] = []
        """Paths of videos and files that were fetched, and the Authorization that came along."""
        self.gates: dict[str, asyncio.Event] = {}
        """Videos, methods and "upload", answered only once that is set."""
        self.triggers: dict[str, float] = {}
        """When each id was given out that opens a form."""
        self.hooks_closed = False
        """No response_url is good any more."""
        self.response_urls: dict[str, ResponseUrl] = {}
        self._pending: list[tuple[Workspace, Json]] = []
        self._runner: web.AppRunner | None = None

    def _limit(self) -> None:
        """Set what it refuses, and how much it takes at once: nothing and all, until a test says otherwise."""
        self.posts_at_once = 0
        """How many messages a channel takes at once before it takes one a second; 0 where they are not counted."""
        self._posts: dict[str, tuple[float, float]] = {}
        self.rate_limits: list[tuple[str, int]] = []
        """Methods whose next call is answered with 429, and the seconds to wait."""
        self.refusals: dict[str, str | Callable[[Json], str]] = {}
        """Methods that are refused, and the error; or what gives it for a request, "" where that is taken."""
        self.broken: dict[str, int] = {}
        """Methods that are carried out and answered 500, and how often."""
        self.upload_status = 200
        """What the address of an upload answers."""
        self.a_minute: dict[str, int] = {}
        """How many calls of a method within a minute are answered; more get 429."""
        self._seen_s: dict[str, list[float]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1 << 28)
        WebApi(self).add_to(app)
        app.router.add_get("/socket", self.sockets.serve)
        app.router.add_get("/site/{name}", self._video)
        app.router.add_get("/files/{file}/{name}", self._give_file)
        app.router.add_post("/respond/{key}", self._respond)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port = self._runner.addresses[0][1]
        self.url, self.sockets.url = f"http://127.0.0.1:{port}", f"ws://127.0.0.1:{port}/socket"
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._later:
            task.cancel()
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def environment(self) -> dict[str, str]:
        """Give the settings that point Keaton at the first workspace here."""
        team = self.teams[0]
        return {
            "SLACK_BOT_TOKEN": team.bot_token,
            "SLACK_APP_TOKEN": team.app_token,
            "SLACK_API_BASE": self.url + "/api/",
            "KEATON_ALLOWED_HOSTS": "127.0.0.1",
        }

    @property
    def connections(self) -> int:
        return self.sockets.connections

    def workspace(self, name: str = "Keystone") -> Workspace:
        team = Workspace(name)
        self.teams.append(team)
        return team

    def limited(self, method: str, channel: str = "") -> int | None:
        """Give the seconds to wait where this very call is one too many."""
        if method == "chat.postMessage" and self.posts_at_once and not self._has_room(channel):
            self.refused.append(f"{method} in {channel}: ratelimited")
            return 1
        if method in self.a_minute:
            now_s, seen_s = time.monotonic(), self._seen_s.setdefault(method, [])
            seen_s[:] = [one for one in seen_s if one > now_s - 60]
            if len(seen_s) >= self.a_minute[method]:
                self.refused.append(f"{method}: ratelimited")
                return 5
            seen_s.append(now_s)
        for limit in self.rate_limits:
            if limit[0] == method:
                self.rate_limits.remove(limit)
                return limit[1]
        return None

    def _has_room(self, channel: str) -> bool:
        """Count a message of a channel: one a second, and `posts_at_once` after a pause."""
        now_s, most = time.monotonic(), float(self.posts_at_once)
        left, counted_s = self._posts.get(channel, (most, now_s))
        left = min(most, left + now_s - counted_s)
        self._posts[channel] = (left - 1 if left >= 1 else left), now_s
        return left >= 1

    def forgets_to_answer(self, method: str) -> bool:
        """Tell whether this very call is answered 500, though it was carried out."""
        left = self.broken.get(method, 0)
        self.broken[method] = max(0, left - 1)
        return left > 0

    def later(self, delay_s: float, what: Callable[[], Awaitable[None]]) -> None:
        """Do something after a while."""

        async def wait() -> None:
            await asyncio.sleep(delay_s)
            await what()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    def happened(self, team: Workspace, channel: Channel, event: Json) -> None:
        """Note something of Keaton's own doing, which Slack tells it too."""
        self._pending.append((team, {"type": "message", "channel": channel.id, "event_ts": new_ts(), **event}))

    async def tell(self) -> None:
        """Send what has happened."""
        pending, self._pending = self._pending, []
        for team, event in pending:
            await self.event(team, event)
        self.moved()

    async def event(self, team: Workspace, event: Json, event_id: str = "") -> Envelope:
        body = event_body(team, event, event_id or new_id("Ev"))
        return await self.sockets.deliver(team, "events_api", body)

    async def post(
        self,
        team: Workspace,
        channel: Channel,
        user: User,
        text: str = "",
        *,
        files: list[Json] | None = None,
        thread: str = "",
    ) -> Message:
        """Post a message as a person."""
        message = Message(channel, user.id, typed(text), thread_ts=thread, files=files or [])
        channel.messages[message.ts] = message
        if channel.keaton_inside:
            await self.event(team, self.said(message))
        if f"<@{team.keaton.id}>" in text:
            await self.event(team, {**self.said(message), "type": "app_mention"})
        self.moved()
        return message

    def said(self, message: Message) -> Json:
        event: Json = {**message.json(), "channel": message.channel.id, "event_ts": message.ts}
        return {**event, "subtype": "file_share"} if message.files else event

    async def change(self, team: Workspace, message: Message, text: str) -> None:
        message.text = typed(text)
        changed = {"type": "message", "subtype": "message_changed", "channel": message.channel.id, "ts": new_ts()}
        await self.event(team, {**changed, "message": message.json()})

    async def remove(self, team: Workspace, message: Message, event_id: str = "") -> None:
        channel = message.channel
        del channel.messages[message.ts]
        gone = {"type": "message", "subtype": "message_deleted", "channel": channel.id, "deleted_ts": message.ts}
        await self.event(team, {**gone, "ts": new_ts(), "previous_message": message.json()}, event_id)
        self.moved()

    def publish(self, video: Path) -> str:
        """Put a video onto a site outside of Slack; give its link."""
        self.site[video.name] = video
        return f"{self.url}/site/{video.name}"

    async def _video(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if request.method == "GET":
            self.fetched.append((request.path, request.headers.get("Authorization", "")))
            self.moved()
        if name in self.gates:
            await self.gates[name].wait()
        return web.FileResponse(self.site[name])

    async def _give_file(self, request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "")
        file, team = self._find(request.match_info["file"])
        if given != f"Bearer {team.bot_token}":
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        if request.method == "GET":
            self.fetched.append((request.path, given))
        return web.Response(body=file.data, content_type=file.mimetype)

    def _find(self, file_id: str) -> tuple[File, Workspace]:
        return next((team.files[file_id], team) for team in self.teams if file_id in team.files)
