"""The commands, as Discord shows them. Owns their names and options; must not know how they are answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import discord
from discord import app_commands

from bot.discord import posts, sight
from bot.discord.acknowledging import Clerk, Command
from bot.discord.asker import Interaction, standpoint
from bot.discord.desk import refuse
from core.commands import find as find_words
from core.errors.films import NoPicture, NotAPicture, NotAVideo
from core.errors.links import VideoUnavailable
from core.errors.turns import MayNotPost, MissingPermissions, NotAllowed
from core.links import find_links
from core.talk import Find, Forget, Help, LinkPosted, ListVideos, RemoteFilePosted, Status, Switch, Turn
from core.times import clock
from core.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.discord.desk import Desk
    from core.conversation import Conversation
    from core.model import Video
    from core.talk import Incoming

Needs: TypeAlias = tuple[str, ...] | None

_MOST_CHOICES = 25
_MOST_NAME = 100


class Commands:
    """Adds the commands to a tree."""

    def __init__(self, desk: Desk, conversation: Conversation, *, is_blind: bool) -> None:
        self._clerk = Clerk(desk)
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
            ("videos", "The films that I know here", self._videos),
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
            video="Look in this film alone",
            where="Where to look",
            picture="Look for what this shows, too",
        )
        @app_commands.rename(where="in")
        @app_commands.autocomplete(video=self._suggest)
        async def find(
            interaction: Interaction,
            text: app_commands.Range[str, 1, 300],
            video: str | None = None,
            where: sight.Where = "this channel",
            picture: discord.Attachment | None = None,
        ) -> None:
            await self._ask(interaction, text, video, where, picture)

        return app_commands.Command(name="find", description="Find the moment that shows something", callback=find)

    def _find_picture(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(
            picture="Look for what this shows", video="Look in this film alone", where="Where to look"
        )
        @app_commands.rename(where="in")
        @app_commands.autocomplete(video=self._suggest)
        async def find(
            interaction: Interaction,
            picture: discord.Attachment,
            video: str | None = None,
            where: sight.Where = "this channel",
        ) -> None:
            await self._ask(interaction, "", video, where, picture)

        about = "Find the moment that looks like a picture"
        return app_commands.Command(name="find-picture", description=about, callback=find)

    async def _find_message(self, interaction: Interaction, message: discord.Message) -> None:
        picture = next((one for one in posts.attachments(message) if posts.is_picture(one)), None)
        if picture is None:
            await refuse(interaction, NoPicture())
            return
        await self._ask(interaction, "", None, "this channel", picture)

    async def _ask(
        self,
        interaction: Interaction,
        text: str,
        video: str | None,
        where: sight.Where,
        picture: discord.Attachment | None,
    ) -> None:
        if picture is not None and not posts.is_picture(picture):
            await refuse(interaction, NotAPicture(picture.filename))
            return
        sights, at = self._sights, standpoint(self._sights, interaction)
        command = Command(
            lambda turn: _asked(turn, text, video, picture),
            lambda: sights.asked(at, where),
            # Who may not write here gets an answer that nobody else sees.
            sights.is_private(at, where) or bool(sight.unable(interaction.permissions, interaction.channel)),
            picture=picture,
            rooms=lambda: sights.rooms(at, where),
        )
        await self._clerk.answer(interaction, command)

    def _own(self, interaction: Interaction, event: Callable[[Turn], Incoming], needs: Needs = None) -> Command:
        """Return a command whose answer the asker alone sees."""
        at = standpoint(self._sights, interaction)
        return Command(event, lambda: self._sights.own(at), private=True, needs=needs)

    def _public(self, interaction: Interaction, event: Callable[[Turn], Incoming], needs: Needs = None) -> Command:
        """Return a command whose answer all see, and which draws on this channel."""
        at = standpoint(self._sights, interaction)
        return Command(event, lambda: self._sights.asked(at, "this channel"), needs=needs)

    def _forget(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(video="The film that shall go")
        @app_commands.autocomplete(video=self._suggest)
        async def forget(interaction: Interaction, video: str) -> None:
            await self._clerk.answer(interaction, self._own(interaction, lambda turn: Forget(turn, video)))

        return app_commands.Command(name="forget", description="Take a film back from this channel", callback=forget)

    def _index(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(url="A link to a film")
        async def index(interaction: Interaction, url: str) -> None:
            if unable := sight.unable(interaction.permissions, interaction.channel):
                await refuse(interaction, MayNotPost(unable))
                return
            links = find_links(url)
            if not links:
                await refuse(interaction, VideoUnavailable(url, "no_video"))
                return
            await self._clerk.answer(interaction, self._public(interaction, lambda turn: LinkPosted(turn, links[0])))

        return app_commands.Command(name="index", description="Look at a film behind a link", callback=index)

    def _index_file(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(file="A film")
        async def index(interaction: Interaction, file: discord.Attachment) -> None:
            if unable := sight.unable(interaction.permissions, interaction.channel):
                await refuse(interaction, MayNotPost(unable))
                return
            if not posts.is_film(file):
                await refuse(interaction, NotAVideo(file.filename))
                return
            command = self._public(interaction, lambda turn: RemoteFilePosted(turn, posts.given(file)))
            await self._clerk.answer(interaction, command)

        return app_commands.Command(name="index-file", description="Look at a film from a file", callback=index)

    async def _videos(self, interaction: Interaction) -> None:
        await self._clerk.answer(interaction, self._own(interaction, ListVideos))

    def _keaton(self) -> app_commands.Group:
        """Give the switch, which Discord shows to those alone who may use it, until an admin says otherwise.

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
        lacking = sight.missing(interaction.app_permissions, interaction.channel)
        command = self._own(
            interaction, lambda turn: Status(_of_switch(interaction, turn), self._is_blind, lacking), ()
        )
        await self._clerk.answer(interaction, command)

    async def _on(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=True)

    async def _off(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=False)

    async def _switch(self, interaction: Interaction, *, on: bool) -> None:
        if not interaction.permissions.manage_channels:
            await refuse(interaction, NotAllowed("Manage Channels"))
            return
        command = self._public(interaction, lambda turn: Switch(_of_switch(interaction, turn), on), ())
        await self._clerk.answer(interaction, command)

    async def _help(self, interaction: Interaction) -> None:
        await self._clerk.answer(interaction, self._own(interaction, Help, ()))

    async def _index_message(self, interaction: Interaction, message: discord.Message) -> None:
        lacking = sight.missing(interaction.app_permissions, interaction.channel)
        if unable := sight.unable(interaction.permissions, interaction.channel):
            await refuse(interaction, MayNotPost(unable))
            return
        here = self._sights.here(standpoint(self._sights, interaction))
        turn = posts.turn_of(message, interaction.guild_id or 0, here)
        items = posts.films(message, turn, asked=True)
        if lacking or not items:
            await refuse(interaction, MissingPermissions(lacking) if lacking else VideoUnavailable("", "no_video"))
            return
        await self._clerk.answer_items(interaction, items, message)

    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        where: sight.Where = getattr(interaction.namespace, "in", None) or "this channel"
        view = await self._sights.asked(standpoint(self._sights, interaction), where)
        videos = await self._conversation.suggest(view, typed, _MOST_CHOICES)
        return [
            app_commands.Choice(name=name, value=one.id) for name, one in _choices(videos) if len(one.id) <= _MOST_NAME
        ]


def _asked(turn: Turn, text: str, video: str | None, picture: discord.Attachment | None) -> Find:
    asked = find_words(turn, text)
    return replace(asked, video=video or asked.video, picture=posts.asked_about(picture) if picture else None)


def _of_switch(interaction: Interaction, turn: Turn) -> Turn:
    return replace(turn, scope=sight.switch_of(interaction.channel, turn.scope))


def _choices(videos: Sequence[Video]) -> list[tuple[str, Video]]:
    """Return videos with names to choose by; those with one title are told apart by how long they are."""
    same = Counter(one.title.casefold() for one in videos)
    return [
        (_name(f"{one.title} ({clock(one.duration_s)})" if same[one.title.casefold()] > 1 else one.title), one)
        for one in videos
    ]


def _name(title: str) -> str:
    title = " ".join(plain(title).split()) or "film"
    return title if len(title) <= _MOST_NAME else title[: _MOST_NAME - 1] + "…"
