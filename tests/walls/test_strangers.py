"""Strangers choose links, ids, redirects and names: what one space fetched reaches another by none of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import pytest
import pytest_asyncio

from core.errors import UnknownVideo
from core.model.events import Action, Address, FilePosted, Find, LinkPosted, ListVideos, RemoteFile, RemoteFilePosted
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import build, ignore, looking, turn
from tests.support.fakes import ColourEncoder
from tests.walls.fakes import Page, PaintedFramer, PaintedReader, TellingClipper, TellingFetcher, TellingPlotter
from tests.walls.town import all_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from core.model.reply import Reply
    from tests.core.conftest import ColourHouse

pytestmark = pytest.mark.slow

VICTIM, ATTACKER = "youtube:VICTIMAAAAA", "youtube:ATTACKERAAA"
SHORT = "https://youtu.be/VICTIMAAAAA"
WATCH = "https://www.youtube.com/watch?v=VICTIMAAAAA"
EVIL = "https://evil.example/watch/1"
THEIRS, OURS = b"video of the attacker", b"video of the victim"


@dataclass
class Net:
    """A product that serves several spaces, and the web that it reads."""

    house: ColourHouse
    web: TellingFetcher

    async def post(self, space: str, link: str) -> Reply:
        return await self.house.last(LinkPosted(turn(space=space), link))

    async def told(self, space: str) -> bytes:
        """Return all that a space can be told: its list, an answer, and what the buttons below that bring."""
        me = turn(space=space)
        said = [await self.house.last(ListVideos(me)), await self.house.last(Find(me, "red"))]
        for button in said[-1].buttons:
            shown = await self.house.say(Action(me, button.id))
            below = [one.id for reply in shown if button.label == "Cut" for one in reply.buttons]
            said += shown + [reply for one in below for reply in await self.house.say(Action(me, one))]
        return b" ".join(map(all_of, said))

    async def ids(self, space: str) -> list[str]:
        return [one.video.id for one in await self.house.library.videos(turn(space=space).view)]


@pytest_asyncio.fixture
async def net(tmp_path: Path) -> AsyncIterator[Net]:
    library = await SqliteLibrary.open(tmp_path / "keaton.sqlite3")
    media = await MediaFolder.open(tmp_path / "media", 10**9)
    async with looking(library) as looks:
        web = TellingFetcher({})
        others = web, TellingPlotter(), TellingClipper(), PaintedFramer()
        house: ColourHouse = build(library, media, cast("Any", PaintedReader()), ColourEncoder(), looks, others)
        yield Net(house, web)
        await house.refiner.close()
        await house.runner.close()
    await media.close()
    await library.close()


@pytest.mark.parametrize("site_id", ["mediasite:1", VICTIM, "vimeo:1"])
@pytest.mark.parametrize("first", ["home", "lair"])
async def test_given_an_id_a_server_chose_then_no_other_spaces_video_is_had(net: Net, site_id: str, first: str) -> None:
    net.web.pages["https://media.victim.example/1"] = Page(OURS, "Our plan", site_id)
    net.web.pages[EVIL] = Page(THEIRS, "A trap", site_id)
    posts = {"home": "https://media.victim.example/1", "lair": EVIL}
    for space in (first, *(posts.keys() - {first})):
        assert (await net.post(space, posts[space])).tone == "plain"
    assert OURS in await net.told("home")
    assert THEIRS in await net.told("lair")
    assert not {b"Our plan", OURS} & {one for one in (b"Our plan", OURS) if one in await net.told("lair")}
    assert not [one for one in (b"A trap", THEIRS, b"evil") if one in await net.told("home")]


@pytest.mark.parametrize(
    "spelled",
    [
        "https://www.youtube.com/e/ATTACKERAAA?v=VICTIMAAAAA",
        "https://youtube.com/embed/ATTACKERAAA?v=VICTIMAAAAA",
        "https://www.youtube.com/watch?a=1;v=ATTACKERAAA&v=VICTIMAAAAA",
        "https://www.youtube.com/@x/videos?v=VICTIMAAAAA",
        "https://www.youtube.com/clip/Ugkxabc?v=VICTIMAAAAA",
        "https://www.youtube.com/redirect?q=https://evil.example&v=VICTIMAAAAA",
        "https://www.youtube.com/watch?v=VICTIMAAAAA#/watch?v=ATTACKERAAA",
        "https://www.youtube.com/watch?v=VICTIMAAAAA#__youtubedl_smuggle=%7B%7D",
    ],
)
@pytest.mark.parametrize("space", ["lair", "home"])
async def test_given_an_ambiguous_link_then_it_is_no_other_videos_link(net: Net, spelled: str, space: str) -> None:
    """Also where both are in one space."""
    trap = Page(THEIRS, "A trap", ATTACKER)
    net.web.pages |= {spelled: trap, ATTACKER: trap, VICTIM: Page(OURS, "Ours", VICTIM)}
    await net.post(space, spelled)
    assert "Ours" in (await net.post("home", SHORT)).title
    assert OURS in await net.told("home")


@pytest.mark.parametrize("address", [WATCH, SHORT, "https://media.victim.example/1"])
async def test_given_a_false_redirect_then_its_target_still_has_its_own_video(net: Net, address: str) -> None:
    net.web.pages |= {VICTIM: Page(OURS, "Ours", VICTIM), "https://media.victim.example/1": Page(OURS, "Ours")}
    for site_id in (VICTIM, None):
        net.web.pages[EVIL] = Page(THEIRS, "A trap", site_id, address)
        await net.post("lair", f"{EVIL}")
        assert "Ours" in (await net.post(f"home {site_id}", address)).title


async def test_given_a_site_that_gave_another_video_then_the_true_one_is_shown(net: Net) -> None:
    net.web.pages[VICTIM] = Page(THEIRS, "A trap", ATTACKER)
    for _ in range(2):
        await net.post("lair", SHORT)
    net.web.pages[VICTIM] = Page(OURS, "Ours", VICTIM)
    assert "Ours" in (await net.post("home", SHORT)).title
    assert "Ours" in (await net.post("lair", SHORT)).title


@pytest.mark.parametrize(
    ("link", "bare"),
    [
        ("https://vimeo.com/76979871/8272103f6e", "https://vimeo.com/76979871"),
        ("https://player.vimeo.com/video/76979871?h=8272103f6e", "https://vimeo.com/76979871"),
        ("https://films.example/a.mp4?si=SECRET", "https://films.example/a.mp4"),
        ("https://films.example/a.mp4?igsh=SECRET&b=1", "https://films.example/a.mp4?b=1"),
        ("https://films.example/a#SECRET", "https://films.example/a"),
    ],
)
@pytest.mark.parametrize("space", ["lair", "home"])
async def test_given_a_link_without_its_secret_then_its_video_is_not_had(
    net: Net, link: str, bare: str, space: str
) -> None:
    net.web.pages[link] = Page(OURS, "Ours", "vimeo:76979871" if "vimeo" in link else None)
    assert (await net.post("home", link)).tone == "plain"
    before = await net.ids(space)
    assert (await net.post(space, bare)).tone == "error"
    assert await net.ids(space) == before


async def test_given_a_space_with_a_secret_link_then_it_is_shown_its_own(net: Net) -> None:
    for key in ("OURS", "THEIRS"):
        net.web.pages[f"https://films.example/a.mp4?token={key}"] = Page(OURS, f"Seen by {key}")
    await net.post("home", "https://films.example/a.mp4?token=OURS")
    await net.post("lair", "https://films.example/a.mp4?token=THEIRS")
    assert b"OURS" not in await net.told("lair")
    assert b"THEIRS" not in await net.told("home")


async def test_given_a_public_video_when_posted_twice_then_it_is_fetched_once(net: Net) -> None:
    net.web.pages[VICTIM] = Page(OURS, "A public video", VICTIM, f"{WATCH}&si=FIRST")
    await net.post("home", f"{SHORT}?si=FIRST")
    card = await net.post("lair", f"{SHORT}?si=SECOND")
    assert (card.title, net.web.fetched) == ("A public video", [f"{SHORT}?si=FIRST"])
    assert b"FIRST" not in await net.told("lair")
    assert b"si=SECOND" in await net.told("lair")
    await net.house.library.forget((await net.ids("home"))[0], turn(space="home").view)
    await net.post("third", SHORT)
    assert len(net.web.fetched) == 1


async def test_given_any_other_link_when_posted_twice_then_it_is_fetched_anew(
    net: Net,
) -> None:
    net.web.pages[EVIL] = Page(OURS, "Our name")
    await net.post("home", EVIL)
    looks = sum(net.house.encoder.batches)
    net.web.pages[EVIL] = Page(OURS, "Their name")
    assert "Ready to search" in (await net.post("lair", EVIL)).text
    assert (net.web.fetched, sum(net.house.encoder.batches)) == ([EVIL, EVIL], looks)
    assert await net.ids("home") == await net.ids("lair")
    assert b"Our name" not in await net.told("lair")
    assert b"Their name" not in await net.told("home")


async def test_given_a_cut_of_a_shared_video_then_it_has_the_askers_name_for_it(net: Net, tmp_path: Path) -> None:
    for space, name in (("home", "Our secret plan.mp4"), ("lair", "Holiday.mp4")):
        (tmp_path / name).write_bytes(OURS)
        await net.house.last(FilePosted(turn(space=space), tmp_path / name, name))
    assert b"secret plan" not in await net.told("lair")
    assert b"Holiday" not in await net.told("home")


async def test_given_a_server_that_gives_each_space_its_own_then_they_keep_it(net: Net) -> None:
    net.web.pages[EVIL] = Page(THEIRS, "A trap")
    await net.post("lair", EVIL)
    net.web.pages[EVIL] = Page(OURS, "Ours")
    assert "Ours" in (await net.post("home", EVIL)).title
    assert THEIRS not in await net.told("home")


async def test_given_two_spaces_that_post_at_once_then_each_has_its_own_fetch(net: Net) -> None:
    net.web.pages |= {EVIL: Page(OURS, "Ours"), VICTIM: Page(THEIRS, "A public video", VICTIM)}
    cards = await asyncio.gather(net.post("home", EVIL), net.post("lair", EVIL))
    assert [one.tone for one in cards] == ["plain", "plain"]
    assert net.web.fetched == [EVIL, EVIL]
    cards = await asyncio.gather(net.post("home", SHORT), net.post("lair", WATCH))
    assert [one.title for one in cards] == ["A public video"] * 2
    assert len(net.web.fetched) == 3


@pytest.mark.parametrize("key", ["discord:attachment:1", "slack:T1:file:F1"])
async def test_given_a_platforms_file_when_its_key_is_spelt_then_it_is_not_had(net: Net, key: str) -> None:
    async def locate() -> Address:
        return Address("https://files.example/1")

    net.web.pages["https://files.example/1"] = Page(OURS, "Ours")
    private = replace(turn("private", "home"), message="m1")
    await net.house.last(RemoteFilePosted(private, RemoteFile(key, "plan.mp4", locate)))
    assert (await net.post("home", key)).tone == "error"
    assert await net.ids("home") == []


@pytest.mark.parametrize("site_id", ["mediasite:1", VICTIM])
async def test_given_a_deleted_file_when_another_has_its_id_then_it_stays_gone(net: Net, site_id: str) -> None:
    net.web.pages[SHORT if site_id == VICTIM else EVIL + "0"] = Page(OURS, "Ours", site_id)
    await net.post("home", SHORT if site_id == VICTIM else EVIL + "0")
    (video,) = await net.ids("home")
    await net.house.media.forget(video)
    net.web.pages[EVIL] = Page(THEIRS, "A trap", site_id)
    await net.post("lair", EVIL)
    assert await net.house.media.path(video) is None


async def test_given_a_video_indexed_anew_then_no_other_is_taken_for_it(net: Net) -> None:
    net.web.pages |= {EVIL: Page(THEIRS, "A trap", VICTIM, EVIL), VICTIM: Page(OURS, "Ours", VICTIM)}
    await net.post("lair", EVIL)
    (posted,) = await net.house.library.videos(turn(space="lair").view)
    await net.house.media.forget(posted.video.id)
    net.web.pages[EVIL] = Page(OURS, "A trap", VICTIM, WATCH)
    house = net.house
    anew = build(
        house.library,
        house.media,
        house.reader,
        ColourEncoder("new eyes"),
        house.index,
        (net.web, TellingPlotter(), TellingClipper(), PaintedFramer()),
    )
    with pytest.raises(UnknownVideo):
        await anew.indexer.again(posted, ignore)
    await anew.runner.close()
    assert "Ours" in (await net.post("home", SHORT)).title
