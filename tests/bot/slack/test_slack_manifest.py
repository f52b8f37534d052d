"""What operators set up: the manifest asks for what the code uses and says why, and both tokens are needed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings
from bot.slack import commands
from bot.slack.config import SCOPES
from core.errors.running import BadSetting

MANIFEST = (Path(__file__).parents[3] / "bot" / "slack" / "manifest.yaml").read_text()


def test_the_manifest_asks_for_the_scopes_that_are_used_and_gives_a_reason_for_each() -> None:
    asked = re.findall(r"^ +# .+\n +- ([a-z_]+:[a-z]+|commands)$", MANIFEST, re.MULTILINE)
    assert tuple(asked) == SCOPES


def test_the_manifest_names_the_commands_and_shortcuts_that_are_answered() -> None:
    assert re.findall(r"command: (\S+)", MANIFEST) == [commands.FIND, commands.KEATON]
    assert set(re.findall(r"callback_id: (\S+)", MANIFEST)) == {commands.INDEX_MESSAGE, commands.FIND_FROM_MESSAGE}
    assert "socket_mode_enabled: true" in MANIFEST


@pytest.mark.parametrize(("given", "missing"), [("bot", "SLACK_APP_TOKEN"), ("app", "SLACK_BOT_TOKEN")])
def test_one_slack_token_without_the_other_is_named(given: str, missing: str) -> None:
    token = SecretStr("x")
    settings = Settings.model_construct(
        slack_bot_token=token if given == "bot" else None, slack_app_token=token if given == "app" else None
    )
    with pytest.raises(BadSetting) as caught:
        _ = settings.slack_tokens
    assert caught.value.name == missing
