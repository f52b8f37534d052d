"""What operators set up: the manifest asks for what the code uses and says why, and both tokens are needed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import fastjsonschema
import pytest
import yaml
from pydantic import SecretStr

from bot.settings import Settings
from bot.slack import commands, home
from bot.slack.config import SCOPES
from core.errors import BadSetting

MANIFEST = (Path(__file__).parents[3] / "bot" / "slack" / "manifest.yaml").read_text()


def test_given_the_manifest_then_each_scope_is_used_and_has_a_reason() -> None:
    asked = re.findall(r"^ +# .+\n +- ([a-z_]+:[a-z]+|commands)$", MANIFEST, re.MULTILINE)
    assert tuple(asked) == SCOPES


def test_given_slacks_schema_when_the_manifest_is_checked_then_it_is_valid() -> None:
    check = fastjsonschema.compile(json.loads((Path(__file__).parent / "manifest.schema.json").read_text()))
    manifest = yaml.safe_load(MANIFEST)
    check(manifest)
    with pytest.raises(fastjsonschema.JsonSchemaException):
        check({**manifest, "features": {**manifest["features"], "app_home": {"home_tab": True}}})


def test_given_the_rules_beside_the_schema_then_the_manifest_keeps_them() -> None:
    """Slack refuses a manifest whose events lack their scopes: docs, "App manifest reference" and each event's page."""
    manifest = yaml.safe_load(MANIFEST)
    needed = {
        "app_mention": "app_mentions:read",
        "message.channels": "channels:history",
        "message.groups": "groups:history",
        "message.im": "im:history",
        "message.mpim": "mpim:history",
        "channel_unarchive": "channels:read",
        "group_unarchive": "groups:read",
        "member_joined_channel": "channels:read",
    }
    events = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert events == sorted(events)
    assert {needed[one] for one in events if one in needed} <= set(manifest["oauth_config"]["scopes"]["bot"])
    assert "app_home_opened" in events
    assert all(one["should_escape"] for one in manifest["features"]["slash_commands"])
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is False


def test_given_the_manifest_then_its_commands_and_shortcuts_are_answered() -> None:
    assert re.findall(r"command: (\S+)", MANIFEST) == [commands.FIND, commands.KEATON]
    answered = {commands.INDEX_MESSAGE, home.FIND_FROM_MESSAGE, home.FIND_ANYWHERE}
    assert set(re.findall(r"callback_id: (\S+)", MANIFEST)) == answered
    assert "socket_mode_enabled: true" in MANIFEST


@pytest.mark.parametrize(("given", "missing"), [("bot", "SLACK_APP_TOKEN"), ("app", "SLACK_BOT_TOKEN")])
def test_given_one_slack_token_without_the_other_then_it_is_named(given: str, missing: str) -> None:
    token = SecretStr("x")
    settings = Settings.model_construct(
        slack_bot_token=token if given == "bot" else None, slack_app_token=token if given == "app" else None
    )
    with pytest.raises(BadSetting) as caught:
        _ = settings.slack_tokens
    assert caught.value.name == missing
