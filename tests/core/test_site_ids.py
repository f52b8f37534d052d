"""A link that has a site's id means the video that yt-dlp takes out of it: all others have none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import site_ids
from core.links import canonical
from tests.walls.reading import read_by_yt_dlp

VICTIM, ATTACKER = "VICTIMAAAAA", "ATTACKERAAA"
KEY = "8272103f6e"
YOUTUBE = [
    "www.youtube.com",
    "youtube.com",
    "m.youtube.com",
    "music.youtube.com",
    "youtu.be",
    "www.youtube-nocookie.com",
]
OTHERS = ["vimeo.com", "player.vimeo.com", "www.vimeo.com", "www.dailymotion.com", "dai.ly", "www.tiktok.com"]
NEARLY = ["gaming.youtube.com", "youtube.com.evil.example", "geo.dailymotion.com", "m.tiktok.com", "youtube.com."]
WORDS = ["watch", "e", "v", "embed", "shorts", "live", "clip", "@x", "videos", "video", "channels", "a", "playlist"]
ODD_WORDS = ["live_stream", "videoseries", "review", "attribution_link", "movie", "", "#", "c", "album", "player.html"]
IDS = [VICTIM, ATTACKER, "76979871", "1084537", KEY, "x5kesuj", "x5kesuj_a-slug", "xATTACK", f"{VICTIM}x"]
NAMES = ["v", "V", "a", "list", "h", "t", "si", "clip_id", "video", "playlist", "index", "%76", "u", "", "share"]
VALUES = [VICTIM, ATTACKER, "1", "", KEY, "76979871", "PLabcdefghijkl", "x5kesuj", f"/watch?v={ATTACKER}", "a=v"]
JOINTS = ["&", "&", "&", ";", "&&", "?", "#", "&amp;"]


ON_YOUTUBE = [
    f"www.youtube.com/watch?v={VICTIM}",
    f"music.youtube.com/watch?list=PLabcdefghijkl&v={VICTIM}",
    f"youtu.be/{VICTIM}",
    f"www.youtube.com/shorts/{VICTIM}",
    f"m.youtube.com/e/{VICTIM}",
    f"www.youtube-nocookie.com/embed/{VICTIM}",
]
ON_OTHERS = [
    "vimeo.com/76979871",
    f"vimeo.com/76979871/{KEY}",
    f"player.vimeo.com/video/76979871?h={KEY}",
    "www.dailymotion.com/video/x5kesuj",
    "dai.ly/x5kesuj",
    "www.tiktok.com/@someone/video/7106594312292453675",
]
ENDINGS = ["", "", "", "", "#t=3", f"#v={ATTACKER}", f"#/watch?v={ATTACKER}", "/", "#__youtubedl_smuggle=x"]


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """Make a link that somebody might spell to be read in two ways."""
    some_path = st.lists(st.sampled_from([*WORDS, *ODD_WORDS, *IDS]), min_size=1, max_size=4).map("/".join)
    some_place = st.builds("{}/{}".format, st.sampled_from([*YOUTUBE, *OTHERS, *NEARLY]), some_path)
    place = draw(st.one_of(st.sampled_from(ON_YOUTUBE), st.sampled_from(ON_OTHERS), some_place))
    if draw(st.integers(0, 4)) == 0:
        place = place.replace("/", f"/{draw(st.sampled_from([*WORDS, *ODD_WORDS, *IDS]))}/", 1)
    if draw(st.integers(0, 4)) == 0:
        place = place.replace("?", f"?{draw(st.sampled_from(NAMES))}={draw(st.sampled_from(VALUES))}&", 1)
    for _ in range(draw(st.integers(0, 2))):
        joint = draw(st.sampled_from(JOINTS)) if "?" in place else "?"
        place += f"{joint}{draw(st.sampled_from(NAMES))}={draw(st.sampled_from(VALUES))}"
    return f"{draw(st.sampled_from(['https', 'http']))}://{place}{draw(st.sampled_from(ENDINGS))}"


@pytest.mark.slow
@given(spelled())
@settings(max_examples=1500, deadline=None)
def test_given_any_spelling_when_read_then_the_id_is_yt_dlps(url: str) -> None:
    found = canonical(url)
    assert found == read_by_yt_dlp(url) or not site_ids.names_site(found)


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/watch?v={VICTIM}",
        f"https://youtu.be/{VICTIM}?si=abc",
        f"https://www.youtube.com/shorts/{VICTIM}",
        f"https://www.youtube.com/e/{VICTIM}",
        f"https://music.youtube.com/watch?list=PLabcdefghijkl&v={VICTIM}&t=3s",
        f"https://www.youtube-nocookie.com/embed/{VICTIM}?rel=0",
        "https://vimeo.com/76979871?share=copy",
        f"https://vimeo.com/76979871/{KEY}",
        f"https://player.vimeo.com/video/76979871?h={KEY}",
        "https://www.dailymotion.com/video/x5kesuj_a-slug?playlist=x1abc",
        "https://dai.ly/x5kesuj",
        "https://www.tiktok.com/@someone/video/7106594312292453675?lang=en",
    ],
)
def test_given_usual_spellings_when_read_then_the_id_is_yt_dlps(url: str) -> None:
    assert site_ids.names_site(canonical(url))
    assert canonical(url) == read_by_yt_dlp(url)


@pytest.mark.parametrize(
    "url",
    [
        f"https://www.youtube.com/e/{ATTACKER}?v={VICTIM}",
        f"https://www.youtube.com/watch?a=1;v={ATTACKER}&v={VICTIM}",
        f"https://www.youtube.com/watch?v={VICTIM}&v={ATTACKER}",
        f"https://www.youtube.com/@x/videos?v={VICTIM}",
        f"https://www.youtube.com/clip/Ugkx{ATTACKER}?v={VICTIM}",
        f"https://www.youtube.com/shorts/?v={VICTIM}",
        f"https://www.youtube.com/playlist?list=PLabcdefghijkl&v={VICTIM}",
        f"https://youtu.be/{VICTIM}?list=PLabcdefghijkl",
        f"https://youtu.be/{VICTIM}/../{ATTACKER}",
        f"https://www.youtube.com/watch?v={VICTIM}#/watch?v={ATTACKER}",
        f"https://www.youtube.com/watch?v={VICTIM}#__youtubedl_smuggle=%7B%7D",
        f"https://www.youtube.com/redirect?v={VICTIM}&q=https://evil.example/",
        "https://www.youtube.com/embed/live_stream?channel=UCattacker",
        "https://www.youtube.com/embed/videoseries?list=PLattacker",
        f"https://youtube.com.evil.example/watch?v={VICTIM}",
        f"https://www.youtube.com:8080/watch?v={VICTIM}",
        "https://vimeo.com/channels/1084537/76979871",
        "https://vimeo.com/76979871/review/1084537/abcdef0123",
        f"https://vimeo.com/76979871/{KEY}?h=aaaaaaaaaa",
        "https://vimeo.com/76979871?password=x",
        "https://player.vimeo.com/video/76979871?h=",
        "https://vimeo.com/moogaloop.swf?clip_id=1084537&x=/76979871",
        "https://geo.dailymotion.com/player.html?video=x5kesuj",
        "https://www.dailymotion.com/video/x5kesuj?video=xATTACK",
    ],
)
def test_given_an_ambiguous_link_when_read_then_it_has_no_id(url: str) -> None:
    assert canonical(url) == canonical(canonical(url))
    assert not site_ids.names_site(canonical(url))


@pytest.mark.parametrize(
    ("url", "other"),
    [
        (f"https://vimeo.com/76979871/{KEY}", "https://vimeo.com/76979871"),
        (f"https://player.vimeo.com/video/76979871?h={KEY}", "https://player.vimeo.com/video/76979871"),
        ("https://films.example/a.mp4?si=SECRET", "https://films.example/a.mp4"),
        ("https://films.example/a.mp4?igsh=SECRET&a=1", "https://films.example/a.mp4?a=1"),
        ("https://films.example/a.mp4?feature=SECRET", "https://films.example/a.mp4"),
        ("https://films.example/a#SECRET", "https://films.example/a"),
        ("https://films.example/a.mp4?token=1&token=2", "https://films.example/a.mp4?token=2&token=1"),
        ("https://films.example/a.mp4?t=%2f", "https://films.example/a.mp4?t=/"),
    ],
)
def test_given_a_secret_in_a_link_when_tidied_then_it_stays(url: str, other: str) -> None:
    assert canonical(url) != canonical(other)
