"""Commands in several languages, and people who write to Keaton directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.discord.translations import LANGUAGES
from tests.fakes.discord_world import BOT_ID
from tests.support.discord.indoors import house, quiet_room, reader, room

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fakes.discord_world import Json, Message
    from tests.support.discord.indoors import Room

__all__ = ["house", "quiet_room", "reader", "room"]

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

LOCALES = {"de", "fr", "es-ES", "es-419", "pt-BR", "ja"}


def parts(command: Json) -> Iterator[tuple[str, Json]]:
    """Give each thing with a name in a command: itself, its options, and their choices."""
    yield command["name"], command
    for inner in (*(command.get("options") or ()), *(command.get("choices") or ())):
        yield from parts(inner)


async def test_given_the_commands_then_each_is_described_in_six_languages(room: Room) -> None:
    assert {locale.value for locale in LANGUAGES} == LOCALES
    english = set.union(*(set(words) for words in LANGUAGES.values()))
    assert all(words.keys() == english and all(words.values()) for words in LANGUAGES.values())
    assert len(room.fake.commands) > 8
    for name, part in (found for command in room.fake.commands for found in parts(command)):
        assert (part.get("name_localizations") or {}).keys() == LOCALES, name
        if part.get("description"):
            assert part["description_localizations"].keys() == LOCALES, name


async def test_given_a_localised_command_when_used_then_its_reply_is_english(room: Room) -> None:
    (find,) = [one for one in room.fake.commands if one["name"] == "find"]
    assert (find["name_localizations"]["de"], find["name_localizations"]["ja"]) == ("suche", "検索")
    told = await room.answer(await room.fake.slash(room.general, room.bob, "find", text="green"))
    assert "There is nothing to search here yet." in told.text


async def test_given_a_direct_message_then_one_reply_says_where_it_works(room: Room) -> None:
    first = await room.fake.write_to_keaton(room.bob, "a dog")

    def told() -> list[Message]:
        return [one for one in first.channel.messages.values() if one.author.id == BOT_ID]

    await room.fake.until(told, "an answer")
    await room.fake.write_to_keaton(room.bob, f"<@{BOT_ID}> find a dog")
    other = await room.fake.write_to_keaton(room.ada, "hello")
    await room.fake.until(lambda: len(other.channel.messages) == 2, "another answer")
    (said,) = told()
    assert "I work in channels" in said.text
