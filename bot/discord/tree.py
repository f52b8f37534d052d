"""The command tree: each interaction once, in servers alone, and synced only when it changed. Knows no command."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.delivery import broken
from bot.discord.desk import refuse, whisper
from core.errors.turns import NotHere, NotYetKnown

if TYPE_CHECKING:
    from core.errors import AppError
    from core.ledger import Ledger

logger = logging.getLogger(__name__)

_SEEN_KEPT = 5000


class Seen:
    """The interactions of late: after a RESUME the gateway sends some twice. Their tokens outlive no process."""

    def __init__(self) -> None:
        self._ids: OrderedDict[int, None] = OrderedDict()

    def is_new(self, interaction_id: int) -> bool:
        """Tell whether an interaction was not seen before."""
        if interaction_id in self._ids:
            return False
        self._ids[interaction_id] = None
        if len(self._ids) > _SEEN_KEPT:
            self._ids.popitem(last=False)
        return True


class KeatonTree(app_commands.CommandTree[Any]):
    """The commands."""

    def __init__(self, client: discord.Client, *, seen: Seen) -> None:
        super().__init__(
            client,
            allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=False, private_channel=False),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )
        self._seen = seen

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Let through what is new and comes from a server that Keaton was added to."""
        if not self._seen.is_new(interaction.id):
            return False
        if interaction.guild is not None and interaction.is_guild_integration():
            if not interaction.guild.unavailable:
                return True
            await self._tell(interaction, NotYetKnown())
            return False
        await self._tell(interaction, NotHere())
        return False

    async def _tell(self, interaction: discord.Interaction[Any], error: AppError) -> None:
        if interaction.type is not discord.InteractionType.autocomplete:
            await refuse(interaction, error)

    async def on_error(self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /) -> None:
        """Log a bug under an id, and tell the asker that id."""
        if isinstance(getattr(error, "original", None), discord.NotFound):
            logger.warning("interaction %s was over before it was acknowledged", interaction.id)
            return
        bug_id = secrets.token_hex(3).upper()
        logger.error("bug %s", bug_id, exc_info=error)
        with suppress(discord.HTTPException):
            await whisper(interaction, broken(bug_id))

    async def sync_if_changed(self, ledger: Ledger) -> dict[str, str]:
        """Tell Discord the commands, unless it has these very ones already: it allows few such calls a day.

        Return the mention of each command (`</find:123>`), which Discord shows as something to click; of a group's
        command by "keaton help". What Discord does not tell is left out.
        """
        known, noted = (f"discord:{what}:{self.client.application_id}" for what in ("commands", "command_ids"))
        commands = [await self._payload(command) for command in self.get_commands()]
        digest = hashlib.sha256(json.dumps(commands, sort_keys=True).encode()).hexdigest()
        ids = await ledger.recall(noted)
        if await ledger.recall(known) == digest and ids:
            return self._mentions(json.loads(ids))
        try:
            told = await self.sync()
        except discord.HTTPException:
            logger.exception("Discord did not take the commands; those that it knows go on working")
            return self._mentions(json.loads(ids or "{}"))
        found = {one.name: one.id for one in told if one.type is discord.AppCommandType.chat_input}
        await ledger.remember(noted, json.dumps(found))
        await ledger.remember(known, digest)
        logger.info("told Discord the commands")
        return self._mentions(found)

    async def _payload(
        self, command: app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu
    ) -> dict[str, Any]:
        """Give a command as Discord is told it, in all its languages."""
        if self.translator is None:
            return command.to_dict(self)
        return await command.get_translated_payload(self, self.translator)

    def _mentions(self, ids: dict[str, int]) -> dict[str, str]:
        named = [
            one.qualified_name
            for one in self.walk_commands()
            if isinstance(one, app_commands.Command) and one.qualified_name.partition(" ")[0] in ids
        ]
        return {name: f"</{name}:{ids[name.partition(' ')[0]]}>" for name in named}
