"""The page is opened in a browser by a file of its own, for others on the machine can read a command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import read_settings

ROOT = Path(__file__).parents[2]
ADDRESS = "http://127.0.0.1:8765/?token=secret-token"
OPEN = f"""
from bot.cli.pages import open_browser
from bot.settings import read_settings
open_browser(read_settings(), {ADDRESS!r})
"""


def opened(folder: Path, browser: str) -> str:
    settings = {"KEATON_DATA_DIR": str(folder), "BROWSER": browser, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-c", OPEN], cwd=folder, env=settings, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.mark.slow
def test_given_a_browser_when_opened_then_no_command_line_has_the_token(tmp_path: Path) -> None:
    browser = tmp_path / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/told\n')
    browser.chmod(0o755)
    assert opened(tmp_path, f"{browser} %s") == ""
    told = (tmp_path / "told").read_text().strip()
    assert "token" not in told
    page = Path(told.removeprefix("file://"))
    assert page.parent == tmp_path
    assert page.stat().st_mode & 0o777 == 0o600
    assert f"url={ADDRESS}" in page.read_text()


@pytest.mark.slow
def test_given_no_browser_that_starts_then_the_address_is_to_open_by_hand(tmp_path: Path) -> None:
    assert opened(tmp_path, "/nonexistent/browser %s") == "Open that address in a browser.\n"


@pytest.mark.parametrize(
    ("display", "open_page", "expected"), [(":0", "auto", True), (":0", "off", False), ("", "auto", False)]
)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a screen or none in other ways")
def test_given_a_terminal_then_a_browser_is_opened_where_there_is_a_screen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, display: str, open_page: str, *, expected: bool
) -> None:
    class Terminal:
        def isatty(self) -> bool:
            return True

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("KEATON_OPEN_PAGE", open_page)
    settings = read_settings()
    assert not settings.opens_browser
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert settings.opens_browser is expected
