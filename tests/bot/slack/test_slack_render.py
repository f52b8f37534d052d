"""Replies as Block Kit: within Slack's limits whatever strangers wrote, and nothing in them works as markup."""

from __future__ import annotations

import pytest

from bot.slack.messages import is_slacks
from bot.slack.render import Shot, card, link, mentions, plain
from core.model.reply import Button, Link, Progress, Reply
from tests.fakes import slack_blocks
from tests.fakes.slack_world import File

LONG = "<!channel> & ünïcode 🎬 " * 400
FRAME = File("frame.jpg", b"x", "image/jpeg", id="F1")


def test_given_a_card_when_rendered_then_its_parts_have_their_order() -> None:
    reply = Reply(
        "0:04 in a video",
        title="“green”",
        buttons=(Button("show:a:1:m", "1 · 0:04", active=True), Button("show:a:0:mp", "Previous", enabled=False)),
        links=(Link("https://films.example/a?b=1&c=2#t=4", "Open at 0:04"),),
    )
    made = card(reply, [Shot("F1", "Frame at 0:04")])
    assert [block["type"] for block in made.blocks] == ["header", "section", "image", "actions", "context"]
    assert made.blocks[2] == {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "Frame at 0:04"}
    (button,) = made.blocks[3]["elements"]
    assert (button["action_id"], button["style"]) == ("show:a:1:m", "primary")
    assert made.blocks[4]["elements"][0]["text"] == "<https://films.example/a?b=1&amp;c=2#t=4|Open at 0:04>"


def test_given_any_text_when_rendered_then_within_limits_and_escaped() -> None:
    buttons = tuple(Button(f"show:a:{number}:m", LONG) for number in range(30))
    links = (Link("https://films.example/" + "a" * 900, LONG), Link("javascript:alert(1)", "no"))
    reply = Reply(LONG, title=LONG, buttons=buttons, links=links, progress=Progress("looking", 0.42), tone="error")
    made = card(reply, [Shot("F1", LONG)], note=LONG)
    assert slack_blocks.complaints(list(made.blocks), {"F1": FRAME}) == []
    assert slack_blocks.pings(made.arguments()) == []
    assert "javascript" not in str(made.blocks)
    assert len(made.text) <= 3000


def test_given_buttons_behind_more_when_rendered_then_a_menu_has_them() -> None:
    buttons = (
        Button("show:a:1:m", "1 · 0:04", active=True),
        Button("show:a:2:mn", "Next", row=1),
        Button("show:a:1:mv:p:::", "Preview", row=2),
        Button("details:a:1:", "Details", row=4, more=True),
        Button("show:a:1:mb:f:0::", "\N{MINUS SIGN}1 s", enabled=False, row=1, more=True),
    )
    made = card(Reply("0:04 in a video", buttons=buttons, level="weak"))
    assert slack_blocks.complaints(list(made.blocks), {}) == []
    rows = [block["elements"] for block in made.blocks if block["type"] == "actions"]
    assert [[one["type"] for one in row] for row in rows] == [["button"], ["button", "button", "static_select"]]
    assert [one["value"] for one in rows[1][2]["options"]] == ["details:a:1:"]
    assert made.blocks[0]["text"]["text"].startswith("Possible match\n")


def test_given_progress_when_rendered_then_it_is_a_bar() -> None:
    bar = card(Reply("Looking…", progress=Progress("looking", 0.5))).blocks[0]["text"]["text"].splitlines()[-1]
    assert bar == "█" * 10 + "░" * 10


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("see <https://a.example/x?a=1&amp;b=2|a.example>", "see https://a.example/x?a=1&b=2"),
        ("<@U0BOT> find a &lt;b&gt;", " find a <b>"),
        ("<!here> <#C1|general> hi", "  hi"),
    ],
)
def test_given_slacks_escaped_text_when_read_then_it_is_as_typed(sent: str, words: str) -> None:
    assert plain(sent) == words


def test_given_a_text_like_a_mention_when_read_then_it_is_none() -> None:
    assert mentions("hi <@U0BOT|keaton>", "U0BOT")
    assert not mentions("hi &lt;@U0BOT&gt; @U0BOT <@U0BOTTLE>", "U0BOT")


def test_given_a_hostile_label_when_rendered_then_it_stays_inside_its_link() -> None:
    assert link("https://a.example/|x> <!channel>", "a|b> <@U1>").count("<") == 1


@pytest.mark.parametrize(
    ("url", "is_theirs"),
    [
        ("https://files.slack.com/files-pri/T1-F1/download/a.mp4", True),
        ("https://slack.com/a", True),
        ("https://files.slack-gov.com/a", True),
        ("http://files.slack.com/a", False),
        ("https://files.slack.com.evil.example/a", False),
        ("https://evilslack.com/a", False),
        ("https://drive.example/a", False),
        ("http://127.0.0.1:1/a", False),
    ],
)
def test_given_an_address_when_fetched_then_slacks_alone_has_the_token(url: str, is_theirs: bool) -> None:
    assert is_slacks(url, "") is is_theirs
