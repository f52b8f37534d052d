"""The settings: the only reader of the environment and of `.env`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from core.errors import BadSetting
from core.hosts import as_looked_up
from core.limits import FetchLimits, VideoLimits
from core.model.video import Sampling

GIGABYTE = 1_000_000_000
_LIKE = 0.75
"""Names that have that much in common (`difflib`'s ratio) are taken for slips of the pen."""
_LONGEST_S = 366 * 86_400
_MOST_GB = 1_000_000
"""What is beyond these is a slip of the pen, and would not fit where the system takes such numbers."""
_OF_TESTS = frozenset({"KEATON_CHROMIUM", "KEATON_SHOTS"})
"""What only the tests read."""


def _split(value: object) -> object:
    """Take a comma-separated text apart."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _host(value: str) -> str:
    """Take a host as people write it: a scheme, a port and a path around it say nothing."""
    is_ipv6 = value.count(":") > 1 and "//" not in value and "]" not in value
    host = value if is_ipv6 else urlsplit(value if "//" in value else f"//{value}").hostname
    if not host or host.startswith(".") or as_looked_up(host) is None:
        raise ValueError(f"{value!r} names no host")
    return host.lower()


def _site(value: str) -> str:
    """Take a site as people write it: all below a host is meant anyway."""
    scheme, slashes, rest = value.rpartition("//")
    return _host(scheme + slashes + rest.removeprefix("*").removeprefix("."))


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _absolute(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("there is no home folder; set KEATON_DATA_DIR") from error


Folder = Annotated[Path, AfterValidator(_absolute)]
Hosts = Annotated[frozenset[Annotated[str, AfterValidator(_host)]], NoDecode, BeforeValidator(_split)]
Sites = Annotated[frozenset[Annotated[str, AfterValidator(_site)]], NoDecode, BeforeValidator(_split)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Token = Annotated[SecretStr | None, BeforeValidator(_none_if_blank)]


PROJECT = Path(__file__).resolve().parents[1]
"""Where Keaton was cloned to, if it was."""


class Settings(BaseSettings):
    """All that an operator can set; `.env.example` says what each is for."""

    model_config = SettingsConfigDict(
        env_prefix="KEATON_", env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, populate_by_name=True
    )

    data_dir: Folder = Field(default_factory=lambda: user_data_path("keaton", appauthor=False))
    model_name: str | None = Field(default=None, validation_alias="KEATON_MODEL")
    model_cache: Folder | None = None
    device: str = "auto"
    backend: Literal["torch", "openvino"] = "torch"
    precision: Literal["exact", "int8"] = "exact"
    compiled: Literal["on", "off"] = Field(default="off", validation_alias="KEATON_COMPILE")
    web: Literal["auto", "on", "off"] = "auto"
    web_port: int = Field(default=8765, ge=0, le=65535)
    open_page: Literal["auto", "off"] = "auto"
    allowed_hosts: Hosts = frozenset()
    look_at: Literal["centre", "whole"] = "centre"
    look_every_s: Number = Field(default=1.0, gt=0.01, le=60)
    looks_memory_gb: Number = Field(default=1.46, gt=0, le=_MOST_GB)
    keyframes: Literal["on", "off"] = "on"
    batch: int = Field(default=16, ge=1, le=512)
    films_at_once: int = Field(default=3, ge=1, le=32)
    films_a_space: int = Field(default=2, ge=1, le=32)
    save_every_s: Number = Field(default=2.0, ge=0, le=_LONGEST_S)
    retries: int = Field(default=4, ge=0, le=20)
    retry_s: Number = Field(default=15.0, gt=0, le=_LONGEST_S)
    films_a_user: int = Field(default=10, ge=0, le=1_000_000)
    sites: Sites = frozenset()
    pages: Literal["on", "off"] = "on"
    uploads: int = Field(default=50, ge=1, le=10_000)
    uploads_limit_gb: Number = Field(default=10.0, gt=0, le=_MOST_GB)
    upload_timeout_s: Number = Field(default=3600.0, gt=0, le=_LONGEST_S)
    fetch_limit_gb: Number = Field(default=2.0, gt=0, le=_MOST_GB)
    fetch_timeout_s: Number = Field(default=3600.0, gt=0, le=_LONGEST_S)
    fetch_stall_s: Number = Field(default=60.0, gt=0, le=_LONGEST_S)
    film_limit_min: Number = Field(default=300.0, gt=0, le=_LONGEST_S / 60)
    frame_limit_mp: Number = Field(default=36.0, gt=0, le=10_000)
    frames_limit: int = Field(default=2_000_000, gt=0, le=1_000_000_000)
    decode_limit_s: Number = Field(default=7200.0, gt=0, le=_LONGEST_S)
    decode_memory_gb: Number = Field(default=2.0, gt=0.2, le=_MOST_GB)
    cut_limit_s: Number = Field(default=60.0, ge=1, le=600)
    media_quota_gb: Number = Field(default=20.0, ge=0, le=_MOST_GB)
    channels: Literal["on", "off"] = "on"
    grace_days: Number = Field(default=7.0, ge=0, le=36_500)
    turns_a_minute: int = Field(default=20, ge=0, le=1_000_000)
    watch_port: int | None = Field(default=None, ge=0, le=65535)
    log_format: Literal["human", "json"] = "human"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    discord_token: Token = Field(default=None, validation_alias="DISCORD_TOKEN")
    discord_api_base: str = Field(default="", validation_alias="DISCORD_API_BASE")
    discord_gateway: str = Field(default="", validation_alias="DISCORD_GATEWAY")
    slack_bot_token: Token = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    slack_app_token: Token = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    slack_pictures: Literal["shared", "inline"] = "shared"
    slack_api_base: str = Field(default="", validation_alias="SLACK_API_BASE")

    @property
    def has_token(self) -> bool:
        """Tell whether any chat platform is set up."""
        return any((self.discord_token, self.slack_bot_token, self.slack_app_token))

    @property
    def slack_tokens(self) -> tuple[str, str]:
        """Give the bot token and the app-level token; raises BadSetting where one is missing."""
        if self.slack_bot_token is None:
            raise BadSetting("SLACK_BOT_TOKEN", "it is missing, and Slack needs both of its tokens")
        if self.slack_app_token is None:
            raise BadSetting("SLACK_APP_TOKEN", "it is missing, and Slack needs both of its tokens")
        return self.slack_bot_token.get_secret_value(), self.slack_app_token.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Give what must stand in no log."""
        tokens = (self.discord_token, self.slack_bot_token, self.slack_app_token)
        return tuple(token.get_secret_value() for token in tokens if token)

    @property
    def opens_page(self) -> bool:
        """Tell whether the local chat is served."""
        return self.web == "on" or (self.web == "auto" and not self.has_token)

    @property
    def opens_browser(self) -> bool:
        """Tell whether whoever starts the bot sees a browser that is opened, as far as this machine says."""
        has_screen = sys.platform == "darwin" or any(map(os.environ.get, ("WAYLAND_DISPLAY", "DISPLAY")))
        return self.open_page == "auto" and has_screen and sys.stdout.isatty()

    @property
    def trial(self) -> bool:
        """Tell whether nothing is set up, so that the bundled demo model will do."""
        return not self.has_token and self.model_name is None

    @property
    def model(self) -> str:
        """Give the model to use, as the operator named it."""
        return self.model_name or ("demo" if self.trial else "base")

    @property
    def sampling(self) -> Sampling:
        """Give which moments of a video are looked at."""
        sampling = Sampling(self.look_every_s)
        return sampling if self.keyframes == "on" else replace(sampling, keyframe_gap=0.0)

    @property
    def fetch_limit_bytes(self) -> int:
        """Give the size of the largest file that is taken in."""
        return int(self.fetch_limit_gb * GIGABYTE)

    @property
    def fetch_limits(self) -> FetchLimits:
        """Give what one fetch may take."""
        return FetchLimits(
            self.fetch_limit_bytes,
            self.fetch_timeout_s,
            self.fetch_stall_s,
            self.film_limit_min * 60,
            sites=self.sites,
            pages=self.pages == "on",
        )

    @property
    def video_limits(self) -> VideoLimits:
        """Give what reading one video may take."""
        return VideoLimits(
            self.film_limit_min * 60,
            int(self.frame_limit_mp * 1_000_000),
            self.frames_limit,
            self.decode_limit_s,
            int(self.decode_memory_gb * GIGABYTE),
        )

    @property
    def database(self) -> Path:
        """Give the place of the SQLite file."""
        return self.data_dir / "keaton.sqlite3"


def read_settings(project: Path = PROJECT) -> Settings:
    """Read the environment and the `.env` files; raises BadSetting naming the first value that makes no sense.

    A `.env` in the folder where Keaton is started counts before that of the project, and that before one in the data
    folder; the environment counts before all of them.
    """
    try:
        known = _read(_files(project))
        return _read(_files(project, known.data_dir), data_dir=known.data_dir)
    except OSError as error:
        raise BadSetting(".env", f"{error.filename} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        setting = name if name.isupper() else f"KEATON_{name.upper()}"
        raise BadSetting(setting, first["msg"]) from error


def _read(files: tuple[Path, ...], **more: Path) -> Settings:
    found: dict[str, Any] = {"_env_file": files, **more}
    return Settings(**found)


def _files(project: Path, *folders: Path) -> tuple[Path, ...]:
    """Return the `.env` files that are there, those that count more behind the others."""
    places = (*folders, *([project] if (project / "pyproject.toml").is_file() else []), Path.cwd())
    return tuple(dict.fromkeys(folder / ".env" for folder in places if (folder / ".env").is_file()))


def misspelt(settings: Settings, project: Path = PROJECT) -> tuple[tuple[str, str], ...]:
    """Return what is set under a name that looks like Keaton's and is none, each with the nearest that is, or ""."""
    known = {info.validation_alias or f"KEATON_{name.upper()}" for name, info in Settings.model_fields.items()}
    names = [name.upper() for name in os.environ if name.upper().startswith("KEATON_")]
    for file in _files(project, settings.data_dir):
        written = (name.upper() for name in dotenv_values(file))
        names += [name for name in written if name.startswith(("KEATON_", "DISCORD_", "SLACK_"))]
    unknown = sorted({name for name in names if name not in known | _OF_TESTS})
    spellings = [str(name) for name in known]
    return tuple((name, next(iter(get_close_matches(name, spellings, 1, _LIKE)), "")) for name in unknown)
