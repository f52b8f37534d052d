"""Lays a reply out as Discord components, with its pictures made to fit the upload limit."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Protocol, Self

import discord
from discord import ui
from PIL import Image as Pillow

from bot.discord.config import DOOR
from bot.doors.messages import at_sight, bar, behind_more, is_web, one_line, shortened
from core import formatting
from core.model import actions
from core.wording.answers import verdict

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from core.model.reply import Button, Link, ListEntry, Picture, Reply

    Pressed = Callable[[discord.Interaction[Any], str], Awaitable[None]]

_QUALITIES = (85, 70, 55)
_SHRINK = 0.7
_LEAST_PX = 64
_MOVING = {".mp4", ".gif"}
_BUTTONS_A_ROW = 5
_MOST_TEXT = 3600
_MOST_TITLE = 150
_MOST_ALT = 1000
_MOST_URL = 512
_MARKS = re.compile(r"([\\`*_~|<>\[\]@])")
_LINE_MARKS = re.compile(r"^(\s*)([#-])", re.MULTILINE)
# A command as Keaton's sentences write it: alone, not within a path or a link.
_COMMAND = re.compile(r"(?<![\w/:.\\-])/(?P<name>[a-z-]+(?: [a-z]+)?)(?![\w/-])")
_COLOURS = {"plain": discord.Colour(0x5B8DEF), "error": discord.Colour(0xD9534F)}


async def fit(images: Sequence[Image], most_bytes: int) -> tuple[Image, ...]:
    """Return the images, each at most that large: those over it as JPEG, made coarser, then smaller.

    One that does not fit even when tiny is left out.
    """
    if all(len(one.data) <= most_bytes for one in images):
        return tuple(images)
    fitted = await asyncio.gather(*(asyncio.to_thread(_fitted, one, most_bytes) for one in images))
    return tuple(one for one in fitted if len(one.data) <= most_bytes)


def _fitted(image: Image, most_bytes: int) -> Image:
    if len(image.data) <= most_bytes or PurePath(image.name).suffix in _MOVING:
        return image
    name = PurePath(image.name).with_suffix(".jpg").name
    tries = _coarser(image.data)
    data = next((data for data in tries if len(data) <= most_bytes), image.data)
    return replace(image, name=name, data=data)


def _coarser(data: bytes) -> Iterator[bytes]:
    picture = Pillow.open(io.BytesIO(data)).convert("RGB")
    while min(picture.size) >= _LEAST_PX:
        for quality in _QUALITIES:
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=quality, optimize=True)
            yield out.getvalue()
        picture = picture.resize((round(picture.width * _SHRINK), round(picture.height * _SHRINK)))


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as it is uploaded."""

    name: str
    alt: str
    data: bytes


@dataclass(frozen=True, slots=True)
class DiscordCard:
    """A reply in Discord's shape."""

    view: ui.LayoutView
    images: tuple[Image, ...]

    def files(self) -> list[discord.File]:
        """Return the uploads anew; each can be sent once."""
        return [discord.File(io.BytesIO(one.data), one.name, description=one.alt) for one in self.images]


def images(pictures: Sequence[Picture]) -> tuple[Image, ...]:
    """Return the pictures in the theme that Discord shows."""
    (theme,) = DOOR.themes
    return tuple(Image(one.name, shortened(formatting.plain(one.alt), _MOST_ALT), one.data[theme]) for one in pictures)


def card(reply: Reply, shown: Sequence[Image]) -> DiscordCard:
    """Lay a reply out, with the pictures as they fit."""
    box: ui.Container[ui.LayoutView] = ui.Container(*_parts(reply, shown), accent_colour=_COLOURS[reply.tone])
    view = ui.LayoutView(timeout=None)
    view.add_item(box)
    return DiscordCard(view, tuple(shown))


def plain(text: str) -> str:
    """Escape what Discord would take for markup, mentions and commands."""
    return _LINE_MARKS.sub(r"\1\\\2", _MARKS.sub(r"\\\1", formatting.plain(text)))


def clickable(text: str, commands: Mapping[str, str]) -> str:
    """Let the commands in an escaped text be clicked; `commands` gives the mention of each that Discord knows."""

    def mention(found: re.Match[str]) -> str:
        first, _, rest = found["name"].partition(" ")
        if found["name"] in commands:
            return commands[found["name"]]
        return f"{commands[first]} {rest}".rstrip() if first in commands else found[0]

    return _COMMAND.sub(mention, text) if commands else text


def _parts(reply: Reply, shown: Sequence[Image]) -> Iterable[ui.Item[ui.LayoutView]]:
    if said := _words(reply):
        yield ui.TextDisplay(said)
    beside = {one.name: one for one in shown if any(one.name == entry.picture for entry in reply.entries)}
    for entry in reply.entries:
        yield _entry(entry, beside.get(entry.picture), _MOST_TEXT // len(reply.entries))
    for one in (
        one for one in shown if one.name not in beside
    ):  # one gallery each: in a shared one a plot is too small to read
        yield ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{one.name}", description=one.alt))
    for row in at_sight(reply.buttons):
        yield from _rows([_button(one) for one in row])
    if behind := behind_more(reply.buttons):
        yield ui.ActionRow(_menu(behind))
    yield from _rows([_link(link) for link in reply.links if is_web(link.url, _MOST_URL)])


def _words(reply: Reply) -> str:
    title = f"### {plain(shortened(one_line(reply.title), _MOST_TITLE))}" if reply.title else ""
    shown = bar(reply.progress) if reply.progress else ""
    escaped = "" if reply.entries else plain(shortened(reply.text, _MOST_TEXT // 2))
    linked = clickable(escaped, reply.commands)
    text = linked if len(linked) <= _MOST_TEXT else escaped
    sure = f"**{plain(words)}**" if (words := verdict(reply.level)) else ""
    return "\n".join(part for part in (title, sure, text, f"`{shown}`" if shown else "") if part)


def _entry(entry: ListEntry, picture: Image | None, most: int) -> ui.Item[ui.LayoutView]:
    """Return one thing of a list, with its picture at its side where there is one."""
    where = f"[{plain(one_line(entry.link.label))}]({entry.link.url})" if entry.link else ""
    facts = ", ".join(part for part in (plain(one_line(entry.text)), where) if part)
    text = f"**{_whole_words(one_line(entry.title), most - len(facts) - 10)}**\n{facts}"
    if picture is None:
        return ui.TextDisplay(text)
    shown = ui.Thumbnail[ui.LayoutView](f"attachment://{picture.name}", description=picture.alt)
    return ui.Section(ui.TextDisplay(text), accessory=shown)


def _whole_words(text: str, most: int) -> str:
    """Escape a text; where that is longer than so many characters, end it behind a word."""
    while len(escaped := plain(text)) > most and text:
        cut = text[:-1].rstrip("…").rpartition(" ")[0] or text[:-2]
        text = cut + "…" if cut else ""
    return escaped


def _rows(buttons: Sequence[ui.Item[Any]]) -> Iterable[ui.ActionRow[ui.LayoutView]]:
    for start in range(0, len(buttons), _BUTTONS_A_ROW):
        yield ui.ActionRow(*buttons[start : start + _BUTTONS_A_ROW])


def _button(button: Button) -> ui.Item[Any]:
    style = discord.ButtonStyle.primary if button.active else discord.ButtonStyle.secondary
    return AnswerButton(
        ui.Button(
            label=shortened(formatting.plain(button.label), 80),
            style=style,
            custom_id=button.id,
            disabled=not button.enabled,
        )
    )


def _menu(buttons: Sequence[Button]) -> ui.Item[Any]:
    options = [discord.SelectOption(label=shortened(formatting.plain(one.label), 100), value=one.id) for one in buttons]
    return MoreMenu(ui.Select(custom_id=MORE, placeholder="More", options=options))


def _link(link: Link) -> ui.Item[ui.LayoutView]:
    return ui.Button(label=shortened(one_line(link.label), 80) or "Open", url=link.url)


class Presses(Protocol):
    """What a client that shows such buttons must offer."""

    async def pressed(self, interaction: discord.Interaction[Any], action: str) -> None:
        """Take a press; called within Discord's three seconds."""
        ...


class AnswerButton(ui.DynamicItem[ui.Button[ui.LayoutView]], template=re.compile(f"^(?:{actions.PATTERN})$")):
    """A button of an answer."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Return the button that was pressed."""
        if not isinstance(item, ui.Button):
            raise TypeError(f"{item!r} is no button")
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press to the client."""
        client: Presses = interaction.client
        await client.pressed(interaction, self.custom_id)


MORE = "more"
"""The custom id of the menu under an answer; what is chosen there is the id of a button."""


class MoreMenu(ui.DynamicItem[ui.Select[ui.LayoutView]], template=re.compile(f"^{MORE}$")):
    """The menu under an answer."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Return the menu that was used."""
        if not isinstance(item, ui.Select):
            raise TypeError(f"{item!r} is no menu")
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand on what was chosen, as the press of its button."""
        client: Presses = interaction.client
        (chosen,) = self.item.values
        await client.pressed(interaction, chosen)
