"""Which kept video a link leads to: in its own space, or by a public id that its site confirmed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.model.video import Scope, Video
from core.site_ids import Lead, choose, confirms, is_same

HERE, AWAY = Scope("discord", "guild", "general"), Scope("discord", "other guild", "general")
LINK, PUBLIC, KEYED = "https://films.test/1", "youtube:dQw4w9WgXcQ", "vimeo:1/8272103f6e"
VIDEO = Video("sha256:a", "https://films.test/page", "A video", 1.0, 64, 36, uploader="Buster")


def lead(link: str, site_id: str, scope: Scope = AWAY, title: str = "A video") -> Lead:
    return Lead(link, scope.platform, scope.space, site_id, replace(VIDEO, title=title))


@pytest.mark.parametrize("link", [LINK, PUBLIC, KEYED, "discord:attachment:1", "mediasite:1"])
@pytest.mark.parametrize("site_id", ["", "mediasite:1", "youtube:AAAAAAAAAAA", "vimeo:1", "vimeo:1/8272103f6e"])
def test_given_another_spaces_link_when_unconfirmed_then_it_leads_nowhere(link: str, site_id: str) -> None:
    assert choose([lead(link, site_id)], link, HERE) is None


def test_given_a_confirmed_id_when_elsewhere_then_it_leads_unnamed() -> None:
    found = choose([lead(PUBLIC, ""), lead(PUBLIC, PUBLIC, replace(AWAY, space="third"), "Theirs")], PUBLIC, HERE)
    assert found is not None
    assert (found.video, found.site_id) == (replace(VIDEO, title="Theirs", url=""), PUBLIC)


def test_given_two_leads_when_one_is_of_the_space_then_it_comes_first() -> None:
    leads = [lead(PUBLIC, PUBLIC), lead(PUBLIC, PUBLIC, HERE, "Ours"), lead(PUBLIC, PUBLIC)]
    found = choose(leads, PUBLIC, replace(HERE, channel="another"))
    assert found is not None
    assert (found.video.title, found.video.url) == ("Ours", VIDEO.url)


@pytest.mark.parametrize(
    ("link", "site_id", "leads"),
    [
        (PUBLIC, "youtube:AAAAAAAAAAA", False),
        (PUBLIC, "mediasite:1", False),
        (KEYED, "vimeo:2", False),
        (KEYED, "vimeo:1", True),
        (PUBLIC, PUBLIC, True),
        (PUBLIC, "", True),
        (LINK, "youtube:AAAAAAAAAAA", True),
    ],
)
def test_given_a_link_with_an_id_when_it_led_elsewhere_then_it_is_denied(link: str, site_id: str, leads: bool) -> None:
    assert (choose([lead(link, site_id, HERE)], link, HERE) is not None) is leads


def test_given_a_row_of_another_link_when_chosen_then_it_leads_nowhere() -> None:
    assert choose([lead(LINK, "", HERE)], LINK + "0", HERE) is None
    assert choose([lead(LINK, "", HERE)], LINK, replace(HERE, platform="slack")) is None


def test_given_a_new_fetch_when_bytes_or_id_agree_then_the_same_video() -> None:
    assert is_same("sha256:a", "sha256:a", LINK, "mediasite:1")
    assert is_same(PUBLIC, "sha256:a", PUBLIC, PUBLIC)
    assert not is_same("sha256:a", "sha256:b", PUBLIC, PUBLIC)
    assert not is_same(PUBLIC, "sha256:a", LINK, PUBLIC)
    assert not is_same("mediasite:1", "sha256:a", "mediasite:1", "mediasite:1")
    assert not confirms(KEYED, "vimeo:1")
