"""Answers for one person alone, and the thread in their direct messages that holds the pictures.

They go by the URL of a press or command, else as an ephemeral message, else as a direct message. In a thread Slack
shows an ephemeral message only if the thread has a reply. An ephemeral message can be edited only by the URL that a
press of its own buttons brings, five times within half an hour.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bot.slack.permissions import is_talk
from bot.slack.pictures import Sharing
from bot.slack.refusals import (
    FAILURES,
    PAYLOAD,
    PicturesRefusedError,
    RefusedError,
    is_perhaps_done,
    reason_of,
    why_no_pictures,
)
from bot.slack.render import ALONE, OWN_PICTURES, UNSHOWN_ALONE, SlackCard, card
from core.model import actions
from core.model.reply import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Draw = Callable[[SlackCard], Awaitable[None]]
    import aiohttp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.sender import Slack
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)

_MOST_PROGRESS: Final = 2
"""Of the five times that Slack takes something, so many may say how far a thing is."""


class Whisper(Protocol):
    """A way to show a card to one person."""

    async def __call__(self, shown: SlackCard) -> None:
        """Show it; raises PicturesRefusedError where Slack may take it without its pictures."""
        ...

    async def sharing(self) -> Sharing:
        """Return where pictures are shared that only they may see; raises PicturesRefusedError."""
        ...


class DirectMessages:
    """The direct messages with each person, and the one thread in them that keeps their pictures."""

    def __init__(self, slack: Slack, ledger: Ledger, team_id: str) -> None:
        self._slack = slack
        self._client = slack.client
        self._ledger = ledger
        self._team_id = team_id

    async def post(self, user_id: str, shown: SlackCard) -> tuple[str, str]:
        """Post a card, and once; return its channel and ts. Raises RefusedError, and what Slack fails with."""
        return await self._slack.post_at(await self.channel(user_id), "", shown)

    async def sharing(self, user_id: str, root: SlackCard) -> Sharing:
        """Return the thread of a person's pictures, begun by `root` the first time; raises as `post` does.

        It is a thread because replies there notify nobody who has not replied.
        """
        note = f"slack:pictures:{self._team_id}:{user_id}"
        channel, _, ts = (await self._ledger.recall(note)).partition(":")
        if not ts or not await self._stands(channel, ts):
            channel, ts = await self.post(user_id, root)
            await self._ledger.remember(note, f"{channel}:{ts}")
        return Sharing(channel, ts, f"alone:{user_id}")

    async def channel(self, user_id: str) -> str:
        """Return the channel of the direct messages with a person, or what opens it; raises SlackApiError."""
        try:
            return str((await self._client.conversations_open(users=user_id))["channel"]["id"])
        except SlackApiError as error:
            if reason_of(error) != "missing_scope":
                raise
            # "With the chat:write scope enabled, call chat.postMessage and pass a user's ID as the value of channel to
            # post to that user's App Home channel": https://docs.slack.dev/reference/methods/chat.postMessage
            return user_id

    async def _stands(self, channel: str, ts: str) -> bool:
        """Tell whether the thread is there; where Slack does not let Keaton read it, sharing will tell."""
        try:
            found = await self._client.conversations_replies(channel=channel, ts=ts, limit=1)
        except SlackApiError as error:
            return reason_of(error) not in {"thread_not_found", "message_not_found", "channel_not_found"}
        return any(one.get("subtype") != "tombstone" for one in found["messages"][:1])


@dataclass(frozen=True, slots=True)
class Voice:
    """What is needed to whisper."""

    client: AsyncWebClient
    poster: AsyncWebClient
    """Tries nothing again by itself that Slack may have carried out: nobody can look whether a private word stands."""
    session: aiohttp.ClientSession
    direct: DirectMessages


@dataclass(frozen=True, slots=True)
class ToOne:
    """Shows cards to one person."""

    voice: Voice
    channel: str
    user_id: str
    thread_ts: str = ""
    """A thread that has a reply, or ""."""
    url: str = ""
    """The response_url of what they did, good for 30 minutes and five times; or ""."""

    async def __call__(self, shown: SlackCard) -> None:
        """Show a card where Slack takes it; raises PicturesRefusedError.

        Where it may stand in the channel though Slack says that it failed, it is not said there again.
        """
        perhaps_there = False
        for way in (self._by_url, self._in_channel, self._direct):
            if way == self._in_channel and perhaps_there:
                continue
            try:
                if await way(shown):
                    return
            except FAILURES as error:
                reason = reason_of(error)
                perhaps_there = perhaps_there or is_perhaps_done(error)
                if shown.files and reason in PAYLOAD and not is_perhaps_done(error):
                    raise PicturesRefusedError(reason) from error
                logger.info("Slack does not take a private answer this way: %s", reason)
            except PicturesRefusedError:
                raise
            except RefusedError as error:
                logger.info("Slack does not take a private answer this way: %s", error.reason)
        logger.warning("Slack takes a private answer in no way")

    async def redraw(self, shown: SlackCard) -> None:
        """Replace the message whose button was pressed; raises RefusedError, PicturesRefusedError."""
        status, body = await self._respond(shown, in_place=True)
        if status != 200:
            raise PicturesRefusedError(body) if shown.files and status == 400 else RefusedError(body)

    async def sharing(self) -> Sharing:
        """Return the thread of their pictures; raises PicturesRefusedError."""
        try:
            return await self.voice.direct.sharing(self.user_id, card(Reply(OWN_PICTURES)))
        except FAILURES as error:
            raise PicturesRefusedError(reason_of(error)) from error
        except RefusedError as error:
            raise PicturesRefusedError(error.reason) from error

    async def _by_url(self, shown: SlackCard) -> bool:
        if not self.url:
            return False
        status, body = await self._respond(shown, in_place=False)
        if status == 400 and shown.files:
            raise PicturesRefusedError(body)
        if status >= 500:
            raise TimeoutError  # nobody can look whether it was carried out
        return status == 200

    async def _in_channel(self, shown: SlackCard) -> bool:
        if is_talk(self.channel):
            return False
        await self.voice.poster.chat_postEphemeral(
            channel=self.channel, user=self.user_id, thread_ts=self.thread_ts or None, **shown.arguments()
        )
        return True

    async def _direct(self, shown: SlackCard) -> bool:
        await self.voice.direct.post(self.user_id, shown)
        return True

    async def _respond(self, shown: SlackCard, *, in_place: bool) -> tuple[int, str]:
        # to replace a message twice changes nothing; a new one would stand there twice
        handlers = (self.voice.client if in_place else self.voice.poster).retry_handlers
        hook = AsyncWebhookClient(self.url, session=self.voice.session, retry_handlers=handlers)
        body = {**shown.arguments(), "response_type": "ephemeral", "replace_original": in_place}
        if self.thread_ts:
            body["thread_ts"] = self.thread_ts
        sent = await hook.send_dict(body)
        return sent.status_code, str(sent.body)[:100]


@dataclass(slots=True)
class EphemeralTarget:
    """Shows the replies of one turn to the asker."""

    slack: Slack
    whisper: Whisper
    """Shows a new message to the asker."""
    redraw: Draw | None = None
    """Replaces the message whose button was pressed, where one was; raises RefusedError where that is refused."""
    note: str = ALONE
    """Why nobody else sees it."""
    beside: tuple[str, ...] = ()
    """The ids of the pictures that the last reply brought; nobody but Keaton can delete them."""
    _told: int = 0
    _is_answered: bool = False

    @property
    def seen_by_all(self) -> tuple[str, tuple[str, ...]]:
        """Return nothing: there is no such message."""
        return "", ()

    async def post(self, reply: Reply) -> None:
        """Show the first reply."""
        await self._show(reply)

    async def edit(self, reply: Reply) -> None:
        """Show the next reply, as far as Slack lets: in a message's place, or as the one message of a find."""
        await self._show(reply)

    async def _show(self, reply: Reply) -> None:
        self.beside = ()
        draw = self._in_place if reply.updates and self.redraw else self.whisper
        if reply.progress is not None:
            self._told += 1
            if self._told <= (_MOST_PROGRESS if draw == self._in_place else 1):
                await self._send(reply, draw)
        elif draw == self._in_place or not self._is_answered or reply.tone == "error":
            self._is_answered = True
            await self._send(reply, draw)

    async def _in_place(self, shown: SlackCard) -> None:
        """Replace the message, or show a new one where its address is used up."""
        try:
            await (self.redraw or self.whisper)(shown)
        except PicturesRefusedError:
            raise
        except RefusedError as error:
            logger.info("a private answer cannot be replaced any more: %s", error.reason)
            await self.whisper(shown)

    async def _send(self, reply: Reply, draw: Draw) -> None:
        if reply.tone == "error":
            await draw(card(reply))
            return
        reply = for_one(reply)
        note = "" if reply.entries else self.note  # a list is for one person by its nature
        if not reply.pictures:
            await draw(card(reply, note=note))
            return
        try:
            where = await self.whisper.sharing() if self.slack.pictures.shares else None
            shown = card(reply, await self.slack.pictures.shots(reply.pictures, where), note)
            await draw(shown)
        except PicturesRefusedError as error:
            logger.warning("Slack shows no pictures to one person: %s", error.reason)
            why = UNSHOWN_ALONE if error.reason in PAYLOAD | {"undigested"} else why_no_pictures(error.reason)
            await draw(card(reply, note=f"{note} {why}".strip()))
        else:
            self.beside = shown.files


def for_one(reply: Reply) -> Reply:
    """Return a reply without what only a whole channel can be given: files, and the buttons that send them."""
    pictures = tuple(one for one in reply.pictures if not one.is_video)
    return replace(reply, pictures=pictures, buttons=tuple(one for one in reply.buttons if not _sends(one.id)))


def _sends(action_id: str) -> bool:
    wish = actions.read(action_id)
    return isinstance(wish, actions.Show) and wish.mode == "file"
