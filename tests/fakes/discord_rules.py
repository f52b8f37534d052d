"""What Discord's documentation demands of a message, as checks. Gives complaints; knows no HTTP."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from tests.fakes.discord_world import IS_V2, Json, walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_COMPONENTS = 40
MOST_TEXT = 4000
REQUEST_BYTES = 25 * 1024 * 1024

ROW, BUTTON, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 1, 2, 9, 10, 11, 12, 13, 14, 17
_TOP = {ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR, CONTAINER}
_LINK = 5
_STRING = 3


def complaints(payload: Json, names: list[str]) -> list[str]:
    """Give what Discord would refuse in a message; `names` are those of its uploaded files, in order."""
    components = payload.get("components") or []
    if not payload.get("flags", 0) & IS_V2:
        return [] if payload.get("content") and not components else ["neither a V2 message nor plain text"]
    found = [f"{key} beside V2 components" for key in ("content", "embeds", "poll", "stickers") if payload.get(key)]
    return [*found, *_shape(components), *_uploads(payload, components, names)]


def house_rules(payload: Json) -> list[str]:
    """Give what Discord would allow, but Keaton must not do: ping anybody."""
    allowed = payload.get("allowed_mentions")
    fine = allowed is not None and allowed.get("parse") == [] and not allowed.get("replied_user")
    return [] if fine else [f"may ping somebody: {allowed}"]


def filled(command: Json, words: str) -> dict[str, str]:
    """Give the options that Discord's client fills with words typed behind a command: its first required one.

    Where all are optional the words are dropped, and the command is sent without them.
    """
    first = next(iter(command.get("options") or []), None)
    return {first["name"]: words} if words and first and first.get("required") and first["type"] == _STRING else {}


def unfilled(command: Json, sub: str, given: Mapping[str, object]) -> list[str]:
    """Give the required options that are missing: Discord's client does not send such a command."""
    options = command.get("options") or []
    if sub:
        options = next(one for one in options if one["name"] == sub).get("options") or []
    names = {name.rstrip("_") for name in given}
    return [one["name"] for one in options if one.get("required") and one["name"] not in names]


def wrong_commands(commands: list[Json]) -> list[str]:
    """Give what Discord refuses in the commands that it is told (interactions/application-commands, naming)."""
    found = [wrong for command in commands for wrong in _command(command)]
    return found + [wrong for kind in (1, 2, 3) for wrong in _twice([c for c in commands if c.get("type", 1) == kind])]


def _command(command: Json) -> Iterator[str]:
    is_menu = command.get("type", 1) != 1
    for name in _in_all_languages(command, "name"):
        if not 1 <= len(name) <= 32 or not (is_menu or _is_name(name)):
            yield f"a name {name!r}"
    for text in _in_all_languages(command, "description") if not is_menu else ():
        if not 1 <= len(text) <= 100:
            yield f"a description of {len(text)}"
    for choice in command.get("choices") or []:
        if any(not 1 <= len(name) <= 100 for name in _in_all_languages(choice, "name")):
            yield f"a choice {choice}"
    options = command.get("options") or []
    yield from _twice(options)
    for option in options:
        yield from _command({**option, "type": 1})


def _in_all_languages(what: Json, key: str) -> list[str]:
    return [what.get(key) or "", *(what.get(f"{key}_localizations") or {}).values()]


def _is_name(name: str) -> bool:
    """`^[-_'\\p{L}\\p{N}\\p{sc=Deva}\\p{sc=Thai}]{1,32}$`, and small letters where there are such."""
    return name == name.lower() and all(char in "-_'" or unicodedata.category(char)[0] in "LN" for char in name)


def _twice(named: list[Json]) -> Iterator[str]:
    for locale in {"", *(locale for one in named for locale in one.get("name_localizations") or {})}:
        names = [(one.get("name_localizations") or {}).get(locale) or one["name"] for one in named]
        if len(names) != len(set(names)):
            yield f"names twice in {locale or 'English'}: {names}"


def _shape(components: list[Json]) -> Iterator[str]:
    parts = walk(components)
    if not 1 <= len(parts) <= MOST_COMPONENTS:
        yield f"{len(parts)} components"
    if any(part["type"] not in _TOP for part in components):
        yield "a component that may not stand at the top"
    if sum(len(part.get("content", "")) for part in parts) > MOST_TEXT:
        yield "too much text"
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    if len(ids) != len(set(ids)):
        yield f"the same custom_id twice: {ids}"
    for part in parts:
        yield from _part(part)


def _part(part: Json) -> Iterator[str]:  # noqa: C901 - a line each
    match part["type"]:
        case 1:
            has_menu = any(one["type"] == 3 for one in part["components"])
            if not 1 <= len(part["components"]) <= (1 if has_menu else 5):
                yield f"a row of {len(part['components'])}"
        case 2:
            yield from _button(part)
        case 3:
            yield from _select(part)
        case 9:
            yield from _section(part)
        case 11:
            yield from _described(part)
        case 10:
            if not part["content"]:
                yield "an empty text"
        case 12:
            yield from _gallery(part)
        case 17:
            if any(child["type"] not in _TOP - {CONTAINER} for child in part["components"]):
                yield "a component that may not stand in a container"
        case other:
            yield f"a component of type {other}"


def _section(section: Json) -> Iterator[str]:
    """Components reference, "Section": one to three texts, and beside them a button or a thumbnail."""
    if not 1 <= len(section["components"]) <= 3 or any(one["type"] != TEXT for one in section["components"]):
        yield "a section of something else than one to three texts"
    if (section.get("accessory") or {}).get("type") not in {BUTTON, THUMBNAIL}:
        yield "a section without an accessory"


def _button(button: Json) -> Iterator[str]:
    if not 1 <= len(button.get("label", "")) <= 80:
        yield f"a label of {len(button.get('label', ''))}"
    if button["style"] == _LINK:
        if "custom_id" in button or not button["url"].startswith(("http://", "https://")) or len(button["url"]) > 512:
            yield f"a bad link button: {button}"
    elif not 1 <= len(button.get("custom_id", "")) <= 100:
        yield f"a custom_id of {len(button.get('custom_id', ''))}"


def _select(menu: Json) -> Iterator[str]:
    """Components reference, "String Select": 1 to 25 options, each with a label and a value of its own."""
    values = [one["value"] for one in menu["options"]]
    if not 1 <= len(values) <= 25 or len(values) != len(set(values)):
        yield f"a menu of {values}"
    if any(not 1 <= len(one["label"]) <= 100 or not 1 <= len(one["value"]) <= 100 for one in menu["options"]):
        yield f"a bad option: {menu['options']}"
    if not 1 <= len(menu["custom_id"]) <= 100 or len(menu.get("placeholder") or "") > 150:
        yield f"a bad menu: {menu}"


def _gallery(gallery: Json) -> Iterator[str]:
    if not 1 <= len(gallery["items"]) <= 10:
        yield f"a gallery of {len(gallery['items'])}"
    for item in gallery["items"]:
        yield from _described(item)


def _described(picture: Json) -> Iterator[str]:
    if len(picture.get("description") or "") > 1024:
        yield "a description that is too long"


def _uploads(payload: Json, components: list[Json], names: list[str]) -> Iterator[str]:
    parts = walk(components)
    wanted = [item["media"]["url"] for part in parts for item in part.get("items", [])]
    wanted += [part["media"]["url"] for part in parts if part["type"] == THUMBNAIL]
    listed = [one.get("filename") for one in payload.get("attachments") or []]
    if sorted(listed, key=str) != sorted(names):
        yield f"attachments {listed} are not the files {names}"
    for url in wanted:
        if url.startswith("attachment://") and url.removeprefix("attachment://") not in names:
            yield f"{url} is not among the files {names}"
    for name in names:
        if f"attachment://{name}" not in wanted:
            yield f"{name} is uploaded but shown nowhere"
