"""The settings come from the environment and `.env`, and say what is wrong with them."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from bench import settings_page
from bot.settings import OLD_NAMES, RETIRED, Settings, misspelt, outdated, read_settings, retired, setting_names
from core.errors import BadSetting
from core.wording.errors import sentence

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        for name in setting_names(field):
            monkeypatch.delenv(name, raising=False)


def test_given_nothing_set_when_read_then_base_is_the_model_or_the_demo() -> None:
    settings = read_settings()
    assert (settings.may_try_demo, settings.model, settings.has_token) == (True, "base", False)


@pytest.mark.parametrize("name", ["DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"])
def test_given_a_token_then_the_real_model_is_the_default(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "secret")
    assert (read_settings().may_try_demo, read_settings().model) == (False, "base")


def test_given_a_named_model_then_it_is_no_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_MODEL", "openai")
    assert (read_settings().may_try_demo, read_settings().model) == (False, "openai")


def test_given_the_environment_and_an_env_file_then_the_former_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("KEATON_WEB_PORT=1111\nKEATON_BATCH=3\n")
    monkeypatch.setenv("KEATON_WEB_PORT", "2222")
    assert (read_settings().web_port, read_settings().batch) == (2222, 3)


def test_given_env_files_in_many_folders_when_read_then_the_nearest_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project, data, here = (tmp_path / name for name in ("project", "data", "here"))
    for folder in (project, data, here):
        folder.mkdir()
    (project / "pyproject.toml").touch()
    (project / ".env").write_text(f"KEATON_DATA_DIR={data}\nKEATON_BATCH=2\nKEATON_WEB_PORT=1002\n")
    (data / ".env").write_text("KEATON_BATCH=3\nKEATON_RETRIES=1\nKEATON_DATA_DIR=/elsewhere\n")
    (here / ".env").write_text("KEATON_WEB_PORT=1001\n")
    monkeypatch.chdir(here)
    settings = read_settings(project)
    assert (settings.web_port, settings.batch, settings.retries, settings.data_dir) == (1001, 2, 1, data)
    monkeypatch.setenv("KEATON_BATCH", "7")
    assert read_settings(project).batch == 7


def test_given_unknown_settings_when_read_then_the_nearest_known_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DISCORD_TOKN=x\nEDITOR=vi\nKEATON_BATCH=3\nKEATON_QQQQQQ=1\n")
    monkeypatch.setenv("KEATON_WEBPORT", "1")
    settings = read_settings(tmp_path)
    assert misspelt(settings, tmp_path) == (
        ("DISCORD_TOKN", "DISCORD_TOKEN"),
        ("KEATON_QQQQQQ", ""),
        ("KEATON_WEBPORT", "KEATON_WEB_PORT"),
    )


def test_given_hosts_with_commas_when_read_then_they_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_given_a_host_as_people_write_it_when_read_then_it_is_understood(
    written: str, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEATON_ALLOWED_HOSTS", written)
    assert read_settings().allowed_hosts == {host}


@pytest.mark.parametrize(
    "written", ["youtube.com", "*.youtube.com", ".YouTube.com", "*youtube.com", "https://*.youtube.com/"]
)
def test_given_a_site_and_all_below_it_when_read_then_it_is_understood(
    written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEATON_SITES", f"{written}, vimeo.com")
    assert read_settings().sites == {"youtube.com", "vimeo.com"}


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("KEATON_SITES", "*"),
        ("KEATON_SITES", "you*.com"),
        ("KEATON_SITES", "you tube.com"),
        ("KEATON_SITES", "*.*.com"),
        ("KEATON_ALLOWED_HOSTS", "*.intern"),
        ("KEATON_ALLOWED_HOSTS", ".intern"),
    ],
)
def test_given_a_pattern_that_matches_nothing_when_read_then_it_is_refused(
    name: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, written)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert f"{name} is wrong" in sentence(caught.value) or "names no host" in sentence(caught.value)


NUMBERS = {
    setting_names(field)[0]: (field, info)
    for field, info in Settings.model_fields.items()
    if isinstance(info.default, (int, float)) or field == "watch_port"
}


@pytest.mark.parametrize("name", sorted(NUMBERS))
@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e400", "1e300", "-1", "9" * 400])
def test_given_a_number_too_large_for_any_machine_when_read_then_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert name in sentence(caught.value)


def test_given_the_highest_numbers_then_limits_fit_what_the_system_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, (_, info) in NUMBERS.items():
        tops = [one.le for one in info.metadata if hasattr(one, "le")]
        assert tops, f"{name} has no upper bound"
        monkeypatch.setenv(name, str(int(tops[0])))
    settings = read_settings()
    for limits in (settings.fetch_limits, settings.video_limits):
        numbers = [value for value in asdict(limits).values() if isinstance(value, (int, float))]
        assert max(numbers) < 2**63


@pytest.mark.parametrize(
    ("web", "token", "opens"), [("auto", "", True), ("auto", "x", False), ("off", "", False), ("on", "x", True)]
)
def test_given_page_settings_when_read_then_the_page_is_served_so(
    web: str, token: str, opens: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEATON_WEB", web)
    monkeypatch.setenv("DISCORD_TOKEN", token)
    assert read_settings().opens_page is opens


def test_given_an_empty_value_when_read_then_the_default_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_WEB_PORT", "")
    monkeypatch.setenv("KEATON_DATA_DIR", "")
    assert read_settings().web_port == 8765
    assert read_settings().data_dir.is_absolute()


@pytest.mark.parametrize(("name", "value"), [("KEATON_WEB_PORT", "many"), ("KEATON_FRAME_EVERY_S", "0")])
def test_given_a_senseless_value_when_read_then_it_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert name in sentence(caught.value)


def test_given_settings_with_a_token_when_shown_then_it_is_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "very-secret")
    assert "very-secret" not in repr(read_settings())


@pytest.mark.parametrize("old", sorted(OLD_NAMES))
@pytest.mark.parametrize("is_in_file", [False, True])
def test_given_an_old_name_when_settings_are_read_then_it_still_works(
    old: str, is_in_file: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    value = "whole" if OLD_NAMES[old] == "KEATON_FRAME_AREA" else "7"
    if is_in_file:
        (tmp_path / ".env").write_text(f"{old}={value}\n")
    else:
        monkeypatch.setenv(old, value)
    settings = read_settings()
    (field,) = [one for one in Settings.model_fields if old in setting_names(one)]
    assert getattr(settings, field) == ("whole" if value == "whole" else 7)
    assert outdated(settings) == ((old, OLD_NAMES[old]),)
    assert misspelt(settings) == ()


@pytest.mark.parametrize("old", sorted(OLD_NAMES))
def test_given_both_names_of_a_setting_when_read_then_a_sentence_says_so(
    old: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f"{OLD_NAMES[old]}=2\n")
    monkeypatch.setenv(old, "1")
    with pytest.raises(BadSetting) as caught:
        read_settings()
    assert f"{OLD_NAMES[old]} is wrong: it is also set under its old name, {old}" in sentence(caught.value)


def test_given_an_empty_new_name_when_read_then_the_old_one_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("KEATON_VIDEOS_AT_ONCE=\n")
    monkeypatch.setenv("KEATON_FILMS_AT_ONCE", "5")
    assert read_settings().videos_at_once == 5


def test_given_a_misspelt_old_name_when_told_then_a_present_one_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KEATON_VIDEO_AT_ONCE", "5")
    assert misspelt(read_settings()) == (("KEATON_VIDEO_AT_ONCE", "KEATON_VIDEOS_AT_ONCE"),)


def test_given_a_removed_setting_when_set_then_what_holds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEATON_PRECISION", "int8")
    settings = read_settings()
    assert retired(settings) == (("KEATON_PRECISION", RETIRED["KEATON_PRECISION"]),)
    assert misspelt(settings) == ()


def test_given_the_settings_then_their_page_and_example_are_current() -> None:
    for path, text in settings_page.written():
        assert path.read_text() == text, "run python -m bench.settings_page"


def test_given_the_settings_when_they_are_listed_then_each_is_described() -> None:
    assert all(settings_page.described(field) for field in Settings.model_fields)


def test_given_the_example_file_then_it_names_exactly_the_settings() -> None:
    named = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert named == {setting_names(field)[0] for field in Settings.model_fields}


def test_given_the_example_file_when_copied_then_nothing_changes(tmp_path: Path) -> None:
    before = read_settings()
    (tmp_path / ".env").write_text((ROOT / ".env.example").read_text())
    assert read_settings() == before
