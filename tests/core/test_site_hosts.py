"""Which hosts belong to the sites that an operator names."""

from __future__ import annotations

import pytest

from core.hosts import fetch_hosts, is_within
from core.links import is_on


@pytest.mark.parametrize(
    ("host", "within"),
    [
        ("films.example", True),
        ("FILMS.example.", True),
        ("a.b.films.example", True),
        ("myfilms.example", False),
        ("films.example.evil.example", False),
        ("example", False),
        ("m\u00fcnchen.example", True),
        ("xn--mnchen-3ya.example", True),
        ("", False),
        ("evil.test\0.films.example", False),
        ("evil.test/.films.example", False),
        ("evil.test%00.films.example", False),
        ("evil.test#.films.example", False),
        ("evil.test .films.example", False),
        ("evil.test\u2100.films.example", False),  # becomes "a/c"
        ("2001:db8::1%.films.example", False),
    ],
)
def test_given_a_host_when_compared_then_it_is_within_a_site_or_not(host: str, within: bool) -> None:
    assert is_within(host, {"films.example", "m\u00fcnchen.example"}) is within


@pytest.mark.parametrize(
    ("sites", "host", "contacted"),
    [
        ({"youtube.com"}, "rr3---sn-4g5e6nsz.googlevideo.com", True),
        ({"youtu.be"}, "www.youtube.com", True),
        ({"www.youtube.com"}, "googlevideo.com", True),
        ({"youtube.com"}, "evil-googlevideo.com", False),
        ({"youtube.com"}, "vimeocdn.com", False),
        ({"vimeo.com"}, "vod-adaptive.vimeocdn.com", True),
        ({"vimeo.com"}, "someone-else.akamaized.net", False),
        ({"twitch.tv"}, "d111111abcdef8.cloudfront.net", False),
        ({"twitch.tv", "d111111abcdef8.cloudfront.net"}, "d111111abcdef8.cloudfront.net", True),
        ({"films.example"}, "googlevideo.com", False),
        ({"films.example"}, "cdn.discordapp.com", False),
    ],
)
def test_given_named_sites_when_fetching_then_their_file_hosts_too(sites: set[str], host: str, contacted: bool) -> None:
    assert is_within(host, fetch_hosts("https://www.youtube.com/watch?v=dQw4w9WgXcQ", sites)) is contacted


@pytest.mark.parametrize(
    ("link", "host", "contacted"),
    [
        ("https://cdn.discordapp.com/attachments/1/2/a.mp4", "media.discordapp.net", True),
        ("https://cdn.discordapp.com/attachments/1/2/a.mp4", "files.slack.com", False),
        ("https://files.slack.com/files-pri/a.mp4", "acme.slack.com", True),
        ("https://acme.slack.com/a.mp4", "acme.slack.com", False),
    ],
)
def test_given_a_posted_file_when_fetching_then_its_platform_alone(link: str, host: str, contacted: bool) -> None:
    assert is_within(host, fetch_hosts(link, {"films.example"})) is contacted


def test_given_no_named_site_when_fetching_then_any_host() -> None:
    assert fetch_hosts("https://films.example/", frozenset()) == frozenset()


def test_given_a_platforms_file_host_when_checked_then_it_is_always_in() -> None:
    assert is_on("https://cdn.discordapp.com/a.mp4", frozenset({"films.example"}))
    assert not is_on("https://googlevideo.com/a.mp4", frozenset({"youtube.com"}))
