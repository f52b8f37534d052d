"""The commands, as Discord shows them. Owns their names and options; must not know how they are answered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import discord
from discord import app_commands

from bot.discord import posts, sight
from bot.discord.config import DOOR, MOST_FILE_BYTES
from bot.discord.desk import refuse
from bot.discord.places import CommandPlace
from bot.discord.standing import Standing
from bot.doors import Item
from core.commands import find as find_words
from core.errors import AppError
from core.errors.films import NotAPicture, NotAVideo
from core.errors.links import VideoUnavailable
from core.errors.turns import MissingPermissions, NotAllowed
from core.ledger import Errand
from core.links import find_links
from core.talk import Find, Forget, Help, LinkPosted, ListVideos, RemoteFilePosted, Status, Switch, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.discord.desk import Desk
    from bot.requests import Taken
    from core.conversation import Conversation
    from core.model import View
    from core.talk import Incoming

Interaction: TypeAlias = discord.Interaction[Any]
Where: TypeAlias = Literal["this channel", "this server", "all I can read"]

_PLACES = (discord.abc.GuildChannel, discord.Thread)
_MOST_CHOICES = 25
_MOST_NAME = 100


class Commands:
    """Adds the commands to a tree."""

    def __init__(self, desk: Desk, conversation: Conversation, *, is_blind: bool) -> None:
        self._desk = desk
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
            await self._answer(
                interaction, lambda turn: _asked(interaction, turn, text, video, picture), view, private=private
            )

        return app_commands.Command(name="find", description="Find the moment that shows something", callback=find)

    def _forget(self) -> app_commands.Command[Any, ..., None]:
        @app_commands.describe(video="The film that shall go")
        @app_commands.autocomplete(video=self._suggest)
        async def forget(interaction: Interaction, video: str) -> None:
            await self._answer(interaction, lambda turn: Forget(turn, video), own_view(interaction), private=True)

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
            await self._answer(interaction, lambda turn: _posted(turn, url, file), public_view(interaction))

        return app_commands.Command(name="index", description="Look at a film", callback=index)

    async def _videos(self, interaction: Interaction) -> None:
        await self._answer(interaction, ListVideos, own_view(interaction), private=True)

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
        await self._answer(
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
        await self._answer(
            interaction, lambda turn: Switch(_of_switch(interaction, turn), on), public_view(interaction), needs=()
        )

    async def _help(self, interaction: Interaction) -> None:
        await self._answer(interaction, Help, public_view(interaction), private=True, needs=())

    async def _index_message(self, interaction: Interaction, message: discord.Message) -> None:
        lacking = sight.missing(interaction.app_permissions, interaction.channel)
        turn = posts.turn_of(message, interaction.guild_id or 0, public_view(interaction))
        items = posts.films(message, turn, asked=True)
        if lacking or not items:
            await refuse(interaction, MissingPermissions(lacking) if lacking else VideoUnavailable("", "no_video"))
            return
        taken = await self._written(interaction, items, Standing(interaction.token, of=message.id))
        response = await interaction.response.defer(thinking=True)
        answer = CommandPlace(interaction, is_private=False, message_id=response.message_id if response else None)
        for number, one in enumerate(taken):
            place = answer if number == 0 else await self._desk.message_place(message, Item(one.errand.item, one.event))
            self._desk.start(self._desk.answer_taken(one, place), message.id)

    async def _written(self, interaction: Interaction, items: Sequence[Item], standing: Standing) -> list[Taken]:
        """Write down what was asked for, before it is acknowledged."""
        scope = sight.scope_of(interaction.guild_id or 0, interaction.channel_id or 0)
        keys = [(Errand(scope, "", f"interaction:{interaction.id}:{item.name}"), item.event) for item in items]
        place = standing.text()
        return [one for errand, event in keys if (one := await self._desk.requests.take(errand, event, place))]

    async def _suggest(self, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        where: Where = getattr(interaction.namespace, "in", None) or "this channel"
        view, _ = asked_view(interaction, where)
        videos = await self._conversation.suggest(view, typed)
        fitting = [video for video in videos if len(video.id) <= _MOST_NAME]
        return [app_commands.Choice(name=_name(one.title), value=one.id) for one in fitting[:_MOST_CHOICES]]

    async def _answer(
        self,
        interaction: Interaction,
        event: Callable[[Turn], Incoming],
        view: View,
        *,
        private: bool = False,
        needs: tuple[str, ...] | None = None,
    ) -> None:
        """Acknowledge, then show what comes; `needs` are permissions other than those of a public answer."""
        lacking = sight.missing(interaction.app_permissions, interaction.channel) if needs is None else needs
        if lacking:
            await refuse(interaction, MissingPermissions(lacking))
            return
        asked = event(turn_of(interaction, view))
        if isinstance(asked, LinkPosted | RemoteFilePosted | Find | Forget | Switch):
            await self._answer_written(interaction, asked, view, private=private)
            return
        response = await interaction.response.defer(thinking=True, ephemeral=private)
        place = CommandPlace(interaction, private, response.message_id if response else None)
        self._desk.start(self._desk.answer(event(turn_of(interaction, view, place.message_id)), place))

    async def _answer_written(
        self,
        interaction: Interaction,
        event: LinkPosted | RemoteFilePosted | Find | Forget | Switch,
        view: View,
        *,
        private: bool,
    ) -> None:
        standing = replace(_standing(interaction), private=private, moderator=event.turn.moderator)
        try:
            (taken,) = await self._written(interaction, [Item("", event)], standing)
        except AppError as error:
            await refuse(interaction, error)
            return
        response = await interaction.response.defer(thinking=True, ephemeral=private)
        place = CommandPlace(interaction, private, response.message_id if response else None)
        if place.message_id:
            place_text = replace(standing, answer=place.message_id).text()
            await self._desk.requests.stand(taken, place_text, str(place.message_id))
        turn = replace(turn_of(interaction, view, place.message_id), scope=event.turn.scope)
        self._desk.start(self._desk.answer_taken(replace(taken, event=replace(taken.event, turn=turn)), place))


def turn_of(interaction: Interaction, view: View, message_id: int | None = None) -> Turn:
    """Give the turn of whoever used a command or pressed a button; the message is Keaton's answer."""
    guild_id, channel_id = interaction.guild_id or 0, interaction.channel_id or 0
    url = f"https://discord.com/channels/{guild_id}/{channel_id}/{message_id}" if message_id else ""
    user = interaction.user
    scope = sight.scope_of(guild_id, channel_id)
    turn = Turn(DOOR, scope, view, str(user.id), user.display_name, str(message_id or ""), url)
    limit_bytes = min(interaction.filesize_limit, MOST_FILE_BYTES)
    return replace(turn, moderator=interaction.permissions.manage_messages, upload_limit_bytes=limit_bytes)


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


def _standing(interaction: Interaction) -> Standing:
    """Keep of a command's options what the event does not tell."""
    chosen = interaction.namespace
    picture, file = getattr(chosen, "picture", None), getattr(chosen, "file", None)
    url = next((one.url for one in (picture, file) if isinstance(one, discord.Attachment)), "")
    return Standing(
        interaction.token,
        everywhere=getattr(chosen, "in", None) in {"this server", "all I can read"},
        url=url,
        words=str(getattr(chosen, "text", "") or ""),
        picture=picture.filename if isinstance(picture, discord.Attachment) else "",
    )


def _of_switch(interaction: Interaction, turn: Turn) -> Turn:
    return replace(turn, scope=sight.switch_of(interaction.channel, turn.scope))


def asked_view(interaction: Interaction, where: Where) -> tuple[View, bool]:
    """Give what the answer to a search may draw on, and whether it is for the asker alone.

    Where some see this channel but not its history, and where the asker wants all that they can read, it is.
    """
    place = interaction.channel
    is_public = not isinstance(place, _PLACES) or sight.is_public(place)
    if where == "all I can read" or not is_public:
        return own_view(interaction, everywhere=where != "this channel"), True
    return public_view(interaction, everywhere=where == "this server"), False


def pressed_view(interaction: Interaction) -> View:
    """Give what may be shown under a button: as much as in a new answer of the same kind."""
    message = interaction.message
    if message is not None and message.flags.ephemeral:
        return own_view(interaction, everywhere=True)
    return public_view(interaction, everywhere=True)


def public_view(interaction: Interaction, *, everywhere: bool = False) -> View:
    """Give what an answer for all in this channel may draw on: this channel, or the whole server."""
    place = interaction.channel
    if not isinstance(place, _PLACES):
        return sight.alone(interaction.guild_id or 0, interaction.channel_id or 0)
    return sight.whole_server(place) if everywhere else sight.here(place)


def own_view(interaction: Interaction, *, everywhere: bool = False) -> View:
    """Give what an answer for the asker alone may draw on."""
    place, asker = interaction.channel, interaction.user
    if isinstance(place, _PLACES) and isinstance(asker, discord.Member):
        return sight.own(place, asker, everywhere=everywhere)
    return public_view(interaction)


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
