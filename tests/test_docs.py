"""The pages for people: their links lead somewhere, their words are the glossary's, what they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import click
import discord
import pytest

from bot.cli.program import keaton
from bot.settings import OLD_NAMES, RETIRED, Settings, setting_names

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "bench/README.md", ROOT / "demo/README.md"])
PICTURES = {".png", ".jpg", ".gif", ".webp", ".svg"}
OF_TESTS = {"KEATON_CHROMIUM", "KEATON_SHOTS"}
OF_SHELLS = {"KEATON_COMPLETE"}
COMMAND_PAGES = ("docs/command-line.md", "docs/operations.md", "docs/privacy.md", "docs/export.md", "SECURITY.md")
TOPS = ("bot", "core", "storage", "bench", "tests", "demo")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """Give the anchors of a page's headings, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_given_a_page_when_its_links_are_followed_then_each_leads_there(page: Path) -> None:
    text = page.read_text()
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|srcset|href)="([^"]+)"', text)
    for link in links:
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{name(page)} links to {link}"


def test_given_the_pictures_of_docs_when_pages_are_read_then_each_is_shown() -> None:
    shown = "".join(page.read_text() for page in PAGES)
    pictures = [one for one in (ROOT / "docs").iterdir() if one.suffix in PICTURES]
    assert not [one.name for one in pictures if one.name not in shown]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_given_a_page_when_it_names_settings_then_they_exist(page: Path) -> None:
    known = {one for field in Settings.model_fields for one in setting_names(field)[:1]} | OF_TESTS | OF_SHELLS
    named = set(re.findall(r"\bKEATON_[A-Z_]*[A-Z]\b", page.read_text()))
    if page.name == "settings.md":
        known |= {*OLD_NAMES, *RETIRED}
    assert page.name == "CHANGELOG.md" or named <= known  # what is gone stays in history


@pytest.mark.parametrize(("page", "most"), [("README.md", 150), ("DECISIONS.md", 150)])
def test_given_a_page_with_a_bound_when_it_is_measured_then_it_keeps_to_it(page: str, most: int) -> None:
    assert len((ROOT / page).read_text().splitlines()) <= most


ODD = ("what is no syntax is words", "takes a film back", "the caged child", "somebody posts", "whoever asked")


def test_given_the_readme_when_it_is_read_then_it_has_no_jargon() -> None:
    text = (ROOT / "README.md").read_text()
    assert not re.findall(r"\d ?%|Rocchio|\bfilms?\b|\bcaged?\b", text)
    assert not [one for one in ODD if one in text]


def test_given_pages_when_they_name_files_of_the_code_then_those_exist() -> None:
    files = {str(one.relative_to(ROOT)) for top in TOPS for one in (ROOT / top).rglob("*.py")}
    names = {one.rpartition("/")[2] for one in files}
    for page in PAGES:
        if page.name == "CHANGELOG.md" or "demo" in page.parts:
            continue
        for named in re.findall(r"`([\w/.-]+\.py)`", page.read_text()):
            known = files if "/" in named else names
            assert named in known, f"{name(page)} names {named}"


def test_given_the_table_of_packages_then_each_has_one_row_and_real_files() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| (`(?:bot|core|storage)[^|]*) \|([^|]*)\|([^|]*)\|$", text, re.MULTILINE)
    listed = {place.rstrip("/"): told for places, *told in rows for place in re.findall(r"`([^`]+)`", places)}
    packages = {str(one.parent.relative_to(ROOT)) for top in TOPS[:3] for one in (ROOT / top).rglob("__init__.py")}
    assert set(listed) == packages - {"core/engines"}
    for package, told in listed.items():
        for named in re.findall(r"`([\w/]+\.py)`", " ".join(told)):
            assert any((ROOT / place / named).exists() for place in listed if told is listed[place]), (package, named)


def test_given_the_discord_invitation_then_it_has_the_listed_permissions() -> None:
    text = (ROOT / "docs/discord.md").read_text()
    (number,) = re.findall(r"permissions=(\d+)", text)
    rows = re.findall(r"^   \| ([A-Z][\w ,]+) \|", text, re.MULTILINE)
    named = {one.strip().lower().replace(" ", "_") for row in rows for one in row.split(",")}
    listed = discord.Permissions(**{{"view_channels": "view_channel"}.get(one, one): True for one in named})
    assert listed.value == int(number)


def test_given_commands_on_pages_when_looked_up_then_they_exist() -> None:
    said = "\n".join((ROOT / page).read_text() for page in ("README.md", *COMMAND_PAGES))
    lines = re.findall(r"^(?:\.venv/bin/)?keaton (.+)$", said, re.MULTILINE) + re.findall(r"`keaton ([^`]+)`", said)
    for line in lines:
        words = line.partition("#")[0].split()
        command: click.Command = keaton
        while isinstance(command, click.Group) and words and words[0] in command.commands:
            command = command.commands[words.pop(0)]
        assert command is not keaton or words[0].startswith("-"), line
        options = {name for one in command.params for name in one.opts} | {"-h", "--help"}
        assert {one for one in words if one.startswith("--")} <= options, line
