"""The list of videos: all of them, page by page, each with what people need to know it by."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.discord import render as discord
from bot.discord.config import DOOR as DISCORD
from bot.slack import render as slack
from bot.slack.config import DOOR as SLACK
from bot.web import render as web
from core.errors import AmbiguousVideo
from core.model.actions import Page, draws
from core.model.events import Action, ListVideos
from core.model.video import pick
from core.wording import lists
from core.wording.errors import sentence
from core.wording.lists import A_PAGE
from tests.core.conftest import turn
from tests.fakes import slack_blocks
from tests.fakes.discord_rules import complaints
from tests.fakes.discord_world import IS_V2
from tests.fakes.slack_world import File
from tests.support.videos import put_video

if TYPE_CHECKING:
    from core.model.events import Turn
    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

HASH = re.compile(r"sha256|[0-9a-f]{12}")


def who(message: str = "m1") -> Turn:
    return replace(turn(), message=message)


async def pages(house: ColourHouse, asker: Turn) -> list[Reply]:
    """Press "Next page" until there is none."""
    shown = [await house.last(ListVideos(asker))]
    while following := [one for one in shown[-1].buttons if one.label == "Next page" and one.enabled]:
        shown.append(await house.last(Action(asker, following[0].id)))
        assert shown[-1].updates
    return shown


async def test_given_many_videos_when_paging_then_each_is_shown_once_and_whole(house: ColourHouse) -> None:
    titles = [f"{number} {'a rather long title ' * 7}".strip() for number in range(34)]
    for title in titles:
        await put_video(house, who(), title, [("red", 1)])
    shown = await pages(house, who())
    assert [entry.title for page in shown for entry in page.entries] == titles[::-1]
    assert [page.title for page in shown] == [f"34 videos, page {number} of 7" for number in range(1, 8)]
    assert all(draws(button.id) for page in shown for button in page.buttons)
    back = await house.last(Action(who(), shown[-1].buttons[0].id))
    assert back.title == "34 videos, page 6 of 7"


async def test_given_a_video_when_listed_then_its_entry_is_complete(house: ColourHouse) -> None:
    await put_video(house, who(), "harbour", [("red", 9)])
    posted = (await house.library.videos(turn().view))[0].posting
    await house.library.post(replace(posted, message="m2", message_url="https://chat.example/m2", user_name="Bob"))
    page = await house.last(ListVideos(who()))
    (entry,), (picture,) = page.entries, page.pictures
    assert (entry.title, entry.text) == ("harbour", "0:09")
    assert entry.link is not None
    day = posted.posted_at
    assert (entry.link.url, entry.link.label) == (
        "https://chat.example/m2",
        f"Posted by Bob, {day.day} {day:%b %Y}",
    )
    assert entry.picture == picture.name
    assert picture.data["dark"] == b"harbour 4"
    assert not page.buttons


async def test_given_a_page_beyond_the_last_when_asked_then_the_last_stands(house: ColourHouse) -> None:
    assert "no video here yet" in (await house.last(Action(who(), Page(3).id()))).text
    for number in range(A_PAGE + 1):
        await put_video(house, who(), f"video {number}", [("red", 1)])
    assert (await house.last(Action(who(), Page(99).id()))).title == "6 videos, page 2 of 2"


async def test_given_a_page_when_read_then_only_visible_videos_are_on_it(house: ColourHouse) -> None:
    for number in range(A_PAGE + 2):
        await put_video(house, who(), f"video {number}", [("red", 1)], turn("elsewhere").scope)
    await put_video(house, who(), "here", [("red", 1)])
    page = await house.last(Action(who(), Page(2).id()))
    assert [entry.title for entry in page.entries] == ["here"]


async def test_given_videos_of_one_title_when_listed_then_names_differ(house: ColourHouse) -> None:
    first = await put_video(house, who(), "clip", [("red", 1)])
    video = await house.library.videos(turn().view)
    twin = replace(video[0], video=replace(video[0].video, id="sha256:813d3f0d9e8a7b6c"))
    posted = (twin, video[0])
    said = lists.lines(posted)
    assert "• clip (2) (0:01), posted by Ada" in said
    assert not HASH.search(said)
    assert pick(posted, "clip (1)").video.id == first.id
    assert pick(posted, "CLIP (2)").video.id == twin.video.id
    with pytest.raises(AmbiguousVideo) as raised:
        pick(posted, "clip")
    assert sentence(raised.value) == "Several videos go by “clip”: clip (2), clip (1). Name one of these."


@pytest.mark.parametrize("title", ["*" * 300, "a title of words " * 17, "x"])
async def test_given_the_longest_page_when_shown_then_it_fits_each_platform(house: ColourHouse, title: str) -> None:
    for number in range(2 * A_PAGE):
        await put_video(house, who(), f"{number}{title}", [("red", 1)])
    for one in await house.library.videos(turn().view):
        url = "https://discord.com/channels/1234567890123456789/1234567890123456789/1234567890123456789"
        await house.library.post(replace(one.posting, message="m2", message_url=url, user_name="*" * 32))
    for door in (DISCORD, SLACK):
        page = await house.last(ListVideos(replace(who(), door=door)))
        assert (on_discord(page) if door is DISCORD else on_slack(page)) == []
    whole = str(web.face(page, 1)["entries"])
    assert whole.count("/media/1/") == A_PAGE
    assert not HASH.search(page.text)


def on_discord(page: Reply) -> list[str]:
    made = discord.card(page, discord.images(page.pictures))
    names = [file.filename for file in made.files()]
    components = [one.to_component_dict() for one in made.view.children]
    said = str(components)
    if len(page.entries[0].title) < 290 or "*" not in page.entries[0].title:
        assert all(entry.title.strip() in said for entry in page.entries)
    listed = [{"id": number, "filename": name} for number, name in enumerate(names)]
    return complaints({"flags": IS_V2, "components": components, "attachments": listed}, names)


def on_slack(page: Reply) -> list[str]:
    files = {f"F{n}": File(one.name, b"x", "image/jpeg", id=f"F{n}") for n, one in enumerate(page.pictures)}
    made = slack.card(page, [slack.Shot(one.id, "a frame", one.name) for one in files.values()])
    assert made.files == tuple(files)
    assert all(entry.title.strip() in str(made.blocks) for entry in page.entries)
    return slack_blocks.complaints(list(made.blocks), files) + slack_blocks.pings(made.arguments())
