"""What people type is understood."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.conversation.commands import parse, parse_mention
from core.model.events import Door, Find, Forget, Help, LinkPosted, ListVideos, Turn, Unclear
from core.model.video import Scope, View
from core.wording.replies import unclear

SCOPE = Scope("local", "home", "main")
TURN = Turn(Door("local", ("light",), 25), SCOPE, View.of(SCOPE), "you", "you", "")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/find a woman in water", Find(TURN, "a woman in water")),
        ("  /FIND   dogs ", Find(TURN, "dogs")),
        ("/find", Find(TURN, "")),
        ("/find video:demo a dog", Find(TURN, "a dog", "demo")),
        ('/find a dog video:"Keaton\'s demo video"', Find(TURN, "a dog", "Keaton's demo video")),
        ("/videos", ListVideos(TURN)),
        ("/forget demo video", Forget(TURN, "demo video")),
        ("/help", Help(TURN)),
        ("/dance", Unclear(TURN, "/dance")),
        ("file:///etc/passwd", LinkPosted(TURN, "file:///etc/passwd")),
        ("data:video/mp4;base64,AAAA", LinkPosted(TURN, "data:video/mp4;base64,AAAA")),
        ("note: hello", Unclear(TURN, "note: hello")),
        ("hello there", Unclear(TURN, "hello there")),
        ("see https://a.example/x.mp4.", LinkPosted(TURN, "https://a.example/x.mp4")),
        ("/index https://a.example/page", LinkPosted(TURN, "https://a.example/page")),
        ("/index htps://a.example/page", LinkPosted(TURN, "https://a.example/page")),
        ("youtube.com/watch?v=abc", LinkPosted(TURN, "https://youtube.com/watch?v=abc")),
    ],
)
def test_given_a_message_when_parsed_then_it_is_the_event_meant(typed: str, meant: object) -> None:
    assert parse(TURN, typed) == (meant,)


def test_given_a_mention_with_a_mistyped_command_when_read_then_no_search() -> None:
    assert parse_mention(TURN, "/fnd a dog") == (Unclear(TURN, "/fnd a dog"),)
    assert parse_mention(TURN, "http:/a.example/x") == (LinkPosted(TURN, "https://a.example/x"),)
    assert parse_mention(TURN, "a dog") == (Find(TURN, "a dog"),)


def test_given_a_mistyped_command_when_answered_then_the_meant_one_is_told() -> None:
    shared = replace(TURN.door, shared=True, grouped=frozenset({"videos"}))
    assert "Did you mean /keaton videos?" in unclear(shared, "/keaton vidoes").text
    assert "Did you mean /find?" in unclear(TURN.door, "/fnd a dog").text
    assert "Did you mean" not in unclear(shared, "wat is this").text


def test_given_several_links_when_posted_then_each_is_taken_in() -> None:
    events = parse(TURN, "https://a.example/1.mp4 and https://a.example/2.mp4")
    assert [event.url for event in events if isinstance(event, LinkPosted)] == [
        "https://a.example/1.mp4",
        "https://a.example/2.mp4",
    ]
