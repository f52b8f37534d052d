"""Random steps of attackers: they choose links, the ids that their servers give, redirects, and what is behind them.

What they get, and what others get after them, must be what yt-dlp reads in the very link that was posted, each time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.walls.fakes import Page
from tests.walls.ground import Ground, numbers
from tests.walls.reading import read_by_yt_dlp

if TYPE_CHECKING:
    from tests.walls.spaces import Person, Room, Space

videos = st.integers(0, 5)
HONEST = (
    "https://youtu.be/{id}?si={token}",
    "https://www.youtube.com/watch?v={id}&feature={token}",
    "https://m.youtube.com/watch?app=desktop&v={id}&pp={token}",
    "https://www.youtube.com/shorts/{id}?x={token}",
)
TWO_WAYS = (
    "https://www.youtube.com/e/{trap}?v={id}&si={token}",
    "https://youtube.com/embed/{trap}?si={token}&v={id}",
    "https://www.youtube.com/watch?a=1;v={trap}&v={id}&si={token}",
    "https://www.youtube.com/watch?v={trap}&v={id}&si={token}",
    "https://www.youtube.com/@x/videos?v={id}&si={token}",
    "https://www.youtube.com/clip/Ugkx{token}?v={id}",
    "https://www.youtube.com/redirect?v={id}&q={token}",
    "https://www.youtube.com/watch?v={id}&si={token}#/watch?v={trap}",
    "https://www.youtube.com/watch?v={id}&si={token}#__youtubedl_smuggle=x",
    "https://youtu.be/{trap}?v={id}&si={token}",
    "https://youtube.com.evil.example/watch?v={id}&si={token}",
)
SECRET = (
    ("https://vimeo.com/{number}/{key}?share={token}", "https://vimeo.com/{number}?share={token}"),
    ("https://player.vimeo.com/video/{number}?h={key}&title={token}", "https://vimeo.com/{number}?title={token}"),
    ("https://files.example/{token}.mp4?si={key}", "https://files.example/{token}.mp4"),
    ("https://files.example/{token}.mp4?a=1&igsh={key}", "https://files.example/{token}.mp4?a=1"),
    ("https://files.example/{token}#{key}", "https://files.example/{token}"),
)
ABSENT = 99_999
"""A video that there is not: nobody is granted to see anything."""


class Strangers(Ground):
    """People who post to be shown what is not theirs, or to have others shown what is not there."""

    @rule(n=numbers, video=videos, trap=videos, k=st.integers(0, len(HONEST) - 1))
    def post_a_video_of_a_site(self, n: int, video: int, trap: int, k: int) -> None:
        """Post a public video by a link that has a token of the poster's."""
        self._post_spelled(n, HONEST[k], video, trap)

    @rule(n=numbers, video=videos, trap=videos, k=st.integers(0, len(TWO_WAYS) - 1))
    def post_a_link_that_is_read_in_two_ways(self, n: int, video: int, trap: int, k: int) -> None:
        self._post_spelled(n, TWO_WAYS[k], video, trap)

    @rule(n=numbers, k=numbers, video=videos, is_of_a_site=st.booleans(), redirects=st.booleans())
    def post_a_lie(self, n: int, k: int, video: int, is_of_a_site: bool, redirects: bool) -> None:
        """Post a page whose server says that its video is another, and that the page is another's."""
        name = self.town.word("link")
        site_id = f"youtube:{_id(k % 6)}" if is_of_a_site else f"mediasite:{k % 6}"
        address = ""
        if redirects:
            address = (
                self.links[k % len(self.links)][1] if self.links and k % 2 else _spelled(HONEST[0], k % 6, 0, name)
            )
        page = Page(_words(video), f"A trap about {self.town.word('name')}", site_id, address)
        self._serve(f"https://evil.example/{name}", page)
        self._post_there(n, video, f"https://evil.example/{name}")

    @precondition(lambda self: self.traps)
    @rule(n=numbers, k=numbers, video=videos)
    def change_what_a_link_leads_to(self, n: int, k: int, video: int) -> None:
        """Let a server answer with another video, and have the link posted where nobody posted it before."""
        link, place = self.traps[k % len(self.traps)], self._pick(n)
        if place is None or (place[0], link) in self.tried:
            return
        page = self.town.fetcher.pages[link]
        self.town.fetcher.pages[link] = Page(
            _words(video), f"Now about {self.town.word('name')}", page.site_id, page.address
        )
        self._post_there(n, video, link)

    @rule(n=numbers, m=numbers, video=videos, k=st.integers(0, len(SECRET) - 1))
    def post_a_secret_link_and_try_without_the_secret(self, n: int, m: int, video: int, k: int) -> None:
        token = self.town.word("link")
        number = int(token[4:-1])
        link, bare = (one.format(number=number, key=f"{number:010x}", token=token) for one in SECRET[k])
        page = Page(_words(video), f"A secret about {self.town.word('name')}", f"vimeo:{number}")
        self.town.fetcher.pages[read_by_yt_dlp(link) or link] = page
        self._post_there(n, video, link)
        place = self._pick(m)
        if place is not None and not self.town.is_held(video):
            before = len(self.town.posted)
            self.town.standing.add(token.encode())  # of a request that failed the link is remembered
            self._do(self.town.post(*place, ABSENT, bare))
            assert len(self.town.posted) == before, f"{bare} led to what {link} leads to"

    @precondition(lambda self: self.town.posted)
    @rule(n=numbers)
    def let_a_file_make_room(self, n: int) -> None:
        """Let the store delete a video's file, as it does where it is full: the next posting may bring it back."""
        content = next(word for word in self.town.posted[n % len(self.town.posted)].words if word.startswith(b"video"))
        if not self.town.is_held(int(content[5:10])):
            self._do(self.town.house.media.forget(self._id_of(content)))

    @precondition(lambda self: self.town.posted)
    @rule()
    def see_that_files_are_what_they_are_kept_as(self) -> None:
        for word in {word for one in self.town.posted for word in one.words if word.startswith(b"video")}:
            self._do(self._hold_file(word))

    async def _hold_file(self, content: bytes) -> None:
        path = await self.town.house.media.path(self._id_of(content))
        assert path is None or path.read_bytes() == content, "a file lies in the place of another"

    def _post_spelled(self, n: int, spelling: str, video: int, trap: int) -> None:
        token = self.town.word("link")
        link = _spelled(spelling, video, trap, token)
        for one in {video, trap}:
            site_id = f"youtube:{_id(one)}"
            page = Page(_words(one), f"A video called {self.town.word('name')}", site_id)
            self.town.fetcher.pages.setdefault(site_id, page)
        read = read_by_yt_dlp(link)
        if read:
            self._post_there(n, video if read == f"youtube:{_id(video)}" else trap, link)
            return
        page = Page(_words(trap), f"A trap about {self.town.word('name')}", f"youtube:{_id(trap)}")
        self._serve(link, page)
        self._post_there(n, trap, link)

    def _serve(self, link: str, page: Page) -> None:
        self.town.fetcher.pages[link] = page
        self.traps.append(link)

    def _post_there(self, n: int, video: int, link: str) -> None:
        place: tuple[Space, Room, Person] | None = self._pick(n)
        if place is not None and not self.town.is_held(video):
            self.tried.add((place[0], link))
            self.tally.attacks += 1
            self._do(self.town.post(*place, video, link))


def _id(video: int) -> str:
    """Return the id that a site has for a video: eleven letters, as YouTube's."""
    return f"yt{video:08}_"


def _words(video: int) -> bytes:
    return f"video{video:05}x".encode()


def _spelled(spelling: str, video: int, trap: int, token: str) -> str:
    return spelling.format(id=_id(video), trap=_id(trap), token=token)
