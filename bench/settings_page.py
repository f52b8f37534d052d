"""Writes `docs/settings.md` and `.env.example` from `bot/settings.py`: `python -m bench.settings_page`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic_core import PydanticUndefined

from bot.settings import OLD_NAMES, RETIRED, SECTIONS, Settings, setting_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT = Path(__file__).parents[1]
WIDTH: Final = 118
HEAD: Final = """# Settings

Keaton reads its settings from the environment and from files named `.env`: one in the folder where it is started, one
in its own folder, and one in the data folder. The environment counts most, then these files in this order. Copy
[.env.example](../.env.example) to `.env` and change what you need; an empty value means the default. A name that does
not exist is reported at the start, with the nearest one that does; a value that makes no sense ends it.

This page is written by `python -m bench.settings_page` from `bot/settings.py`.
"""
OLD: Final = """
## Old names

Until November 2026 some settings had other names. They still work, and Keaton names the new one at the start. A setting
that has a value under both names is refused.

| old name | new name |
|---|---|
"""
GONE: Final = """
## Settings that are gone

They do nothing, and Keaton says so at the start.

| setting | what holds instead |
|---|---|
"""
EXAMPLE: Final = """\
# Keaton's settings. Copy this file to .env and change what you need; an empty value means the default.
# The environment counts more than this file. docs/settings.md has the same as a page.
"""


def page() -> str:
    """Return the text of `docs/settings.md`."""
    parts = [HEAD]
    for title, fields in sections().items():
        parts.append(f"\n## {title}\n\n| setting | default | what it does |\n|---|---|---|\n")
        for field in fields:
            default = f"`{shown}`" if (shown := default_of(field)) else ""
            parts.append(
                f"| `{setting_names(field)[0]}` | {default} | {described(field).replace('|', chr(92) + '|')} |\n"
            )
    parts.append(OLD + "".join(f"| `{old}` | `{new}` |\n" for old, new in OLD_NAMES.items()))
    parts.append(GONE + "".join(f"| `{name}` | {why} |\n" for name, why in RETIRED.items()))
    return "".join(parts)


def example() -> str:
    """Return the text of `.env.example`, which sets everything to its default."""
    parts = [EXAMPLE]
    for title, fields in sections().items():
        parts.append(f"\n# --- {title} {'-' * (WIDTH - len(title) - 7)}\n\n")
        for field in fields:
            default = default_of(field)
            about = described(field) + (f" Default: {default}." if default else "")
            parts += [f"# {line}\n" for line in textwrap.wrap(about, WIDTH - 2, break_on_hyphens=False)]
            parts.append(f"{setting_names(field)[0]}={default}\n")
    return "".join(parts)


def sections() -> Mapping[str, Sequence[str]]:
    """Return the fields of the settings under their headings."""
    found: dict[str, list[str]] = {}
    title = ""
    for field in Settings.model_fields:
        title = SECTIONS.get(field, title)
        found.setdefault(title, []).append(field)
    return found


def described(field: str) -> str:
    """Return what a setting does, in one line."""
    return " ".join((Settings.model_fields[field].description or "").split())


def default_of(field: str) -> str:
    """Return a default as it is written in a `.env` file; "" where a setting has none."""
    default = Settings.model_fields[field].default
    if default is None or default is PydanticUndefined or default == frozenset():
        return ""
    return f"{default:g}" if isinstance(default, float) else str(default)


def written() -> Iterator[tuple[Path, str]]:
    """Return each file with the text that it is to have."""
    yield ROOT / "docs" / "settings.md", page()
    yield ROOT / ".env.example", example()


if __name__ == "__main__":
    for path, text in written():
        path.write_text(text, encoding="utf-8")
