"""The arrows of the house hold: bot -> core <- storage; only the wiring knows engines and storage."""

from __future__ import annotations

import ast
import re
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
def test_given_a_module_when_it_imports_then_only_what_its_place_allows(path: Path) -> None:
    wrong = {name for name in imports(path) for top in rule(path) if name == top or name.startswith(top + ".")}
    assert not wrong


def test_given_all_modules_then_only_the_settings_read_the_environment() -> None:
    readers = [path for path in SOURCES if "os.environ" in path.read_text(encoding="utf-8")]
    excepted = {ROOT / "bot" / "settings.py", ROOT / "bot" / "__init__.py"}  # the latter sets what libraries read
    assert [path.relative_to(ROOT).as_posix() for path in readers if path not in excepted] == []


TESTS = [path for path in sorted((ROOT / "tests").rglob("*.py")) if path != Path(__file__)]
OWN = {"self", "cls"}
ALLOWED = {"os._exit", "torch._dynamo"}
"""The one is public in spite of its name; the other is a module that must not be loaded."""
PRIVATE_PATH = re.compile(r"[A-Za-z_][\w.]*\._[A-Za-z]\w*|_[a-z]\w*")
"""A dotted path with a private part, or a private name, as text."""
PRODUCT_PATH = re.compile(r"(?:bot|core|storage)(?:\.\w+)*\.\w+")
REACHES = {"setattr", "delattr", "getattr", "hasattr", "patch", "attrgetter", "setitem"}


def is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def reaches(tree: ast.AST) -> set[str]:
    """Return each private attribute of another object that code uses, by name or by a string path, with its line."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in OWN and is_private(name):
                continue
            case ast.Attribute(attr=name) if is_private(name) and ast.unparse(node) not in ALLOWED:
                found.add(f"{node.lineno}: {ast.unparse(node)}")
            case ast.ImportFrom(names=names):
                found |= {f"{node.lineno}: {alias.name}" for alias in names if is_private(alias.name)}
            case ast.Constant(value=str(text)) if "._" in text and text not in ALLOWED and PRIVATE_PATH.fullmatch(text):
                found.add(f"{node.lineno}: {text!r}")
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=given) if called in REACHES:
                texts = [one.value for one in given[:2] if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                paths = [one for one in texts if PRIVATE_PATH.fullmatch(one) or PRODUCT_PATH.fullmatch(one)]
                found |= {f"{node.lineno}: {one!r}" for one in paths}
            case _:
                pass
    return found


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_given_a_test_when_read_then_it_uses_no_private_name_of_others(path: Path) -> None:
    assert reaches(ast.parse(path.read_text(encoding="utf-8"))) == set()


@pytest.mark.parametrize(
    ("code", "count"),
    [
        ("house.indexer._looking._eyes = 1", 2),
        ("client.http._HTTPClient__session", 1),
        ("from tests.core.engines.conftest import _messages", 1),
        ("monkeypatch.setattr('bot.monitoring.health.CHECK_S', 1)", 1),
        ("monkeypatch.setattr(browser, '_limits', 1)", 1),
        ("moment = ('fetched', 'indexer._downloads._fetcher')", 1),
        ("self._own = cls._made = object.__new__(type)", 0),
        ("os._exit(0)", 0),
        ("monkeypatch.setattr('sys.stderr', 1)", 0),
        ("monkeypatch.setattr(library, 'save', 1)", 0),
    ],
)
def test_given_each_way_to_a_private_name_when_used_then_it_is_seen(code: str, count: int) -> None:
    assert len(reaches(ast.parse(code))) == count


PACKAGES = sorted({path.parent for path in SOURCES})
MODULES = {
    path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".").removesuffix(".__init__"): path
    for path in SOURCES
}


def imported(path: Path) -> set[str]:
    """Return the product's modules that a module imports at its top, those for type checking included."""
    found: set[str] = set()
    todo: list[ast.stmt] = list(ast.parse(path.read_text(encoding="utf-8")).body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If):
            todo += node.body + node.orelse
        if isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else node.module for name in names}
    return found & MODULES.keys()


def test_given_all_modules_when_imports_are_followed_then_none_is_a_cycle() -> None:
    left = {name: imported(path) - {name} for name, path in MODULES.items()}
    while free := {name for name, needed in left.items() if not needed & left.keys()}:
        left = {name: needed for name, needed in left.items() if name not in free}
    assert left == {}


ORDER = (
    *("core.limits", "core.errors", "core.model", "core.hosts", "core.site_ids", "core.links", "core.formatting"),
    *("core.concurrency", "core.rate_limit", "core.ports", "core.search", "core.wording", "core.refinement"),
    *("core.answers", "core.jobs", "core.retention", "core.indexing", "core.conversation", "core.app"),
    *("core.engines.sandbox", "core.engines.video", "core.engines.download", "core.engines.plot"),
    *("core.engines.clip", "core.engines.index", "core.engines.diagnostics", "core.engines.notebook"),
    *("storage", "bot.setting_values", "bot.settings", "bot.doors", "bot.discord", "bot.slack", "bot.web"),
    *("bot.monitoring", "bot.wiring", "bot.cli", "bot.__main__"),
)
"""The packages, and the modules that stand in none: each imports only what stands before it."""


def place(module: str) -> int | None:
    """Return where a module stands in the order; None for a package of packages, which holds nothing."""
    within = (number for number, name in enumerate(ORDER) if f"{module}.".startswith(f"{name}."))
    return next(within, None)


ORDERED = sorted(MODULES.keys() - {"core", "core.engines", "bot"})


@pytest.mark.parametrize("module", ORDERED)
def test_given_a_module_when_it_imports_then_only_what_stands_before_it(module: str) -> None:
    own = place(module)
    assert own is not None
    assert {name for name in imported(MODULES[module]) if (place(name) or 0) > own} == set()


def test_given_all_public_classes_when_named_then_no_name_stands_twice() -> None:
    named: dict[str, list[str]] = {}
    for path in SOURCES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                named.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert {name: places for name, places in named.items() if len(places) > 1} == {}


def bound(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module binds for good."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=targets):
            parts = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
            return [one.id for one in parts if isinstance(one, ast.Name)]
    return []


def twice(code: str) -> list[str]:
    names = [name for node in ast.parse(code).body for name in bound(node)]
    return sorted({name for name in names if names.count(name) > 1})


def test_given_a_module_when_it_binds_names_then_none_hides_another() -> None:
    """Modules that were joined did that once: the bot's lock lay on another file, and neither mypy nor ruff minded."""
    hidden = {path.relative_to(ROOT).as_posix(): twice(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert {path: names for path, names in hidden.items() if names} == {}


def test_given_a_name_bound_twice_when_it_is_looked_for_then_it_is_found() -> None:
    assert twice('_NAME = "lock"\n\ndef read(): ...\n\n_NAME: str = "reserve"\n_ONE, _TWO = 1, 2\n') == ["_NAME"]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_given_a_package_when_it_is_opened_then_it_says_what_it_owns(package: Path) -> None:
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8")))
    assert said
    assert len(said) > 20


def test_given_all_tests_when_they_are_named_then_in_at_most_70_characters() -> None:
    long: list[str] = []
    for path in [*TESTS, Path(__file__)]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                long += [f"{path.relative_to(ROOT).as_posix()}: {node.name}"] * (len(node.name) > 70)
    assert long == []
