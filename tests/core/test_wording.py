"""The words that people read: for them, of their own platform, and with nothing in them that is not for people."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pytest

from bot.discord.config import DOOR as DISCORD
from bot.slack.config import DOOR as SLACK
from core.errors import (
    AmbiguousVideo,
    FileMissing,
    FileUnreadable,
    GivenUp,
    OverLimit,
    UnknownChannel,
    UnknownPoster,
    UnknownVideo,
    UserError,
    called,
)
from core.formatting import plain
from core.indexing.indexer import Downloads
from core.model.events import Address, LinkPosted, RemoteFile, Status, Turn
from core.model.video import Scope, View
from core.ports.video import Fetching
from core.wording import replies
from core.wording.errors import sentence
from tests.core.conftest import turn
from tests.core.test_sentences import LEAVES, VALUES
from tests.support.jobs_done import LINK, accepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.errors import AppError
    from core.model.events import Door
    from core.ports.video import Fetched
    from tests.core.conftest import ColourHouse


@dataclass(frozen=True)
class Refusing:
    """A fetcher to which each video is too much."""

    error: AppError

    async def fetch(self, url: str, folder: Path, bearer: str = "") -> AsyncIterator[Fetching | Fetched]:
        del url, folder, bearer
        yield Fetching(0, None, None)
        raise self.error


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
def test_given_an_id_when_nothing_fits_then_it_is_not_repeated(error: AppError) -> None:
    value = str(getattr(error, fields(error)[0].name))  # type: ignore[arg-type]
    said = sentence(error)
    assert value not in said
    assert value.partition(":")[0] not in said
    assert "“”" not in said


def test_given_a_name_of_peoples_when_nothing_fits_then_it_is_repeated() -> None:
    assert "“clips”" in sentence(UnknownChannel("clips"))
    assert "“ada”" in sentence(UnknownPoster("ada"))
    assert "“2001: A Space Odyssey”" in sentence(UnknownVideo("2001: A Space Odyssey"))


@pytest.mark.parametrize("kind", LEAVES, ids=lambda kind: kind.__name__)
def test_given_any_error_when_told_then_no_platforms_word(kind: type[AppError]) -> None:
    said = sentence(kind(*(VALUES[str(one.type)] for one in fields(kind)))).lower()  # type: ignore[arg-type]
    assert not [word for words in FOREIGN.values() for word in words if word in said]


@pytest.mark.parametrize("door", [DISCORD, SLACK], ids=lambda door: door.platform)
def test_given_any_reply_when_told_then_no_other_platforms_word(door: Door) -> None:
    scope = Scope(door.platform, "space", "channel")
    here = Turn(door, scope, View.of(scope), "u1", "Ada", "")
    said = [replies.help_text(door), replies.unclear(door), replies.switched(on=True), replies.switched(on=False)]
    said.append(replies.status(Status(here, blind=True, missing=("x",)), 2, "base", on=True))
    text = "\n".join(one.title + one.text for one in said).lower()
    assert not [word for word in FOREIGN[door.platform] if word in text]


async def test_given_a_kept_file_when_it_is_no_video_then_its_title_is_told(house: ColourHouse, tmp_path: Path) -> None:
    house.fetcher.web[LINK] = tmp_path / "notes.mp4"
    house.fetcher.web[LINK].write_text("not a video")
    job = await accepted(house)
    reply = await house.last(LinkPosted(turn(), LINK, job.ref))
    assert reply.text == "A linked video is not a video that I can open."


async def test_given_a_posted_file_when_its_fetch_fails_then_its_name_is_told(
    tmp_path: Path,
) -> None:
    async def locate() -> Address:
        return Address("https://files.example/a1b2c3d4")

    file = RemoteFile("files:1", "holiday.mp4", locate)
    downloads = Downloads(Refusing(OverLimit("a1b2c3d4", "size_bytes", 1e9, 3e9)))
    with pytest.raises(OverLimit) as raised:
        await downloads.file(file, lambda _: None, tmp_path)
    assert sentence(raised.value) == "holiday.mp4 has 3 GB; I take up to 1 GB."


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OverLimit("x", "duration_s", 18000, 1e12),
            "x claims a length that no video has; I take videos of up to 5:00:00.",
        ),
        (OverLimit("x", "duration_s", 18000, 90000), "x is 25:00:00 long; I take videos of up to 5:00:00."),
        (
            OverLimit("x", "frame_px", 36e6, 1e12),
            "x claims a size that no picture has; I read up to 36 million pixels.",
        ),
        (OverLimit("x", "size_bytes", 2e9, 14e13), "x claims more bytes than any video has; I take up to 2 GB."),
        (OverLimit("x", "size_bytes", 2e9, 2.24e11), "x has 224 GB; I take up to 2 GB."),
    ],
)
def test_given_an_absurd_header_when_refused_then_no_figure_is_told(error: OverLimit, said: str) -> None:
    assert sentence(error) == said


@pytest.mark.parametrize(
    "kind", [FileMissing("/data/media/9f8e7d6c.mp4"), FileUnreadable("/data/x.mp4", "Input/output error")]
)
def test_given_a_kept_file_when_gone_then_named_without_its_path(kind: UserError) -> None:
    with pytest.raises(UserError) as raised, called("My holiday"):
        raise kind
    assert "My holiday" in sentence(raised.value)
    assert "/" not in sentence(raised.value).removesuffix("(Input/output error).")


def test_given_no_name_when_a_video_is_refused_then_the_sentence_is_whole() -> None:
    assert "each time on that video, so" in sentence(GivenUp(""))
    assert sentence(OverLimit("", "duration_s", 60, 90)).startswith("That video is 1:30 long")


def test_given_turning_characters_when_cleaned_then_words_stay() -> None:
    assert plain("evil\u202egnp.exe\u2066 \u200fabc\u061c") == "evilgnp.exe abc"
    assert plain("two\r\nlines\u2028three\x07 👩\u200d🚀\ttab") == "two\nlines\nthree 👩\u200d🚀\ttab"
