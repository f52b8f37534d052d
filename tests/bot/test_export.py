"""`keaton export` gives a space all that is its own, and nothing of any other."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from bot.cli.exporter import Exporter
from core.errors import NoSuchSpace
from core.model.events import FilePosted, Find, Switch
from core.ports.retention import Space, choose
from core.wording.errors import sentence
from storage.retention import SqliteArchive
from tests.core.conftest import house  # noqa: F401 - a fixture
from tests.core.test_channels import said

if TYPE_CHECKING:
    from pathlib import Path

    from core.model.events import Turn
    from tests.core.conftest import ColourHouse


def at(space: str, message: str, user: str = "Ada") -> Turn:
    turn = said(message, "general", user)
    scope = replace(turn.scope, space=space)
    return replace(turn, scope=scope, view=replace(turn.view, space=space))


async def test_given_a_space_when_exported_then_it_is_whole_and_alone(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
    tmp_path: Path,
) -> None:
    await house.last(FilePosted(at("ours", "m1"), colour_video, "Ours.mp4"))
    await house.last(FilePosted(at("theirs", "m2", "Mallory"), colour_video, "Theirs.mp4"))
    for space in ("ours", "theirs"):
        await house.last(Find(at(space, ""), f"blue, as {space} asked"))
        await house.last(Switch(at(space, ""), on=False))
    archive, out = SqliteArchive(house.library.connections), tmp_path / "out"
    ours = choose(await archive.holdings(), "ours", None)
    assert await Exporter(archive, house.library, house.media, out).export(ours) == 1

    text = (out / "keaton.json").read_text()
    told = json.loads(text)
    (video,) = told["videos"]
    assert (told["platform"], told["space"], video["title"]) == ("discord", "ours", "Ours")
    assert [(one["user_name"], one["channel"], one["title"]) for one in video["postings"]] == [
        ("Ada", "general", "Ours")
    ]
    (looks,) = video["looks"]
    vectors = np.load(out / looks["vectors"])
    assert vectors.shape == (len(looks["times_s"]), 4)
    assert (out / video["media"]).read_bytes() == colour_video.read_bytes()  # noqa: ASYNC240 - nothing else waits
    assert all((out / one["file"]).stat().st_size for one in video["thumbnails"])
    assert {one["kind"] for one in told["notes"]} == {"answers", "channels"}
    assert "as ours asked" in text
    assert "heirs" not in text
    assert "Mallory" not in text


async def test_given_a_missing_or_doubtful_space_when_exported_then_it_is_said(
    house: ColourHouse,  # noqa: F811
    colour_video: Path,
) -> None:
    turn = at("home", "m1")
    for platform in ("discord", "slack"):
        scope = replace(turn.scope, platform=platform)
        await house.last(FilePosted(replace(turn, scope=scope), colour_video, "Ours.mp4"))
    holdings = await SqliteArchive(house.library.connections).holdings()
    for name, words in (("nowhere", "No space goes by the name nowhere"), ("home", "Say which with --platform")):
        with pytest.raises(NoSuchSpace) as caught:
            choose(holdings, name, None)
        assert words in sentence(caught.value)
        assert "slack home" in sentence(caught.value)
    assert choose(holdings, "home", "slack") == Space("slack", "home")
