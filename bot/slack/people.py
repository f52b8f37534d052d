"""Who people are and where Keaton is, as Slack tells. Owns what is remembered of that, in memory."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from typing import TYPE_CHECKING

from bot.slack.refusals import FAILURES, reason_of

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

logger = logging.getLogger(__name__)

_KEPT = 2000
OUTSIDE = {"not_in_channel", "channel_not_found"}
NOBODY = "somebody"


class People:
    """Names, asked for once."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client
        self._names: OrderedDict[str, str] = OrderedDict()

    def known(self, user_id: str) -> str:
        """Return what people call somebody where that was asked before, else ""."""
        return self._names.get(user_id, "")

    def quoted(self, text: str) -> str:
        """Put a known name of several words that follows `from:@` into quotes, as typed where Slack marks no names."""
        for name in sorted((one for one in self._names.values() if " " in one), key=len, reverse=True):
            typed = re.compile(rf"\bfrom:@{re.escape(name)}(?!\w)", re.IGNORECASE)
            text = f'from:"{name}"'.join(typed.split(text))
        return text

    async def name(self, user_id: str) -> str:
        """Give what people call somebody, or "somebody" where Slack does not say."""
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
        """Tell whether somebody runs the workspace, or has made the channel; no where Slack does not say."""
        return await self._runs_workspace(user_id) or await self._made(channel, user_id)

    async def is_member(self, user_id: str) -> bool:
        """Tell whether somebody is a full member, and no guest; no where Slack does not say."""
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
