"""Who people are, where Keaton is, and what an answer on Slack may draw on.

A public answer draws on another channel only where all who see it could look there themselves: they are in it too, or
it is public and they are no guests; and on a private channel never in a public one. Otherwise the answer is for the
asker alone. It is asked anew at each search and press.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.slack.refusals import FAILURES, reason_of
from core.model import actions
from core.model import query as asking
from core.model.events import Action, Find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.slack.config import Workspace
    from core.model.events import Incoming
    from core.ports.jobs import Ledger

logger = logging.getLogger(__name__)

_KEPT = 2000
OUTSIDE = {"not_in_channel", "channel_not_found"}
NOBODY = "somebody"
_A_PAGE = 500
_ALIKE = "like:"
"""What the ids of buttons begin with that ask a question of their own."""
_GUESTS_FOR_S = 300.0
"""So long it is remembered who is a guest: Slack lists its people twenty times a minute at most."""


class People:
    """Names, asked for once."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: OrderedDict[str, str] = OrderedDict()

    def known(self, user_id: str) -> str:
        """Return what people call a person where that was asked before, else ""."""
        return self._names.get(user_id, "")

    def quoted(self, text: str) -> str:
        """Put a known name of several words that follows `from:@` into quotes, as typed where Slack marks no names."""
        for name in sorted((one for one in self._names.values() if " " in one), key=len, reverse=True):
            typed = re.compile(rf"\bfrom:@{re.escape(name)}(?!\w)", re.IGNORECASE)
            text = f'from:"{name}"'.join(typed.split(text))
        return text

    async def name(self, user_id: str) -> str:
        """Return what people call a person, or "somebody" where Slack does not say."""
        if user_id not in self._names:
            self._names[user_id] = await self._ask(user_id)
            if len(self._names) > _KEPT:
                self._names.popitem(last=False)
        return self._names[user_id]

    async def _ask(self, user_id: str) -> str:
        try:
            user = (await self._client.users_info(user=user_id))["user"]
        except FAILURES as error:
            logger.warning("Slack does not tell a name: %s", reason_of(error))
            return NOBODY
        profile = user.get("profile") or {}
        return str(profile.get("display_name") or profile.get("real_name") or user.get("name") or NOBODY)


class Rights:
    """Who moderates what, asked for each time: it may have changed."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def moderates(self, user_id: str, channel: str) -> bool:
        """Tell whether a person runs the workspace, or has made the channel; no where Slack does not say."""
        return await self._runs_workspace(user_id) or await self._made(channel, user_id)

    async def is_member(self, user_id: str) -> bool:
        """Tell whether a person is a full member, and no guest; no where Slack does not say."""
        try:
            user = (await self._client.users_info(user=user_id))["user"]
        except FAILURES as error:
            logger.warning("Slack does not tell who is a guest: %s", reason_of(error))
            return False
        return not (user.get("is_restricted") or user.get("is_ultra_restricted") or user.get("is_stranger"))

    async def _runs_workspace(self, user_id: str) -> bool:
        try:
            user = (await self._client.users_info(user=user_id))["user"]
        except FAILURES as error:
            logger.warning("Slack does not tell what somebody may do: %s", reason_of(error))
            return False
        return bool(user.get("is_admin") or user.get("is_owner"))

    async def _made(self, channel: str, user_id: str) -> bool:
        try:
            told = (await self._client.conversations_info(channel=channel))["channel"]
        except FAILURES as error:
            logger.warning("Slack does not tell who made a channel: %s", reason_of(error))
            return False
        return bool(user_id) and told.get("creator") == user_id


class Membership:
    """The channels that Keaton is in, as far as it was seen."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._inside: set[str] = set()

    def see(self, channel: str) -> bool:
        """Note that Slack showed a message of a channel, which it does inside alone; tell whether that is news."""
        is_new = channel not in self._inside
        self._inside.add(channel)
        return is_new

    def left(self, channel: str) -> None:
        """Note that Slack refused a message to a channel."""
        self._inside.discard(channel)

    async def is_inside(self, channel: str) -> bool:
        """Tell whether Keaton may speak in a channel; where Slack does not tell, posting will."""
        if channel in self._inside:
            return True
        try:
            await self._client.conversations_history(channel=channel, limit=1)
        except FAILURES as error:
            return reason_of(error) not in OUTSIDE
        self._inside.add(channel)
        return True


@dataclass(frozen=True, slots=True)
class Opened:
    """What a person asks, with the channels that its answer may draw on."""

    event: Incoming
    alone: bool = False
    """The asker may see all of that; others who are there may not."""


class Rooms:
    """Widens what may be drawn on, by what Slack tells."""

    def __init__(self, client: AsyncWebClient, ledger: Ledger, workspace: Workspace) -> None:
        self._client = client
        self._ledger = ledger
        self._workspace = workspace
        self._full: tuple[float, frozenset[str]] | None = None

    async def opened(self, event: Incoming, *, alone: bool = False) -> Opened:
        """Return what a person asks with the channel that `in:` names, and whether the answer is for them alone.

        A press, or words that refine an answer, may draw on what was shown here before, as far as it may still be:
        `alone` says that the pressed button stands where its presser alone sees it. Where Slack does not tell, nothing
        is widened.
        """
        opened = Opened(event, alone)
        if is_talk(event.turn.scope.channel):
            return await self._in_talk(event)
        if isinstance(event, Action) and actions.lists(event.id):
            return opened  # the list is of this channel alone, whatever answers were shown here
        try:
            if isinstance(event, Find) and event.filters.channel:
                opened = await self._named(event)
            elif isinstance(event, Find) and asking.refinement(event.text) is not None and not event.refines:
                opened = Opened(event, bool(await self._ledger.recall(self._asked_alone(event))))
            if isinstance(opened.event, Action) or (isinstance(opened.event, Find) and _refines(opened.event)):
                opened = await self._widened(opened.event, alone=opened.alone)
        except FAILURES as error:
            logger.warning("Slack does not tell who is in which channel: %s", reason_of(error))
        await self._note_last(opened)
        return opened

    async def shared_with(self, user_id: str) -> tuple[tuple[str, str], ...]:
        """Return id and name of the channels that a person and Keaton are both in; raises what Slack fails with."""
        mine = {one["id"] async for one in self._joined("")}
        return tuple([(one["id"], str(one["name"])) async for one in self._joined(user_id) if one["id"] in mine])

    async def _in_talk(self, event: Incoming) -> Opened:
        """Let direct messages with Keaton draw on all that the one who writes there may see."""
        try:
            rooms = await self.shared_with(event.turn.user_id)
        except FAILURES as error:
            logger.warning("Slack does not tell who is in which channel: %s", reason_of(error))
            return Opened(event)
        view = event.turn.view
        view = replace(view, channels=view.channels | {one for one, _ in rooms})
        event = replace(event, turn=replace(event.turn, view=view))
        return Opened(replace(event, rooms=rooms) if isinstance(event, Find) else event)

    async def _named(self, event: Find) -> Opened:
        here, name = event.turn.scope.channel, event.filters.channel.casefold()
        if name in {"here", here.casefold()}:
            return Opened(event)
        async for one in self._joined(event.turn.user_id):
            if name in {one["id"].casefold(), str(one.get("name", "")).casefold()}:
                asked = replace(event, rooms=((one["id"], str(one["name"])),))
                if one["id"] == here:
                    return Opened(asked)
                await self._ledger.remember(self._note(here) + one["id"], one["id"])
                return Opened(asked, alone=not await self._all_see(here, one))
        return Opened(event)

    async def _widened(self, event: Action | Find, *, alone: bool) -> Opened:
        turn = event.turn
        before = [there for _, there in await self._ledger.notes(self._note(turn.scope.channel)) if there]
        if alone:
            joined = {one["id"] async for one in self._joined(turn.user_id)}
            seen = [there for there in before if there in joined]
        else:
            seen = [there for there in before if await self._all_see(turn.scope.channel, await self._told(there))]
        view = replace(turn.view, channels=turn.view.channels | frozenset(seen))
        return Opened(replace(event, turn=replace(turn, view=view)), alone)

    async def _note_last(self, opened: Opened) -> None:
        """Remember whether a person's last question was answered to them alone: what refines it is, too."""
        if isinstance(opened.event, Find) or (isinstance(opened.event, Action) and opened.event.id.startswith(_ALIKE)):
            note, text = self._asked_alone(opened.event), "1" if opened.alone else ""
            if await self._ledger.recall(note) != text:
                await self._ledger.remember(note, text)

    async def _all_see(self, here: str, there: dict[str, Any] | None) -> bool:
        """Tell whether all who can see a channel can see another one."""
        room = await self._told(here)
        if room is None or there is None or (there.get("is_private") and not room.get("is_private")):
            return False
        inside, others = await self._members(here), await self._members(there["id"])
        outside = inside - others - {self._workspace.bot_id}
        return not outside or (not there.get("is_private") and outside <= await self._full_members())

    async def _told(self, channel: str) -> dict[str, Any] | None:
        try:
            told: dict[str, Any] = (await self._client.conversations_info(channel=channel))["channel"]
        except FAILURES as error:
            if reason_of(error) == "channel_not_found":
                return None
            raise
        return told

    async def _joined(self, user_id: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the channels that a person is in, of private ones those that Keaton is in too; "" for its own."""
        types = "public_channel,private_channel"
        async for page in await self._client.users_conversations(user=user_id or None, types=types, limit=_A_PAGE):
            for one in page["channels"]:
                yield one

    async def _members(self, channel: str) -> frozenset[str]:
        pages = await self._client.conversations_members(channel=channel, limit=_A_PAGE)
        return frozenset([one async for page in pages for one in page["members"]])

    async def _full_members(self) -> frozenset[str]:
        """Return the people of this workspace that may look into each public channel."""
        now_s = asyncio.get_running_loop().time()
        if self._full is None or now_s - self._full[0] > _GUESTS_FOR_S:
            pages = await self._client.users_list(limit=_A_PAGE)
            people = [one async for page in pages for one in page["members"]]
            self._full = now_s, frozenset(one["id"] for one in people if self._is_full(one))
        return self._full[1]

    def _is_full(self, one: dict[str, Any]) -> bool:
        is_guest = one.get("is_restricted") or one.get("is_ultra_restricted") or one.get("is_stranger")
        return not is_guest and one.get("team_id", self._workspace.team_id) == self._workspace.team_id

    def _note(self, here: str) -> str:
        return f"slack:in:{self._workspace.team_id}:{here}:"

    def _asked_alone(self, event: Action | Find) -> str:
        return f"slack:alone:{self._workspace.team_id}:{event.turn.scope.channel}:{event.turn.user_id}"


def is_talk(channel: str) -> bool:
    """Tell whether a channel is the direct messages between two, or a person, to whom posting opens them."""
    return channel.startswith(("D", "U", "W"))


def _refines(event: Find) -> bool:
    return bool(event.refines) or asking.refinement(event.text) is not None
