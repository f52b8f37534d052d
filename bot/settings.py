"""The settings: the only reader of the environment and of `.env`."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Literal

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import AliasChoices, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.setting_values import Folder, Hosts, Number, Sites, Token
from core.errors import BadSetting
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


PROJECT = Path(__file__).resolve().parents[1]
"""Where Keaton was cloned to, if it was."""

SECTIONS: Final = {
    "discord_token": "Who it talks to",
    "model_name": "What it sees with",
    "data_dir": "Where it keeps things",
    "allowed_hosts": "What it downloads",
    "video_limit_min": "What one video may cost",
    "log_level": "What it tells you",
}
"""Headings of the settings, each with its first field."""


def _renamed(name: str, old: str) -> AliasChoices:
    """Return the names of a setting that had another one until November 2026, the new name first."""
    return AliasChoices(name, old)


class Settings(BaseSettings):
    """All that an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix="KEATON_",
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    discord_token: Token = Field(default=None, validation_alias="DISCORD_TOKEN")
    """Token of the Discord bot. With it Keaton runs on Discord."""
    grace_days: Number = Field(default=7.0, ge=0, le=36_500)
    """Days that what Keaton knows of a server, workspace or channel is kept after it was removed from there. Only time
    that Keaton runs counts; 0 forgets at once."""
    channels: Literal["on", "off"] = "on"
    """`on`: every channel that Keaton can read is watched until `/keaton off` is said there. `off`: none is until
    `/keaton on`."""
    turns_a_minute: int = Field(default=20, ge=0, le=1_000_000)
    """Videos and searches that one person may start within a minute; 0 is no limit."""
    discord_api_base: str = Field(default="", validation_alias="DISCORD_API_BASE")
    """Another address of Discord's REST interface; only tests need it."""
    discord_gateway: str = Field(default="", validation_alias="DISCORD_GATEWAY")
    """Another address of Discord's gateway; only tests need it."""
    slack_bot_token: Token = Field(default=None, validation_alias="SLACK_BOT_TOKEN")
    """Bot token of the Slack app (`xoxb-...`). Slack needs both of its tokens."""
    slack_app_token: Token = Field(default=None, validation_alias="SLACK_APP_TOKEN")
    """App-level token of the Slack app (`xapp-...`, with `connections:write`)."""
    slack_pictures: Literal["shared", "inline"] = "shared"
    """`shared`: each picture is shared into its answer's thread, so that all members see it. `inline`: no such
    messages; Slack may then show the pictures to Keaton alone, so look from a second account first."""
    slack_api_base: str = Field(default="", validation_alias="SLACK_API_BASE")
    """Another address of Slack's Web API; only tests need it."""
    web: Literal["auto", "on", "off"] = "auto"
    """The local chat page. `auto`: only while no token is set; `on`: beside Discord and Slack; `off`: never."""
    web_port: int = Field(default=8765, ge=0, le=65535)
    """Port of the page on 127.0.0.1; 0 picks a free one."""
    open_page: Literal["auto", "off"] = "auto"
    """`auto`: `keaton run` opens the page in the browser where it is started on a terminal of a machine with a
    screen."""
    uploads: int = Field(default=50, ge=1, le=10_000)
    """Files posted on the page that may be on their way or waiting; more are refused until some are done."""
    uploads_limit_gb: Number = Field(default=10.0, gt=0, le=_MOST_GB)
    """How large these files may be together, in gigabytes."""
    upload_timeout_s: Number = Field(default=3600.0, gt=0, le=_LONGEST_S)
    """Seconds that one file may be on its way to the page."""
    model_name: str | None = Field(default=None, validation_alias="KEATON_MODEL")
    """The model: `base` (ViT-B-32 / laion2b_s34b_b79k, MIT), `accurate` (ViT-B-32-SigLIP2-256 / webli, Apache-2.0:
    finds more, in many languages, for 1.3 times the work; needs `pip install -e ".[accurate]"`), `openai`
    (ViT-B-32-quickgelu, the weights that the notebook used), `demo` (the bundled toy, which knows only drawn scenes),
    `NAME/TAG` (anything that open_clip knows) or `local-dir:PATH` (a folder in open_clip's format). Unset: `base`;
    where its weights can be neither found nor downloaded, and no token is set, `demo` stands in. Videos that were
    indexed with another model are indexed anew when they are next searched."""
    model_cache: Folder | None = None
    """Where downloaded weights are kept. Set it to carry them to a machine without internet. Unset: the hub's own
    cache."""
    device: str = "auto"
    """`auto` (CUDA, else Apple's MPS, else the processor), `cpu`, `cuda`, `cuda:1`, `mps`. Half precision on a GPU."""
    frame_area: Literal["centre", "whole"] = Field(
        default="centre", validation_alias=_renamed("KEATON_FRAME_AREA", "KEATON_LOOK_AT")
    )
    """Which part of a frame the model sees. `centre`: as it was trained, which for most models is the middle square, so
    what stands at the edges of a wide video is not found. `whole`: all of it, squashed to a square; the middle is seen
    a little less well. `accurate` and `demo` always see all. After a change videos are indexed anew."""
    backend: Literal["torch", "openvino"] = "torch"
    """What computes embeddings on a processor. `openvino` (`pip install -e ".[cpu]"`) gives the same numbers, twice as
    fast where the processor has AVX-512, for a gigabyte more memory; without AVX-512 it gains nothing."""
    frame_every_s: Number = Field(
        default=1.0, gt=0.01, le=60, validation_alias=_renamed("KEATON_FRAME_EVERY_S", "KEATON_LOOK_EVERY_S")
    )
    """Seconds between two sampled frames. Smaller finds shorter moments and costs more."""
    embeddings_memory_gb: Number = Field(
        default=1.46,
        gt=0,
        le=_MOST_GB,
        validation_alias=_renamed("KEATON_EMBEDDINGS_MEMORY_GB", "KEATON_LOOKS_MEMORY_GB"),
    )
    """Memory for the embeddings of frames, in gigabytes. One of 512 numbers takes 1 KB, so 1.46 holds 400 hours of
    video. Videos beyond that are read from the disk for each search: as exact, but slower (0.7 s for 280 hours), and
    answers say so."""
    keyframes: Literal["on", "off"] = "on"
    """`on`: where a video has keyframes that are close enough, only they are decoded, which is several times faster.
    `off`: one frame each interval, whatever the keyframes. After a change videos are indexed anew."""
    batch: int = Field(default=16, ge=1, le=512)
    """Frames in one forward pass. Raise it on a GPU (64 or more)."""
    videos_at_once: int = Field(
        default=3, ge=1, le=32, validation_alias=_renamed("KEATON_VIDEOS_AT_ONCE", "KEATON_FILMS_AT_ONCE")
    )
    """Videos that are indexed at the same time; more wait their turn."""
    videos_per_space: int = Field(
        default=2, ge=1, le=32, validation_alias=_renamed("KEATON_VIDEOS_PER_SPACE", "KEATON_FILMS_A_SPACE")
    )
    """Of those, how many of one Discord server or Slack workspace, so that none holds up the others."""
    videos_per_user: int = Field(
        default=10, ge=0, le=1_000_000, validation_alias=_renamed("KEATON_VIDEOS_PER_USER", "KEATON_FILMS_A_USER")
    )
    """Videos that one person may have waiting or under way on Discord or Slack; 0 is no limit."""
    save_every_s: Number = Field(default=2.0, ge=0, le=_LONGEST_S)
    """Seconds between two times that the frames of a video under way are saved. After a crash Keaton goes on from
    there, and until the video is done that much of it can be searched."""
    retries: int = Field(default=4, ge=0, le=20)
    """How often a download is tried again that failed in a way that may pass; 0 is never."""
    retry_s: Number = Field(default=15.0, gt=0, le=_LONGEST_S)
    """Seconds before the first of these; each later one waits four times as long."""
    data_dir: Folder = Field(default_factory=lambda: user_data_path("keaton", appauthor=False))
    """The database and the media files. Unset: the user's data folder (on Linux `~/.local/share/keaton`)."""
    media_quota_gb: Number = Field(default=20.0, ge=0, le=_MOST_GB)
    """Gigabytes of media files that are kept for cutting frames and previews. Those unused for longest go first; their
    videos can still be searched."""
    cut_limit_s: Number = Field(default=60.0, ge=1, le=600)
    """Seconds of the longest cut that people may take out of a video."""
    allowed_hosts: Hosts = frozenset()
    """Private hosts that links may lead to, on any port, with commas: `media.intern,192.168.1.20`. Everything else that
    is private is refused."""
    sites: Sites = frozenset()
    """The only sites that links may lead to, each with all below it: `youtube.com,vimeo.com`. Unset: any public site.
    Each request of a download is held to them. The file hosts of big sites are known (`core/hosts.py`); where a site
    keeps its videos elsewhere, Keaton's reply names that host, and you may add it."""
    pages: Literal["on", "off"] = "on"
    """`on`: pages of sites that Keaton does not know are searched for a video. `off`: only known sites, and links to
    files."""
    fetch_limit_gb: Number = Field(default=2.0, gt=0, le=_MOST_GB)
    """The largest file that is taken in, in gigabytes: downloaded, posted on the page, or named to `keaton index`."""
    fetch_timeout_s: Number = Field(default=3600.0, gt=0, le=_LONGEST_S)
    """Seconds that one download may take."""
    fetch_stall_s: Number = Field(default=60.0, gt=0, le=_LONGEST_S)
    """Seconds after which a download that brings next to nothing is given up."""
    video_limit_min: Number = Field(
        default=300.0,
        gt=0,
        le=_LONGEST_S / 60,
        validation_alias=_renamed("KEATON_VIDEO_LIMIT_MIN", "KEATON_FILM_LIMIT_MIN"),
    )
    """Length of the longest video, in minutes."""
    frame_limit_mp: Number = Field(default=36.0, gt=0, le=10_000)
    """Size of the largest frame, in millions of pixels; 8K has 33."""
    frames_limit: int = Field(default=2_000_000, gt=0, le=1_000_000_000)
    """Frames that are decoded of one video."""
    decode_limit_s: Number = Field(default=7200.0, gt=0, le=_LONGEST_S)
    """Seconds of processor time for decoding one video, all cores together."""
    decode_memory_gb: Number = Field(default=2.0, gt=0.2, le=_MOST_GB)
    """Gigabytes of memory for decoding one video."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """`debug`, `info`, `warning` or `error`. Message texts and tokens are never logged."""
    log_format: Literal["human", "json"] = "human"
    """`human` (for a terminal) or `json` (one object a line); both go to stderr."""
    watch_port: int | None = Field(default=None, ge=0, le=65535)
    """Port on 127.0.0.1 for `/healthz` (200, or 503 with a sentence) and `/metrics` (Prometheus); 0 picks a free one,
    which the log names. Unset: nothing listens."""

    @property
    def has_token(self) -> bool:
        """Tell whether any chat platform is set up."""
        return any((self.discord_token, self.slack_bot_token, self.slack_app_token))

    @property
    def slack_tokens(self) -> tuple[str, str]:
        """Return the bot token and the app-level token; raises BadSetting where one is missing."""
        if self.slack_bot_token is None:
            raise BadSetting("SLACK_BOT_TOKEN", "it is missing, and Slack needs both of its tokens")
        if self.slack_app_token is None:
            raise BadSetting("SLACK_APP_TOKEN", "it is missing, and Slack needs both of its tokens")
        return self.slack_bot_token.get_secret_value(), self.slack_app_token.get_secret_value()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return what must stand in no log."""
        tokens = (self.discord_token, self.slack_bot_token, self.slack_app_token)
        return tuple(token.get_secret_value() for token in tokens if token)

    @property
    def opens_page(self) -> bool:
        """Tell whether the local chat is served."""
        return self.web == "on" or (self.web == "auto" and not self.has_token)

    @property
    def opens_browser(self) -> bool:
        """Tell whether a browser that is opened can be seen, as far as this machine says."""
        has_screen = sys.platform == "darwin" or any(map(os.environ.get, ("WAYLAND_DISPLAY", "DISPLAY")))
        return self.open_page == "auto" and has_screen and sys.stdout.isatty()

    @property
    def may_try_demo(self) -> bool:
        """Tell whether nothing is set up, so that the bundled demo model may stand in for one that cannot be had."""
        return not self.has_token and self.model_name is None

    @property
    def model(self) -> str:
        """Return the model to use, as the operator named it."""
        return self.model_name or "base"

    @property
    def sampling(self) -> Sampling:
        """Return at which times a video is sampled."""
        sampling = Sampling(self.frame_every_s)
        return sampling if self.keyframes == "on" else replace(sampling, keyframe_gap=0.0)

    @property
    def fetch_limit_bytes(self) -> int:
        """Return the size of the largest file that is taken in."""
        return int(self.fetch_limit_gb * GIGABYTE)

    @property
    def fetch_limits(self) -> FetchLimits:
        """Return what one download may take."""
        return FetchLimits(
            self.fetch_limit_bytes,
            self.fetch_timeout_s,
            self.fetch_stall_s,
            self.video_limit_min * 60,
            sites=self.sites,
            pages=self.pages == "on",
        )

    @property
    def video_limits(self) -> VideoLimits:
        """Return what decoding one video may take."""
        return VideoLimits(
            self.video_limit_min * 60,
            int(self.frame_limit_mp * 1_000_000),
            self.frames_limit,
            self.decode_limit_s,
            int(self.decode_memory_gb * GIGABYTE),
        )

    @property
    def database(self) -> Path:
        """Return the path of the SQLite file."""
        return self.data_dir / "keaton.sqlite3"


def read_settings(project: Path = PROJECT) -> Settings:
    """Read the environment and the `.env` files; raises BadSetting naming the first value that makes no sense.

    A `.env` in the folder where Keaton is started counts before that of the project, and that before one in the data
    folder; the environment counts before all of them.
    """
    try:
        _refuse_both_names(project)
        known = _read(_files(project))
        return _read(_files(project, known.data_dir), data_dir=known.data_dir)
    except OSError as error:
        raise BadSetting(".env", f"{error.filename} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        setting = name if name.isupper() else f"KEATON_{name.upper()}"
        raise BadSetting(setting, first["msg"]) from error


def _refuse_both_names(project: Path) -> None:
    """Raise BadSetting where a setting has a value under its old name and under its new one."""
    written = _written(_files(project))
    for old, new in OLD_NAMES.items():
        if old in written and new in written:
            raise BadSetting(new, f"it is also set under its old name, {old}; delete that line")


def _read(files: tuple[Path, ...], **more: Path) -> Settings:
    found: dict[str, Any] = {"_env_file": files, **more}
    return Settings(**found)


def _files(project: Path, *folders: Path) -> tuple[Path, ...]:
    """Return the `.env` files that are there, those that count more behind the others."""
    places = (*folders, *([project] if (project / "pyproject.toml").is_file() else []), Path.cwd())
    return tuple(dict.fromkeys(folder / ".env" for folder in places if (folder / ".env").is_file()))


def _written(files: tuple[Path, ...]) -> set[str]:
    """Return the names that have a value in the environment or in these files, in capitals."""
    values = [*os.environ.items(), *(one for file in files for one in dotenv_values(file).items())]
    return {name.upper() for name, value in values if value}


def setting_names(field: str) -> tuple[str, ...]:
    """Return the names under which a field of the settings can be set; the first is its name, others are old ones."""
    alias = Settings.model_fields[field].validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(one) for one in alias.choices)
    return (str(alias or f"KEATON_{field.upper()}"),)


OLD_NAMES: Final = {old: new for new, *others in map(setting_names, Settings.model_fields) for old in others}
"""The present name of each setting that is set under an old one."""


RETIRED: Final = {
    "KEATON_COMPILE": "the model is not compiled any more",
    "KEATON_PRECISION": "the model always computes exactly; with AVX-512 KEATON_BACKEND=openvino is twice as fast",
}
"""What is a setting no longer, each with what holds instead."""


def retired(settings: Settings, project: Path = PROJECT) -> tuple[tuple[str, str], ...]:
    """Return which settings are set that are none any more, each with what holds instead."""
    written = _written(_files(project, settings.data_dir))
    return tuple((name, why) for name, why in RETIRED.items() if name in written)


def outdated(settings: Settings, project: Path = PROJECT) -> tuple[tuple[str, str], ...]:
    """Return which settings are set under an old name, each with its present name."""
    written = _written(_files(project, settings.data_dir))
    return tuple((old, new) for old, new in sorted(OLD_NAMES.items()) if old in written)


def misspelt(settings: Settings, project: Path = PROJECT) -> tuple[tuple[str, str], ...]:
    """Return what is set under a name that looks like Keaton's and is none, each with the nearest that is, or ""."""
    known = {name for field in Settings.model_fields for name in setting_names(field)}
    names = [name.upper() for name in os.environ if name.upper().startswith("KEATON_")]
    for file in _files(project, settings.data_dir):
        written = (name.upper() for name in dotenv_values(file))
        names += [name for name in written if name.startswith(("KEATON_", "DISCORD_", "SLACK_"))]
    unknown = sorted({name for name in names if name not in known | _OF_TESTS | RETIRED.keys()})
    now = [name for name in known if name not in OLD_NAMES]
    return tuple((name, next(iter(get_close_matches(name, now, 1, _LIKE)), "")) for name in unknown)
