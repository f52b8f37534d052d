"""A video is found by the name that a person gives it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from core.errors import AmbiguousVideo, UnknownVideo
from core.model.video import PostedVideo, Posting, Scope, Video, pick


def posted(video_id: str, title: str) -> PostedVideo:
    video = Video(video_id, "", title, 10, 640, 360)
    return PostedVideo(video, Posting(video_id, Scope("local", "home", "main"), "u", "U", "", datetime.now(UTC)))


VIDEOS = (posted("sha256:abcd1234", "Holiday"), posted("youtube:xyz", "Holiday 2"), posted("sha256:ffff0000", "Race"))


@pytest.mark.parametrize(
    ("name", "video_id"),
    [
        ("sha256:abcd1234", "sha256:abcd1234"),
        ("holiday", "sha256:abcd1234"),
        ("Holiday 2", "youtube:xyz"),
        ("youtube:xyz", "youtube:xyz"),
        ("ffff", "sha256:ffff0000"),
        ("rac", "sha256:ffff0000"),
    ],
)
def test_given_an_id_or_a_part_of_a_title_when_picked_then_it_is_found(name: str, video_id: str) -> None:
    assert pick(VIDEOS, name).video.id == video_id


def test_given_a_name_when_it_fits_several_then_it_is_asked_back() -> None:
    with pytest.raises(AmbiguousVideo) as caught:
        pick(VIDEOS, "olida")
    assert caught.value.titles == ("Holiday", "Holiday 2")


def test_given_a_name_when_it_fits_none_then_it_is_unknown() -> None:
    with pytest.raises(UnknownVideo):
        pick(VIDEOS, "Marathon")
