"""The application commands: names, options, descriptions, and syncing them when they changed.

The gateway sends some interactions twice after a RESUME; each is handled once.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import app_commands

from bot.discord import messages, permissions
from bot.discord.desk import refuse, whisper
from bot.discord.interactions import Command, Interaction, InteractionHandler, SeenInteractions, standpoint
from bot.doors.delivery import broken
from core.conversation.commands import find as find_words
from core.errors import (
    MayNotPost,
    MissingPermissions,
    NoPicture,
    NotAllowed,
    NotAPicture,
    NotAVideo,
    NotHere,
    NotYetKnown,
    VideoUnavailable,
)
from core.formatting import clock, plain
from core.links import meant_links
from core.model.events import Find, Forget, Help, LinkPosted, ListVideos, RemoteFilePosted, Status, Switch, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.discord.desk import DiscordDesk
    from core.conversation.conversation import Conversation
    from core.errors import AppError
    from core.model.events import Incoming
    from core.model.video import Video
    from core.ports.jobs import Ledger

Needs: TypeAlias = tuple[str, ...] | None
_MOST_CHOICES = 25
_MOST_NAME = 100

logger = logging.getLogger(__name__)


class DiscordCommands:
    """Adds the commands to a tree."""

    def __init__(
        self, desk: DiscordDesk, interactions: InteractionHandler, conversation: Conversation, *, is_blind: bool
    ) -> None:
        self._interactions = interactions
        self._sights = desk.sights
        self._conversation = conversation
        self._is_blind = is_blind

    def add_to(self, tree: app_commands.CommandTree[Any]) -> None:
        """Add all commands.

        What people type behind a command fills its first required option, and is dropped where it has none: Discord
        calls that "working as intended" (https://github.com/discord/discord-api-docs/issues/2626).
        """
        for command in (self._find(), self._find_picture(), self._forget(), self._index(), self._index_file()):
            tree.add_command(command)
        for name, about, callback in (
            ("videos", "The videos that I know here", self._videos),
            ("status", "How things stand in this channel", self._status),
            ("help", "What I can do", self._help),
        ):
            tree.add_command(app_commands.Command(name=name, description=about, callback=callback))
        tree.add_command(app_commands.ContextMenu(name="Index this video", callback=self._index_message))
        tree.add_command(app_commands.ContextMenu(name="Find this picture", callback=self._find_message))
        tree.add_command(self._keaton())

    def _find(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(
            text="What you want to see: /help has more",
            video="Look in this video alone",
            where="Where to look",
            picture="Look for what this shows, too",
        )
        @app_commands.rename(where="in")
        @app_commands.autocomplete(video=self._suggest)
        async def find(
            interaction: Interaction,
            text: app_commands.Range[str, 1, 300],
            video: str | None = None,
            where: permissions.Where = "this channel",
            picture: discord.Attachment | None = None,
        ) -> None:
            await self._ask(interaction, text, video, where, picture)

        return app_commands.Command(name="find", description="Find the moment that shows something", callback=find)

    def _find_picture(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(
            picture="Look for what this shows", video="Look in this video alone", where="Where to look"
        )
        @app_commands.rename(where="in")
        @app_commands.autocomplete(video=self._suggest)
        async def find(
            interaction: Interaction,
            picture: discord.Attachment,
            video: str | None = None,
            where: permissions.Where = "this channel",
        ) -> None:
            await self._ask(interaction, "", video, where, picture)

        about = "Find the moment that looks like a picture"
        return app_commands.Command(name="find-picture", description=about, callback=find)

    async def _find_message(self, interaction: Interaction, message: discord.Message) -> None:
        picture = next((one for one in messages.attachments(message) if messages.is_picture(one)), None)
        if picture is None:
            await refuse(interaction, NoPicture())
            return
        await self._ask(interaction, "", None, "this channel", picture)

    async def _ask(
        self,
        interaction: Interaction,
        text: str,
        video: str | None,
        where: permissions.Where,
        picture: discord.Attachment | None,
    ) -> None:
        if picture is not None and not messages.is_picture(picture):
            await refuse(interaction, NotAPicture(picture.filename))
            return
        sights, at = self._sights, standpoint(self._sights, interaction)
        command = Command(
            lambda turn: _asked(turn, text, video, picture),
            lambda: sights.asked(at, where),
            # Who may not write here gets an answer that nobody else sees.
            sights.is_private(at, where) or bool(permissions.unable(interaction.permissions, interaction.channel)),
            picture=picture,
            rooms=lambda: sights.rooms(at, where),
        )
        await self._interactions.answer(interaction, command)

    def _own(self, interaction: Interaction, event: Callable[[Turn], Incoming], needs: Needs = None) -> Command:
        """Return a command whose answer the asker alone sees."""
        at = standpoint(self._sights, interaction)
        return Command(event, lambda: self._sights.own(at), private=True, needs=needs)

    def _public(self, interaction: Interaction, event: Callable[[Turn], Incoming], needs: Needs = None) -> Command:
        """Return a command whose answer all see, and which draws on this channel."""
        at = standpoint(self._sights, interaction)
        return Command(event, lambda: self._sights.asked(at, "this channel"), needs=needs)

    def _forget(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(video="The video that shall go")
        @app_commands.autocomplete(video=self._suggest)
        async def forget(interaction: Interaction, video: str) -> None:
            await self._interactions.answer(interaction, self._own(interaction, lambda turn: Forget(turn, video)))

        return app_commands.Command(name="forget", description="Forget a video of this channel", callback=forget)

    def _index(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(url="A link to a video")
        async def index(interaction: Interaction, url: str) -> None:
            if unable := permissions.unable(interaction.permissions, interaction.channel):
                await refuse(interaction, MayNotPost(unable))
                return
            links = meant_links(url)
            if not links:
                await refuse(interaction, VideoUnavailable(url, "no_video"))
                return
            await self._interactions.answer(
                interaction, self._public(interaction, lambda turn: LinkPosted(turn, links[0]))
            )

        return app_commands.Command(name="index", description="Look at a video behind a link", callback=index)

    def _index_file(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(file="A video")
        async def index(interaction: Interaction, file: discord.Attachment) -> None:
            if unable := permissions.unable(interaction.permissions, interaction.channel):
                await refuse(interaction, MayNotPost(unable))
                return
            if not messages.is_video(file):
                await refuse(interaction, NotAVideo(file.filename))
                return
            command = self._public(interaction, lambda turn: RemoteFilePosted(turn, messages.given(file)))
            await self._interactions.answer(interaction, command)

        return app_commands.Command(name="index-file", description="Look at a video from a file", callback=index)

    async def _videos(self, interaction: Interaction) -> None:
        await self._interactions.answer(interaction, self._own(interaction, ListVideos))

    def _keaton(self) -> app_commands.Group:
        """Return the switch, which Discord shows to those alone who may use it, until an admin says otherwise.

        Such permissions belong to a whole command, so what everybody may use stands beside it and not in it.
        """
        may_switch = discord.Permissions(manage_channels=True)
        group = app_commands.Group(
            name="keaton", description="Whether I look at what is posted here", default_permissions=may_switch
        )
        for name, about, callback in (
            ("on", "Let me look at what is posted in this channel", self._on),
            ("off", "Let me leave what is posted in this channel alone", self._off),
        ):
            group.add_command(app_commands.Command(name=name, description=about, callback=callback))
        return group

    async def _status(self, interaction: Interaction) -> None:
        lacking = permissions.missing(interaction.app_permissions, interaction.channel)
        command = self._own(
            interaction, lambda turn: Status(_of_switch(interaction, turn), self._is_blind, lacking), ()
        )
        await self._interactions.answer(interaction, command)

    async def _on(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=True)

    async def _off(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=False)

    async def _switch(self, interaction: Interaction, *, on: bool) -> None:
        if not interaction.permissions.manage_channels:
            await refuse(interaction, NotAllowed("Manage Channels"))
            return
        command = self._public(interaction, lambda turn: Switch(_of_switch(interaction, turn), on), ())
        await self._interactions.answer(interaction, command)

    async def _help(self, interaction: Interaction) -> None:
        await self._interactions.answer(interaction, self._own(interaction, Help, ()))

    async def _index_message(self, interaction: Interaction, message: discord.Message) -> None:
        lacking = permissions.missing(interaction.app_permissions, interaction.channel)
        if unable := permissions.unable(interaction.permissions, interaction.channel):
            await refuse(interaction, MayNotPost(unable))
            return
        here = self._sights.here(standpoint(self._sights, interaction))
        turn = messages.turn_of(message, interaction.guild_id or 0, here)
        items = messages.videos(message, turn, asked=True)
        if lacking or not items:
            await refuse(interaction, MissingPermissions(lacking) if lacking else VideoUnavailable("", "no_video"))
            return
        await self._interactions.answer_items(interaction, items, message)

    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        where: permissions.Where = getattr(interaction.namespace, "in", None) or "this channel"
        view = await self._sights.asked(standpoint(self._sights, interaction), where)
        videos = await self._conversation.videos.suggest(view, typed, _MOST_CHOICES)
        return [
            app_commands.Choice(name=name, value=one.id) for name, one in _choices(videos) if len(one.id) <= _MOST_NAME
        ]


def _asked(turn: Turn, text: str, video: str | None, picture: discord.Attachment | None) -> Find:
    asked = find_words(turn, text)
    return replace(asked, video=video or asked.video, picture=messages.asked_about(picture) if picture else None)


def _of_switch(interaction: Interaction, turn: Turn) -> Turn:
    return replace(turn, scope=permissions.switch_of(interaction.channel, turn.scope))


def _choices(videos: Sequence[Video]) -> list[tuple[str, Video]]:
    """Return videos with names to choose by; those with one title are told apart by how long they are."""
    same = Counter(one.title.casefold() for one in videos)
    return [
        (_name(f"{one.title} ({clock(one.duration_s)})" if same[one.title.casefold()] > 1 else one.title), one)
        for one in videos
    ]


def _name(title: str) -> str:
    title = " ".join(plain(title).split()) or "video"
    return title if len(title) <= _MOST_NAME else title[: _MOST_NAME - 1] + "…"


class KeatonTree(app_commands.CommandTree[Any]):
    """The commands."""

    def __init__(self, client: discord.Client, *, seen: SeenInteractions) -> None:
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
        """Return a command as Discord is told it, in all its languages."""
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
