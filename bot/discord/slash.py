"""The commands, as Discord shows them. Owns their names and options; must not know how they are answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from bot.discord import posts, sight
from bot.discord.acknowledging import Clerk
from bot.discord.asker import Interaction, Where, asked_view, own_view, public_view
from bot.discord.desk import refuse
from core.commands import find as find_words
from core.errors.films import NotAPicture, NotAVideo
from core.errors.links import VideoUnavailable
from core.errors.turns import MissingPermissions, NotAllowed
from core.links import find_links
from core.talk import Find, Forget, Help, LinkPosted, ListVideos, RemoteFilePosted, Status, Switch, Turn

if TYPE_CHECKING:
    from bot.discord.desk import Desk
    from core.conversation import Conversation
    from core.errors import AppError
    from core.talk import Incoming

_MOST_CHOICES = 25
_MOST_NAME = 100


class Commands:
    """Adds the commands to a tree."""

    def __init__(self, desk: Desk, conversation: Conversation, *, is_blind: bool) -> None:
        self._clerk = Clerk(desk)
        self._conversation = conversation
        self._is_blind = is_blind

    def add_to(self, tree: app_commands.CommandTree[Any]) -> None:
        """Add all commands."""
        tree.add_command(self._find())
        tree.add_command(self._forget())
        tree.add_command(self._index())
        tree.add_command(
            app_commands.Command(name="videos", description="The films that I know here", callback=self._videos)
        )
        tree.add_command(app_commands.ContextMenu(name="Index this video", callback=self._index_message))
        tree.add_command(self._keaton())

    def _find(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(
            text="What you want to see: /keaton help has more",
            video="Look in this film alone",
            where="Where to look",
            picture="Look for what this shows",
        )
        @app_commands.rename(where="in")
        @app_commands.autocomplete(video=self._suggest)
        async def find(
            interaction: Interaction,
            text: app_commands.Range[str, 1, 300] = "",
            video: str | None = None,
            where: Where = "this channel",
            picture: discord.Attachment | None = None,
        ) -> None:
            if picture is not None and not posts.is_picture(picture):
                await refuse(interaction, NotAPicture(picture.filename))
                return
            view, private = asked_view(interaction, where)
            await self._clerk.answer(
                interaction, lambda turn: _asked(interaction, turn, text, video, picture), view, private=private
            )

        return app_commands.Command(name="find", description="Find the moment that shows something", callback=find)

    def _forget(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(video="The film that shall go")
        @app_commands.autocomplete(video=self._suggest)
        async def forget(interaction: Interaction, video: str) -> None:
            await self._clerk.answer(interaction, lambda turn: Forget(turn, video), own_view(interaction), private=True)

        return app_commands.Command(name="forget", description="Take a film back from this channel", callback=forget)

    def _index(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(url="A link to a film", file="A film")
        async def index(
            interaction: Interaction, url: str | None = None, file: discord.Attachment | None = None
        ) -> None:
            problem = _unusable(url, file)
            if problem is not None:
                await refuse(interaction, problem)
                return
            await self._clerk.answer(interaction, lambda turn: _posted(turn, url, file), public_view(interaction))

        return app_commands.Command(name="index", description="Look at a film", callback=index)

    async def _videos(self, interaction: Interaction) -> None:
        await self._clerk.answer(interaction, ListVideos, own_view(interaction), private=True)

    def _keaton(self) -> app_commands.Group:
        group = app_commands.Group(name="keaton", description="How I stand in this channel")
        for name, about, callback in (
            ("status", "How things stand in this channel", self._status),
            ("on", "Let me look at what is posted in this channel", self._on),
            ("off", "Let me leave what is posted in this channel alone", self._off),
            ("help", "What I can do", self._help),
        ):
            group.add_command(app_commands.Command(name=name, description=about, callback=callback))
        return group

    async def _status(self, interaction: Interaction) -> None:
        lacking = sight.missing(interaction.app_permissions, interaction.channel)
        await self._clerk.answer(
            interaction,
            lambda turn: Status(_of_switch(interaction, turn), self._is_blind, lacking),
            own_view(interaction),
            private=True,
            needs=(),
        )

    async def _on(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=True)

    async def _off(self, interaction: Interaction) -> None:
        await self._switch(interaction, on=False)

    async def _switch(self, interaction: Interaction, *, on: bool) -> None:
        if not interaction.permissions.manage_channels:
            await refuse(interaction, NotAllowed("Manage Channels"))
            return
        await self._clerk.answer(
            interaction, lambda turn: Switch(_of_switch(interaction, turn), on), public_view(interaction), needs=()
        )

    async def _help(self, interaction: Interaction) -> None:
        await self._clerk.answer(interaction, Help, public_view(interaction), private=True, needs=())

    async def _index_message(self, interaction: Interaction, message: discord.Message) -> None:
        lacking = sight.missing(interaction.app_permissions, interaction.channel)
        turn = posts.turn_of(message, interaction.guild_id or 0, public_view(interaction))
        items = posts.films(message, turn, asked=True)
        if lacking or not items:
            await refuse(interaction, MissingPermissions(lacking) if lacking else VideoUnavailable("", "no_video"))
            return
        await self._clerk.answer_items(interaction, items, message)

    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        where: Where = getattr(interaction.namespace, "in", None) or "this channel"
        view, _ = asked_view(interaction, where)
        videos = await self._conversation.suggest(view, typed)
        fitting = [video for video in videos if len(video.id) <= _MOST_NAME]
        return [app_commands.Choice(name=_name(one.title), value=one.id) for one in fitting[:_MOST_CHOICES]]


def _asked(
    interaction: Interaction, turn: Turn, text: str, video: str | None, picture: discord.Attachment | None
) -> Find:
    asked = find_words(turn, text)
    place, asker = interaction.channel, interaction.user
    shown = posts.asked_about(picture) if picture else None
    asked = replace(asked, video=video or asked.video, picture=shown)
    if not asked.filters.channel or not isinstance(place, discord.abc.GuildChannel | discord.Thread):
        return asked
    return replace(asked, rooms=sight.rooms(place, asker)) if isinstance(asker, discord.Member) else asked


def _of_switch(interaction: Interaction, turn: Turn) -> Turn:
    return replace(turn, scope=sight.switch_of(interaction.channel, turn.scope))


def _unusable(url: str | None, file: discord.Attachment | None) -> AppError | None:
    if file is not None:
        return None if posts.is_film(file) else NotAVideo(file.filename)
    return None if url and find_links(url) else VideoUnavailable(url or "", "no_video")


def _posted(turn: Turn, url: str | None, file: discord.Attachment | None) -> Incoming:
    if file is not None:
        return RemoteFilePosted(turn, posts.given(file))
    return LinkPosted(turn, find_links(url or "")[0])


def _name(title: str) -> str:
    return title if len(title) <= _MOST_NAME else title[: _MOST_NAME - 1] + "…"
