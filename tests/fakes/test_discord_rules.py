"""The small Discord refuses what the real one refuses: otherwise stories told against it would prove nothing."""

from __future__ import annotations

import pytest

from tests.fakes.discord_rules import complaints, filled, house_rules, unfilled, wrong_commands
from tests.fakes.discord_world import IS_V2, Json

TEXT: Json = {"type": 10, "content": "words"}
GALLERY: Json = {"type": 12, "items": [{"media": {"url": "attachment://a.png"}, "description": "a"}]}
BUTTON: Json = {"type": 2, "style": 1, "label": "1", "custom_id": "one"}


def box(*parts: Json) -> Json:
    return {"flags": IS_V2, "components": [{"type": 17, "components": list(parts)}]}


def row(*buttons: Json) -> Json:
    return {"type": 1, "components": list(buttons)}


def test_a_proper_card_is_taken() -> None:
    card = {**box(TEXT, GALLERY, row(BUTTON)), "attachments": [{"id": 0, "filename": "a.png"}]}
    assert complaints(card, ["a.png"]) == []


@pytest.mark.parametrize(
    ("card", "files", "complaint"),
    [
        ({**box(TEXT), "content": "hello"}, [], "content beside"),
        ({**box(TEXT), "embeds": [{}]}, [], "embeds beside"),
        ({"flags": IS_V2, "components": []}, [], "0 components"),
        (box(*[TEXT] * 40), [], "41 components"),
        (box({"type": 10, "content": "x" * 4001}), [], "too much text"),
        (box({"type": 10, "content": ""}), [], "an empty text"),
        (box(row(BUTTON, BUTTON)), [], "the same custom_id"),
        (box(row(*[{**BUTTON, "custom_id": str(n)} for n in range(6)])), [], "a row of 6"),
        (box(row({**BUTTON, "custom_id": "x" * 101})), [], "a custom_id of 101"),
        (box(row({**BUTTON, "label": "x" * 81})), [], "a label of 81"),
        (box(row({"type": 2, "style": 5, "label": "go", "url": "javascript:1"})), [], "a bad link"),
        (box({"type": 17, "components": [TEXT]}), [], "may not stand in a container"),
        ({"flags": IS_V2, "components": [BUTTON]}, [], "may not stand at the top"),
        (box(GALLERY), [], "is not among the files"),
        ({**box(TEXT), "attachments": [{"filename": "a.png"}]}, ["a.png"], "shown nowhere"),
        (box(GALLERY), ["a.png"], "are not the files"),
        ({"components": [TEXT]}, [], "neither"),
    ],
)
def test_what_the_documentation_forbids_is_refused(card: Json, files: list[str], complaint: str) -> None:
    assert any(complaint in one for one in complaints(card, files)), complaints(card, files)


@pytest.mark.parametrize("allowed", [None, {"parse": ["everyone"]}, {"parse": [], "replied_user": True}])
def test_a_message_that_may_ping_somebody_is_noted(allowed: Json | None) -> None:
    assert house_rules({"allowed_mentions": allowed})
    assert not house_rules({"allowed_mentions": {"parse": []}})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], {}),
        ([{"name": "text", "type": 3}], {}),
        ([{"name": "text", "type": 3, "required": True}, {"name": "in", "type": 3}], {"text": "a woman in water"}),
        ([{"name": "picture", "type": 11, "required": True}], {}),
    ],
)
def test_words_behind_a_command_fill_its_first_required_option_or_none(
    options: list[Json], words: dict[str, str]
) -> None:
    assert filled({"options": options}, "a woman in water") == words


def test_a_command_is_not_sent_without_its_required_options() -> None:
    group = {"options": [{"name": "on", "type": 1, "options": [{"name": "why", "required": True}]}]}
    assert unfilled(group, "on", {}) == ["why"]
    assert unfilled({"options": [{"name": "in", "required": True}]}, "", {"in_": "here"}) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "find", "description": "x", "name_localizations": {"de": "Suche"}},
        {"name": "find", "description": "x", "name_localizations": {"de": "etwas suchen"}},
        {"name": "find", "description": "x", "description_localizations": {"de": "x" * 101}},
        {
            "name": "find",
            "description": "x",
            "options": [
                {"name": "one", "description": "x", "type": 3, "name_localizations": {"de": "eins"}},
                {"name": "two", "description": "x", "type": 3, "name_localizations": {"de": "eins"}},
            ],
        },
    ],
)
def test_the_small_discord_refuses_bad_names(wrong: Json) -> None:
    assert wrong_commands([wrong])
