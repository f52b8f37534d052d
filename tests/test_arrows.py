"""The arrows of the house hold: bot -> core <- storage; only the wiring knows engines and storage."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FORBIDDEN = {
    "core": ("bot", "storage", "core.engines"),
    "core/engines": ("bot", "storage"),
    "storage": ("bot", "core.engines"),
    "bot": ("storage", "core.engines"),
}
WIRING = "bot/wiring/"


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def rule(path: Path) -> tuple[str, ...]:
    place = path.relative_to(ROOT).as_posix()
    folder = max((name for name in FORBIDDEN if place.startswith(name + "/")), key=len)
    return () if place.startswith(WIRING) else FORBIDDEN[folder]


SOURCES = [path for top in ("bot", "core", "storage") for path in sorted((ROOT / top).rglob("*.py"))]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_only_what_its_place_allows(path: Path) -> None:
    wrong = {name for name in imports(path) for top in rule(path) if name == top or name.startswith(top + ".")}
    assert not wrong


def test_only_the_settings_read_the_environment() -> None:
    readers = [path for path in SOURCES if "os.environ" in path.read_text(encoding="utf-8")]
    excepted = {ROOT / "bot" / "settings.py", ROOT / "bot" / "__init__.py"}  # the latter sets what libraries read
    assert [path.relative_to(ROOT).as_posix() for path in readers if path not in excepted] == []
