"""Links in messages: found, told apart, refused, pointed at a second."""

from __future__ import annotations

import pytest

from core import links
from core.errors import LinkRefused


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no link here", ()),
        ("see https://a.example/b.", ("https://a.example/b",)),
        ("(https://a.example/b)", ("https://a.example/b",)),
        ("https://en.example/Film_(1924) is good", ("https://en.example/Film_(1924)",)),
        ("<https://a.example/b>", ("https://a.example/b",)),
        ("<https://a.example/b?x=1|a label>", ("https://a.example/b?x=1",)),
        ("[a video](https://a.example/b)", ("https://a.example/b",)),
        ("||https://a.example/b||", ("https://a.example/b",)),
        ("**https://a.example/b**, `https://a.example/c`", ("https://a.example/b", "https://a.example/c")),
        ("https://b.example/ https://a.example/ https://b.example/", ("https://b.example/", "https://a.example/")),
        ("HTTPS://A.example/B!", ("HTTPS://A.example/B",)),
        ("file:///etc/passwd ftp://a.example/b", ()),
        ("[https://a.example/b](https://a.example/b)", ("https://a.example/b",)),
        ("[https://a.example/b](<https://a.example/c>)", ("https://a.example/b", "https://a.example/c")),
        ("见https://a.example/b。好", ("https://a.example/b",)),
        ("\uff08https://a.example/b\uff09", ("https://a.example/b",)),
        ("https://a.example/b…", ("https://a.example/b",)),
        ("«https://a.example/b» \u2018https://a.example/c\u2019", ("https://a.example/b", "https://a.example/c")),
        ("https://a.example/b\u2019s video", ("https://a.example/b",)),
        ("https://a.example/b\u200b", ("https://a.example/b",)),
        ("\u2066https://a.example/b\u2069", ("https://a.example/b",)),
        ("look:<https://a.example/b>this<https://a.example/c|c>", ("https://a.example/b", "https://a.example/c")),
        ("<https://a.example/b><https://a.example/c>", ("https://a.example/b", "https://a.example/c")),
        ("https://a.example/b,https://a.example/c", ("https://a.example/b", "https://a.example/c")),
        ("https://a.example/go?to=https://b.example/c", ("https://a.example/go?to=https://b.example/c",)),
        ("https://web.example/2020/https://b.example/c", ("https://web.example/2020/https://b.example/c",)),
        ("https://a.example/映画.mp4", ("https://a.example/映画.mp4",)),
        ("https://a.example/b?x[]=1&y=(2)", ("https://a.example/b?x[]=1&y=(2)",)),
    ],
)
def test_given_a_message_when_links_are_found_then_without_punctuation(text: str, found: tuple[str, ...]) -> None:
    assert links.find_links(text) == found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("htps://youtu.be/abc", ("https://youtu.be/abc",)),
        (" http:/a.example/b.mp4 ", ("https://a.example/b.mp4",)),
        ("https//a.example/b.", ("https://a.example/b",)),
        ("ttps://a.example", ("https://a.example",)),
        ("youtube.com/watch?v=abc", ("https://youtube.com/watch?v=abc",)),
        ("www.vimeo.com/1", ("https://www.vimeo.com/1",)),
        ("https://a.example/b and htps://c.example", ("https://a.example/b",)),
        ("youtube.com", ()),
        ("a.example/b.mp4", ()),
        ("holiday.mp4", ()),
        ("tts://a b", ()),
        ("ftp://a.example/b", ()),
        ("ssh://a.example/b", ()),
        ("http:/user@a.example/", ()),
        ("a dog", ()),
        ("", ()),
    ],
)
def test_given_a_link_with_a_slip_when_it_is_said_then_it_is_meant(text: str, meant: tuple[str, ...]) -> None:
    assert links.meant_links(text) == meant


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "http://youtube.com/watch?feature=share&v=dQw4w9WgXcQ&t=43s&list=PL1",
        "https://youtu.be/dQw4w9WgXcQ?si=abc&t=5",
        "https://m.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0",
        "https://www.youtube.com/live/dQw4w9WgXcQ?feature=shared",
    ],
)
def test_given_spellings_of_one_youtube_link_when_read_then_one_video(url: str) -> None:
    assert links.canonical(url) == "youtube:dQw4w9WgXcQ"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://vimeo.com/76979871", "vimeo:76979871"),
        ("https://player.vimeo.com/video/76979871?h=8272103f6e", "vimeo:76979871/8272103f6e"),
        ("https://www.dailymotion.com/video/x5kesuj?playlist=x1", "dailymotion:x5kesuj"),
        ("https://dai.ly/x5kesuj", "dailymotion:x5kesuj"),
        ("https://www.tiktok.com/@someone/video/7106594312292453675?lang=en", "tiktok:7106594312292453675"),
        ("HTTPS://Example.COM:443/A/b.mp4?b=2&utm_source=x&a=1&fbclid=y#t=3", "https://example.com/A/b.mp4?a=1&b=2"),
        ("http://example.com", "http://example.com/"),
        ("http://example.com:8080/f.mp4", "http://example.com:8080/f.mp4"),
        ("https://www.youtube.com/@somebody", "https://www.youtube.com/@somebody"),
        ("not a link", "not a link"),
    ],
)
def test_given_a_link_when_tidied_then_it_has_one_spelling(url: str, expected: str) -> None:
    assert links.canonical(url) == expected


@pytest.mark.parametrize("url", ["https://example.com/?a=1&b=2", "https://[2001:db8::1]/x", "https://youtu.be/"])
def test_given_a_tidy_link_when_tidied_then_it_stays(url: str) -> None:
    assert links.canonical(links.canonical(url)) == links.canonical(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://youtu.be/dQw4w9WgXcQ", True),
        ("https://clips.twitch.tv/Something", True),
        ("https://example.com/films/a.MP4?x=1", True),
        ("https://example.com/a.ts", True),
        ("https://example.com/a.m2ts", True),
        ("https://github.com/someone/project/blob/main/index.ts", False),
        ("https://raw.githubusercontent.com/someone/project/main/index.ts", False),
        ("https://example.com/a.3g2", True),
        ("https://example.com/a.mxf", True),
        ("https://example.com/a.apng", True),
        ("https://example.com/a.gif?width=300", True),
        ("https://example.com/live/index.m3u8", True),
        ("https://www.youtube.com/", False),
        ("https://example.com/a.png", False),
        ("https://example.com/a.webp", False),
        ("https://notyoutube.com/watch", False),
        ("https://example.com/page", False),
        ("https://example.com/a.mp4.html", False),
    ],
)
def test_given_a_link_when_spelled_like_a_video_then_it_is_known(url: str, expected: bool) -> None:
    assert links.looks_like_video(url) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://youtu.be/dQw4w9WgXcQ", "https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=12s"),
        ("https://vimeo.com/76979871", "https://vimeo.com/76979871#t=12s"),
        ("https://dai.ly/x5kesuj", "https://www.dailymotion.com/video/x5kesuj?start=12"),
        ("https://www.twitch.tv/videos/123", "https://www.twitch.tv/videos/123?t=12s"),
        ("https://example.com/a.mp4?x=1", "https://example.com/a.mp4?x=1#t=12"),
        ("https://example.com/page", None),
        ("", None),
    ],
)
def test_given_a_site_with_times_when_linked_then_it_starts_there(url: str, expected: str | None) -> None:
    assert links.at_second(url, 12.9) == expected


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "scheme"),
        ("data:text/html,x", "scheme"),
        ("ftp://example.com/a.mp4", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("ytsearch:cats", "scheme"),
        ("hello", "malformed"),
        ("", "malformed"),
        ("http://", "malformed"),
        ("http://example.com:99999/", "malformed"),
        ("http://user:pass@example.com/", "malformed"),
        ("http://example.com\\@127.0.0.1/", "malformed"),
        ("http://exa\nmple.com/", "malformed"),
        ("http://[::1/", "malformed"),
        ("https://example.com/" + "a" * 5000, "malformed"),
        ("http://example.com:22/", "port"),
        ("http://127.0.0.1/", "private"),
        ("http://127.0.0.1:8080/a.mp4", "private"),
        ("http://localhost/", "private"),
        ("http://LOCALHOST./", "private"),
        ("http://printer.local/", "private"),
        ("http://10.1.2.3/", "private"),
        ("http://192.168.0.1/", "private"),
        ("http://169.254.169.254/latest/meta-data/", "private"),
        ("http://100.64.0.1/", "private"),
        ("http://0.0.0.0/", "private"),
        ("http://0/", "private"),
        ("http://127.1/", "private"),
        ("http://2130706433/", "private"),
        ("http://0x7f000001/", "private"),
        ("http://0177.0.0.1/", "private"),
        ("http://127\u30020\u30020\u30021/", "private"),
        ("http://\uff11\uff12\uff17.0.0.1/", "private"),
        ("http://[::1]/", "private"),
        ("http://[::ffff:127.0.0.1]/", "private"),
        ("http://[::ffff:7f00:1]/", "private"),
        ("http://[::127.0.0.1]/", "private"),
        ("http://[64:ff9b::10.0.0.1]/", "private"),
        ("http://[2002:7f00:1::]/", "private"),
        ("http://[fe80::1]/", "private"),
        ("http://[fd00::1]/", "private"),
        ("http://[ff02::1]/", "private"),
        ("http://224.0.0.1/", "private"),
        ("http://255.255.255.255/", "private"),
    ],
)
def test_given_a_forbidden_link_when_checked_then_it_is_refused(url: str, why: str) -> None:
    with pytest.raises(LinkRefused) as raised:
        links.check(url, frozenset())
    assert raised.value.why == why


@pytest.mark.parametrize(
    "url",
    ["https://example.com/a.mp4", "http://93.184.215.14/", "http://example.com:443/", "http://[2606:2800:220:1::]/"],
)
def test_given_a_public_link_when_checked_then_it_passes(url: str) -> None:
    links.check(url, frozenset())


def test_given_an_allowed_host_when_checked_then_any_port_passes() -> None:
    links.check("http://127.0.0.1:8080/a.mp4", frozenset({"127.0.0.1"}))
    links.check("http://NAS.local:9000/a.mp4", frozenset({"nas.local"}))
    with pytest.raises(LinkRefused):
        links.check("http://127.0.0.2:8080/a.mp4", frozenset({"127.0.0.1"}))


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("https://example.com/films/my_film-2.mp4?x=1", "my_film-2"),
        ("https://example.com/A%20trip%20to%20the%20moon.webm", "A trip to the moon"),
        ("https://example.com/", "example.com"),
    ],
)
def test_given_a_file_link_when_titled_then_by_its_name(url: str, title: str) -> None:
    assert links.file_title(url) == title
