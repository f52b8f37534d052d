"""What was written down is asked for again as it was, whichever door takes it up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.doors.requests import event_of, request_of
from core.model.events import Action, Find, Forget, Incoming, LinkPosted, Switch
from core.model.requests import MessageKey
from tests.core.conftest import turn

ASKED = (
    LinkPosted(turn(), "https://films.example/a.mp4"),
    Action(turn(), "show:abc:1:m", under="7"),
    Action(turn(), "like:abc:1:"),
    Forget(turn(), "holiday"),
    Switch(turn(), on=True),
    Switch(turn(), on=False),
)


@pytest.mark.parametrize("event", ASKED, ids=lambda event: type(event).__name__)
def test_given_a_written_request_when_restarted_then_it_is_the_same_event(event: Incoming) -> None:
    request = request_of(MessageKey(turn().scope, "", "one"), event, "somewhere")
    assert request is not None
    assert event_of(request, turn()) == event


def test_given_a_switch_when_written_down_then_its_channel_is_with_it() -> None:
    thread = MessageKey(replace(turn().scope, channel="a thread"), "7", "mention")
    request = request_of(thread, Switch(turn(), on=True))
    assert request is not None
    assert (request.key, request.name) == (thread, "main")


@pytest.mark.parametrize(
    ("shared", "moderator", "may"), [(True, False, False), (True, True, True), (False, False, True)]
)
def test_given_a_press_when_written_down_then_it_keeps_the_right_to_cancel(
    *, shared: bool, moderator: bool, may: bool
) -> None:
    who = replace(turn(), door=replace(turn().door, shared=shared), moderator=moderator)
    request = request_of(MessageKey(who.scope, "", "one"), Action(who, "cancel:1:"), "somewhere")
    assert request is not None
    assert request.moderator == may


def test_given_a_request_to_search_when_read_without_its_query_then_none() -> None:
    request = request_of(MessageKey(turn().scope, "", "one"), Find(turn(), "a dog"), "somewhere")
    assert request is not None
    assert event_of(request, turn()) is None
