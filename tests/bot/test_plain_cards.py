"""Whatever strangers call things, a card reads in the order in which it was written; on each door."""

from __future__ import annotations

import json

import pytest

from bot.discord import render as discord
from bot.slack import render as slack
from bot.web import render as web
from core.model.reply import Button, Link, Picture, Reply

ODD = "video\u202egpj.exe\u2066\u200e\u061c"
REPLY = Reply(
    ODD,
    title=ODD,
    pictures=(Picture("frame", "frame.jpg", ODD, {"dark": b"x", "light": b"x"}),),
    buttons=(Button("show:a:1:m", ODD),),
    links=(Link("https://films.example/", ODD),),
)


def on_discord() -> object:
    made = discord.card(REPLY, discord.images(REPLY.pictures))
    return [[one.to_component_dict() for one in made.view.children], [one.alt for one in made.images]]


def on_slack() -> object:
    return slack.card(REPLY, [slack.Shot("F1", ODD)], note=ODD).arguments()


def on_the_page() -> object:
    return web.face(REPLY, 1)


@pytest.mark.parametrize("door", [on_discord, on_slack, on_the_page], ids=["discord", "slack", "web"])
def test_given_direction_marks_in_strangers_words_then_no_card_has_them(door: object) -> None:
    assert callable(door)
    sent = json.dumps(door(), ensure_ascii=False)
    assert "videogpj.exe" in sent
    assert not [char for char in sent if char in "\u202e\u2066\u200e\u061c"]
