"""The words that people read: for them, of their own platform, and with nothing in them that is not for people."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from bot.discord.config import DOOR as DISCORD
from bot.slack.config import DOOR as SLACK
from core import replies
from core.errors.asking import AmbiguousVideo, UnknownChannel, UnknownPoster, UnknownVideo
from core.errors.films import GivenUp, OverLimit
from core.model import Scope, View
from core.sentences import sentence
from core.talk import LinkPosted, Status, Turn
from core.words import plain
from tests.core.conftest import turn
from tests.core.jobs_done import LINK, accepted
from tests.core.test_sentences import LEAVES, VALUES

if TYPE_CHECKING:
    from pathlib import Path

    from core.errors import AppError
    from core.talk import Door
    from tests.core.conftest import ColourHouse

FOREIGN = {"discord": ("workspace", "slack"), "slack": ("server", "guild", "discord")}


@pytest.mark.parametrize(
    "error",
    [
        UnknownChannel("1576912345678901234"),
        UnknownChannel("C0123ABCDEF"),
        UnknownPoster("1576912345678901234"),
        UnknownPoster("U0123ABCDEF"),
        UnknownVideo("sha256:813d3f0d9e8a7b6c"),
        UnknownVideo("youtube:dQw4w9WgXcQ"),
        AmbiguousVideo("sha256:813d3f", ("a", "b")),
    ],
)
def test_given_an_id_when_nothing_fits_then_the_sentence_does_not_repeat_it(error: AppError) -> None:
    value = str(getattr(error, fields(error)[0].name))  # type: ignore[arg-type]
    said = sentence(error)
    assert value not in said
    assert value.partition(":")[0] not in said
    assert "“”" not in said


def test_given_a_name_that_people_use_when_nothing_fits_then_it_is_repeated() -> None:
    assert "“clips”" in sentence(UnknownChannel("clips"))
    assert "“ada”" in sentence(UnknownPoster("ada"))
    assert "“2001: A Space Odyssey”" in sentence(UnknownVideo("2001: A Space Odyssey"))


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_no_error_speaks_of_a_server_or_a_workspace(kind: type[AppError]) -> None:
    said = sentence(kind(*(VALUES[str(one.type)] for one in fields(kind)))).lower()  # type: ignore[arg-type]
    assert not [word for words in FOREIGN.values() for word in words if word in said]


@pytest.mark.parametrize("door", [DISCORD, SLACK], ids=lambda door: door.platform)
def test_no_reply_uses_the_word_of_another_platform(door: Door) -> None:
    scope = Scope(door.platform, "space", "channel")
    here = Turn(door, scope, View.of(scope), "u1", "Ada", "")
    said = [replies.help_text(door), replies.unclear(door), replies.switched(on=True), replies.switched(on=False)]
    said.append(replies.status(Status(here, blind=True, missing=("x",)), 2, "base", on=True))
    text = "\n".join(one.title + one.text for one in said).lower()
    assert not [word for word in FOREIGN[door.platform] if word in text]


async def test_given_a_file_that_is_no_film_when_it_was_kept_then_the_error_has_the_films_title(
    house: ColourHouse, tmp_path: Path
) -> None:
    house.fetcher.web[LINK] = tmp_path / "notes.mp4"
    house.fetcher.web[LINK].write_text("not a film")
    job = await accepted(house)
    reply = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert reply.text == "A linked film is not a video that I can open."


def test_given_no_name_when_a_film_is_refused_then_the_sentence_is_whole() -> None:
    assert sentence(GivenUp("")).startswith("Reading that film broke down")
    assert sentence(OverLimit("", "duration_s", 60, 90)).startswith("That film is 1:30 long")


def test_characters_that_turn_the_direction_are_taken_out_and_words_stay() -> None:
    assert plain("evil\u202egnp.exe\u2066 \u200fabc\u061c") == "evilgnp.exe abc"
    assert plain("two\r\nlines\u2028three\x07 👩\u200d🚀\ttab") == "two\nlines\nthree 👩\u200d🚀\ttab"
