"""A reply in Discord's shape, as its documentation wants it."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image as Pillow

from bot.discord.config import DOOR
from bot.discord.messages import expired
from bot.discord.render import Image, card, fit, images, plain
from core.answers import buttons
from core.answers.buttons import Cursor
from core.model import actions
from core.model.answer import Answer, Tally
from core.model.query import Query
from core.model.reply import Button, Link, Picture, Progress, Reply
from core.model.results import Moment
from core.model.video import Scope, View
from tests.fakes.discord_rules import complaints
from tests.fakes.discord_world import IS_V2, Json, walk


def payload(reply: Reply) -> Json:
    """Give what discord.py would send."""
    made = card(reply, images(reply.pictures))
    names = [file.filename for file in made.files()]
    listed = [{"id": number, "filename": name} for number, name in enumerate(names)]
    return {
        "flags": IS_V2,
        "components": [one.to_component_dict() for one in made.view.children],
        "attachments": listed,
    }


def answer(moments: int = 5) -> Reply:
    buttons = (
        *(Button(actions.Show("a", n).id(), f"{n} · 0:0{n}", active=n == 1) for n in range(1, moments + 1)),
        Button(actions.Show("a", 0).id("p"), "Previous", enabled=False, row=1),
        Button(actions.Show("a", 2).id("n"), "Next", row=1),
        Button(actions.Show("a", 1, "softmax").id("s"), "As softmax", row=2),
    )
    pictures = tuple(Picture(kind, f"{kind}.png", f"a {kind}", {"dark": b"x"}) for kind in ("frame", "plot"))
    links = (Link("https://films.test/?t=1", "Open at 0:01"), Link("https://discord.com/channels/1/2/3", "Posted by A"))
    return Reply("0:01 in video", title="“dog”", pictures=pictures, buttons=buttons, links=links)


def test_given_a_whole_answer_when_rendered_then_limits_are_kept() -> None:
    sent = payload(answer())
    assert complaints(sent, ["frame.png", "plot.png"]) == []
    rows = [[part["label"] for part in one["components"]] for one in walk(sent["components"]) if one["type"] == 1]
    assert rows == [
        [f"{n} · 0:0{n}" for n in range(1, 6)],
        ["Previous", "Next", "As softmax"],
        ["Open at 0:01", "Posted by A"],
    ]


def test_given_the_fullest_card_when_rendered_then_limits_are_kept() -> None:
    moments = tuple(Moment("video", 10.0 * n, 10.0 * n + 4, 10.0 * n + 2, 0.3) for n in range(20))
    at_ms, out_ms = 99_000_000, 99_060_000
    wish = actions.Show("a" * 16, 12, mode="cut", at_ms=at_ms, in_ms=at_ms, out_ms=out_ms, revision=999_999)
    cursor = Cursor.of(wish, moments[11], 100_000.0, 60.0)
    view = View("discord", "1", frozenset({"2"}))
    made = Answer("a" * 16, Query("dog", view), Scope("discord", "1", "2"), moments)
    shown = replace(answer(), buttons=buttons.under(made, wish, cursor, DOOR, Tally(99, 99, 199)))
    sent = payload(shown)
    assert complaints(sent, ["frame.png", "plot.png"]) == []
    assert len(walk(sent["components"])) <= 36  # of 40: room for a few more buttons


def test_given_the_shown_moment_then_it_stands_out_and_dead_ends_are_grey() -> None:
    parts = {part.get("label"): part for part in walk(payload(answer())["components"])}
    assert (parts["1 · 0:01"]["style"], parts["2 · 0:02"]["style"]) == (1, 2)
    assert parts["Previous"]["disabled"]


@given(st.text(), st.text(), st.text(), st.floats(0, 1))
@example("*", "*", "", 1.0)
def test_given_any_text_when_rendered_then_discords_limits_are_kept(
    title: str, text: str, label: str, share: float
) -> None:
    link = Link("https://films.test/" + label, label)
    reply = Reply(text * 3000 or "x", title=title * 500, links=(link,), progress=Progress("looking", share))
    assert complaints(payload(reply), []) == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("@everyone", r"\@everyone"),
        ("<@123> <#4> </find:5>", r"\<\@123\> \<#4\> \</find:5\>"),
        ("**b** __u__ ~~s~~ ||spoiler|| `code`", r"\*\*b\*\* \_\_u\_\_ \~\~s\~\~ \|\|spoiler\|\| \`code\`"),
        ("[free nitro](https://evil.test)", r"\[free nitro\](https://evil.test)"),
        ("# loud\n- list\n-# small", "\\# loud\n\\- list\n\\-# small"),
        ("0:08 - 0:12, 50%", "0:08 - 0:12, 50%"),
    ],
)
def test_given_strangers_words_when_rendered_then_they_are_no_markup(written: str, shown: str) -> None:
    assert plain(written) == shown


def noise(width: int, height: int) -> bytes:
    out = io.BytesIO()
    Pillow.effect_noise((width, height), 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


async def test_given_pictures_when_rendered_then_those_too_large_alone_shrink() -> None:
    small, large = Image("plot.png", "a plot", noise(40, 40)), Image("frame.png", "a frame", noise(900, 600))
    kept, shrunk = await fit((small, large), 30_000)
    assert kept == small
    assert len(shrunk.data) <= 30_000
    assert (shrunk.name, shrunk.alt) == ("frame.jpg", "a frame")
    assert min(Pillow.open(io.BytesIO(shrunk.data)).size) >= 64


async def test_given_a_picture_that_cannot_fit_when_rendered_then_it_is_left_out() -> None:
    assert await fit((Image("frame.png", "a frame", noise(200, 200)),), 100) == ()


def test_given_a_signed_address_when_read_then_its_expiry_is_known() -> None:
    assert expired("https://cdn.test/1/a.mp4?ex=3e8&is=1", 1000.0)
    assert expired("https://cdn.test/1/a.mp4?ex=3e8", 950.0), "and soon enough before"
    assert not expired("https://cdn.test/1/a.mp4?ex=3e8", 800.0)
    assert not expired("https://cdn.test/1/a.mp4", 1e12)
    assert not expired("https://cdn.test/1/a.mp4?ex=soon", 1e12)


def test_given_known_commands_when_named_then_they_can_be_clicked() -> None:
    known = {"find": "</find:7>", "keaton help": "</keaton help:8>"}
    text = "Try /find what you see, or /keaton help. Not /videos, a/find or https://x.test/find"
    shown = payload(Reply(text, commands=known))
    said = "".join(part.get("content", "") for part in walk(shown["components"]))
    assert said == "Try </find:7> what you see, or </keaton help:8>. Not /videos, a/find or https://x.test/find"


def test_given_a_text_full_of_commands_when_rendered_then_limits_are_kept() -> None:
    reply = Reply("/find " * 1000, title="/find " * 100, commands={"find": "</find:1234567890123456789>"})
    assert complaints(payload(reply), []) == []


def test_given_buttons_behind_more_when_rendered_then_they_are_in_a_menu() -> None:
    behind = (
        Button(actions.Show("a", 1, at_ms=1000).id("b"), "\N{MINUS SIGN}1 s", enabled=False, row=1, more=True),
        Button(actions.Details("a", 1).id(), "Details", row=4, more=True),
    )
    reply = replace(answer(), buttons=answer().buttons + behind, level="strong")
    sent = payload(reply)
    assert complaints(sent, ["frame.png", "plot.png"]) == []
    (menu,) = [part for part in walk(sent["components"]) if part["type"] == 3]
    assert [(one["label"], one["value"]) for one in menu["options"]] == [("Details", "details:a:1:")]
    assert "**Strong match**" in str(sent["components"])
