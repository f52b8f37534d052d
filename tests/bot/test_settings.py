"""The settings come from the environment and `.env`, and say what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.settings import Settings, read_settings
from core.errors.running import BadSetting
from core.sentences import sentence

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field, info in Settings.model_fields.items():
        monkeypatch.delenv(str(info.validation_alias or f"KEATON_{field.upper()}"), raising=False)


def test_with_nothing_set_this_is_a_trial_of_the_demo_model() -> None:
    settings = read_settings()
    assert (settings.trial, settings.model, settings.has_token) == (True, "demo", False)


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
def test_with_a_token_the_real_model_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret")
    assert (read_settings().trial, read_settings().model) == (False, "base")


def test_a_named_model_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_MODEL", "openai")
    assert (read_settings().trial, read_settings().model) == (False, "openai")


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEATON_WEB_PORT=1111\nKEATON_BATCH=3\n")
    monkeypatch.setenv("KEATON_WEB_PORT", "2222")
    assert (read_settings().web_port, read_settings().batch) == (2222, 3)


def test_hosts_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_ALLOWED_HOSTS", "127.0.0.1, media.intern ,")
    assert read_settings().allowed_hosts == {"127.0.0.1", "media.intern"}


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("127.0.0.1:9000", "127.0.0.1"),
        ("http://Media.intern/films", "media.intern"),
        ("[::1]:80", "::1"),
        ("fd00::7", "fd00::7"),
    ],
)
def test_a_host_may_be_written_as_people_do(written: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_ALLOWED_HOSTS", written)
    assert read_settings().allowed_hosts == {host}


@pytest.mark.parametrize(
    ("web", "token", "opens"), [("auto", "", True), ("auto", "x", False), ("off", "", False), ("on", "x", True)]
)
def test_the_page_is_served_as_the_setting_says(
    web: str, token: str, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEATON_WEB", web)
    monkeypatch.setenv("DISCORD_TOKEN", token)
    assert read_settings().opens_page is opens


def test_an_empty_value_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_WEB_PORT", "")
    monkeypatch.setenv("KEATON_DATA_DIR", "")
    assert read_settings().web_port == 8765
    assert read_settings().data_dir.is_absolute()


@pytest.mark.parametrize(("name", "value"), [("KEATON_WEB_PORT", "many"), ("KEATON_LOOK_EVERY_S", "0")])
def test_a_value_that_makes_no_sense_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert name in sentence(caught.value)


def test_a_token_does_not_show_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    assert "very-secret" not in repr(read_settings())


def test_the_example_file_names_every_setting_and_only_those() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    known = {str(info.validation_alias or f"KEATON_{name.upper()}") for name, info in Settings.model_fields.items()}
    assert named == known


def test_copying_the_example_file_changes_nothing(tmp_path: Path) -> None:
    before = read_settings()
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert read_settings() == before
