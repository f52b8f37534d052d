"""The manifest that operators paste asks for what the code uses, and says why."""

from __future__ import annotations

import re
from pathlib import Path

from bot.slack import commands
from bot.slack.config import SCOPES

MANIFEST = (Path(__file__).parents[3] / "bot" / "slack" / "manifest.yaml").read_text()


def test_the_manifest_asks_for_the_scopes_that_are_used_and_gives_a_reason_for_each() -> None:
    asked = re.findall(r"^ +# .+\n +- ([a-z_]+:[a-z]+|commands)$", MANIFEST, re.MULTILINE)
    assert tuple(asked) == SCOPES


def test_the_manifest_names_the_commands_and_shortcuts_that_are_answered() -> None:
    assert re.findall(r"command: (\S+)", MANIFEST) == [commands.FIND, commands.KEATON]
    assert set(re.findall(r"callback_id: (\S+)", MANIFEST)) == {commands.INDEX_MESSAGE, commands.FIND_FROM_MESSAGE}
    assert "socket_mode_enabled: true" in MANIFEST
