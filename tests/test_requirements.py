"""What `make run` installs: pinned as tested, checked by hashes, and the fetchers no newer than was tested."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HASHED = ("requirements.txt", "requirements-dev.txt")
TORCH = {"torch", "torchvision"}
"""Each machine has its own build of these, with hashes of its own."""


def pins(name: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / name).read_text(), re.MULTILINE)
    return {canonicalize_name(package): version for package, version in found}


def project() -> dict[str, list[Requirement]]:
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dev = about["optional-dependencies"]["dev"]
    return {
        "requirements.txt": [Requirement(line) for line in about["dependencies"]],
        "requirements-dev.txt": [Requirement(line) for line in (*about["dependencies"], *dev)],
    }


@pytest.mark.parametrize("name", HASHED)
def test_given_a_pinned_package_then_its_files_have_hashes(name: str) -> None:
    blocks = re.split(r"^(?=[A-Za-z0-9])", (ROOT / name).read_text(), flags=re.MULTILINE)[1:]
    assert len(blocks) == len(pins(name))
    assert [block for block in blocks if not re.search(r"--hash=sha256:[0-9a-f]{64}$", block, re.MULTILINE)] == []


@pytest.mark.parametrize("name", HASHED)
def test_given_the_tested_versions_then_the_hashed_ones_are_the_same(name: str) -> None:
    """`make lock` mends this after a change of constraints.txt or pyproject.toml."""
    tested, hashed = pins("constraints.txt"), pins(name)
    assert {package: version for package, version in hashed.items() if tested.get(package, version) != version} == {}
    wanted = {canonicalize_name(one.name) for one in project()[name]} - TORCH
    assert wanted - set(hashed) == set()


def test_given_pyproject_then_every_range_admits_the_tested_version() -> None:
    tested = pins("constraints.txt")
    for one in project()["requirements-dev.txt"]:
        assert one.specifier.contains(tested[canonicalize_name(one.name)]), one


@pytest.mark.parametrize("name", ["yt-dlp", "deno"])
def test_given_a_fetcher_then_its_upper_bound_is_the_tested_version(name: str) -> None:
    (one,) = [one for one in project()["requirements.txt"] if one.name == name]
    bounds = {part.operator: part.version for part in one.specifier}
    assert bounds["<="] == pins("constraints.txt")[name]
