"""`keaton doctor`: checks the installation and the data folder, and says what to do. `--repair` mends the database."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Literal, TypeAlias

import click
from rich.console import Console
from rich.markup import escape

from bot.settings import GIGABYTE
from bot.wiring.app import mend, open_core
from bot.wiring.diagnostics import (
    check_database,
    check_decoder,
    check_losses,
    check_privacy,
    check_sandbox,
    describe_torch,
    files_aside,
)
from bot.wiring.engines import hub_trouble, load_model, weights_begun, weights_here
from core.errors import AppError, OperatorError, SchemaTooNew
from core.wording import model as wording
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.settings import Settings
    from bot.wiring.app import Mended
    from bot.wiring.diagnostics import Bar, SandboxReport

Health: TypeAlias = Literal["ok", "note", "wrong"]
_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]•[/]", "wrong": "[red]✗[/]"}
_PLAIN_MARKS = {"ok": "[green]ok  [/]", "note": "[yellow]note[/]", "wrong": "[red]WRONG[/]"}
"""Where the terminal's encoding has no others."""
_LEAST_FREE_GB = 1
_LACKS: dict[Bar, str] = {
    "network": "the decoder has the machine's network (user namespaces are off, or a container forbids them)",
    "processes": "it sees the machine's processes (for the same reason)",
    "users": "it is the same user as Keaton (for the same reason)",
    "rights": "it has rights of root's",
    "privileges": "it may start programs that have more rights",
    "files": "it may read and write Keaton's files (no Landlock: Linux 5.13 and later have it, if switched on)",
    "signals": "nothing but the filter of calls keeps it from signalling processes (Linux 6.12 or later does)",
    "threads": "the number of its threads is not bounded (for want of user namespaces)",
    "calls": "it may make any system call (no seccomp, or neither x86-64 nor ARM64)",
}
"""What it means that a bar is missing, and why it would be."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    text: str


async def examine(settings: Settings, *, as_json: bool) -> int:
    """Print one line for each check, or all as JSON; return 0, or 3 where something must be done."""
    told = Console()
    marks = _MARKS if told.encoding.lower().startswith("utf") else _PLAIN_MARKS
    found: list[Finding] = []
    async for finding in findings(settings):
        found.append(finding)
        if not as_json:
            told.print(f"{marks[finding.health]} {finding.what:<12} {escape(finding.text)}", soft_wrap=True)
    is_well = all(finding.health != "wrong" for finding in found)
    if as_json:
        click.echo(json.dumps({"ok": is_well, "checks": [asdict(one) for one in found]}, ensure_ascii=False))
    return 0 if is_well else 3


async def repair(settings: Settings) -> int:
    """Mend the database and tell what was done; give 0, or 1 where videos have to be posted again.

    Raises OperatorError.
    """
    mended = await mend(settings)
    repaired = mended.repaired
    told = Console()

    def tell(text: str) -> None:
        told.print(escape(text), soft_wrap=True)

    tell(f"The database as it was lies in {repaired.copy}.")
    tell("Nothing was damaged." if not repaired.complaints else f"Damaged: {repaired.complaints[0]}")
    for line in _told(mended, settings):
        tell(line)
    for video in repaired.lost:
        tell(f"Lost; please post it again: {video.title or 'a video'} ({video.link or video.video_id})")
    return 1 if repaired.lost or repaired.is_another or repaired.outcome == "left" else 0


def _recovery(copy: Path, database: Path) -> str:
    """Say how to get more out of a damaged database than Keaton does."""
    return (
        "SQLite's command line (the one from sqlite.org) may read more of it, while Keaton is stopped:\n"
        f'  sqlite3 "{copy}" .recover | sqlite3 recovered.sqlite3\n'
        f"Put recovered.sqlite3 in the place of {database}, without any -wal and -shm file beside it, and run "
        "`keaton doctor --repair` again."
    )


def _told(mended: Mended, settings: Settings) -> list[str]:
    """Say which database is in use now, and what was done with the media files."""
    repaired, said = mended.repaired, []
    if repaired.backup:
        said.append(
            f"The backup {repaired.backup.name} is in use from now on. What was posted, voted and switched after it "
            "was made is missing: please post those videos again."
        )
    if repaired.outcome == "begun":
        said.append(
            "Nothing of it could be read, and there is no backup that is sound. A new library is in use from now on. "
            "Missing are all postings, votes and answers: who posted what where. All videos have to be posted again."
        )
    if repaired.outcome == "left":
        said.append("There is no backup that is sound, so the database was left as it is: damaged videos are left out.")
    if repaired.outcome in {"restored", "begun", "left"}:
        said.append(_recovery(repaired.copy, settings.database))
    if mended.aside:
        said.append(f"Videos that it knows nothing of are kept in {mended.aside}.")
    if mended.queued:
        said.append(f"The next `keaton run` looks at these {mended.queued} anew; then that folder may go.")
    if repaired.outcome != "left":
        said.append(f"Media files that no video led to, deleted: {mended.deleted}.")
    return said


async def findings(settings: Settings) -> AsyncIterator[Finding]:
    """Look at one thing after the other."""
    yield Finding("Python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield _torch()
    for finding in _model(settings):
        yield finding
    yield await _decoder()
    yield await _cage()
    yield _fetching()
    yield await _data_folder(settings)
    yield _database(settings)
    for finding in _kept_aside(settings):
        yield finding
    yield _disk(settings)
    for finding in _tokens(settings):
        yield finding


def _said(error: AppError) -> str:
    """Return an error's sentence, without the advice to ask doctor."""
    return sentence(error).removesuffix(" `keaton doctor` tells more.")


def _torch() -> Finding:
    try:
        return Finding("torch", "ok", describe_torch())
    except (ImportError, OSError, RuntimeError) as error:
        return Finding("torch", "wrong", f"cannot be loaded ({error}). Remove .venv and run `make` again.")


def _model(settings: Settings) -> list[Finding]:
    """Load the model and test it; where its weights are not here, say so instead of downloading them."""
    try:
        if weights_here(settings):
            return _loaded(settings)
        done_bytes, total_bytes = weights_begun(settings) or (0, 0)
        trouble = hub_trouble(settings)
    except OperatorError as error:
        return [Finding("Model", "wrong", _said(error))]
    except (ImportError, OSError, RuntimeError) as error:
        return [Finding("Model", "wrong", f"{settings.model!r} does not load ({error}).")]
    absent = f"{settings.model}: {wording.absent(done_bytes, total_bytes, trouble)}"
    if settings.may_try_demo:
        demo = _loaded(settings.model_copy(update={"model_name": "demo"}))
        return [*demo[:1], Finding("Model", "note", f"{absent}. Until then the demo model stands in."), *demo[2:]]
    return [Finding("Model", "wrong" if trouble else "note", f"{absent}.")]


def _loaded(settings: Settings) -> list[Finding]:
    try:
        model = load_model(settings)
        model.texts(["a dog"])
    except OperatorError as error:
        return [Finding("Model", "wrong", _said(error))]
    except (ImportError, OSError, RuntimeError) as error:
        advice = f"{settings.model!r} does not load on {settings.device!r} ({error}). KEATON_DEVICE=cpu always works."
        return [Finding("Model", "wrong", advice)]
    info = model.info
    size = info.preprocess.size_px
    return [
        Finding("Device", "ok", f"{info.device}, {info.precision}"),
        Finding("Model", "ok", f"{info.model}, {size} px, {info.dim} dimensions"),
        Finding(
            "Weights", "ok", f"{info.weights}; the self-test gives different vectors for different pictures and words"
        ),
    ]


async def _decoder() -> Finding:
    try:
        return Finding("Decoder", "ok", await check_decoder())
    except (AppError, ImportError, OSError) as error:
        text = _said(error) if isinstance(error, AppError) else str(error)
        return Finding("Decoder", "wrong", f"{text} Remove .venv and run `make` again.")


async def _cage() -> Finding:
    try:
        sandbox = await check_sandbox()
    except (AppError, ImportError, OSError):
        return Finding("Sandbox", "wrong", "the decoder does not start, see above.")
    return told_of(sandbox)


def told_of(sandbox: SandboxReport) -> Finding:
    """Return what is said of the decoder's sandbox: each bar that this system lacks, and what that means."""
    if sandbox.missing:
        lacks = "; ".join(_LACKS[bar] for bar in sandbox.missing)
        return Finding("Sandbox", "note", f"{lacks}. All else holds; SECURITY.md says what to add.")
    told = "videos are decoded without network, other files, other processes, programs or rights to gain"
    return Finding("Sandbox", "ok", f"{told}, in bounded memory")


def _fetching() -> Finding:
    if shutil.which("deno", path=str(_scripts())) is None:
        return Finding("Fetching", "note", "no JavaScript runtime: YouTube will not work. Install the package `deno`.")
    return Finding("Fetching", "ok", f"yt-dlp {version('yt-dlp')}, deno {version('deno')}")


def _scripts() -> str:
    from pathlib import Path  # noqa: PLC0415

    return str(Path(sys.executable).parent)


async def _data_folder(settings: Settings) -> Finding:
    try:
        async with open_core(settings):
            if check_privacy(settings):
                return Finding("Data", "ok", f"{settings.data_dir} can be written, and read by this user alone")
            advice = "other users of this machine may read what is in it; `chmod -R go=` on it, by its owner, ends that"
            return Finding("Data", "note", f"{settings.data_dir} can be written, but {advice}.")
    except SchemaTooNew as error:
        return Finding("Data", "wrong", _said(error))
    except OperatorError as error:
        return Finding("Data", "wrong", f"{_said(error)} Check its owner and its permissions.")


def _database(settings: Settings) -> Finding:
    try:
        found = check_database(settings)
    except OperatorError as error:
        found = (_said(error),)
    if found:
        text = f"{found[0]} ({len(found)} such things). Stop Keaton and run `keaton doctor --repair`."
        return Finding("Database", "wrong", text)
    return _lost(settings) or Finding("Database", "ok", "all pages and references are sound")


def _lost(settings: Settings) -> Finding | None:
    """Tell what went missing though all that is there is sound."""
    try:
        known = [one for one in check_losses(settings) if one.what != "new"]
    except OperatorError:  # it could not be opened, and that is told
        return None
    lost = [one for one in known if one.what == "changes" and one.changes]
    if lost:
        text = (
            f"the newest {lost[-1].changes} changes before {lost[-1].found_at} are lost: the end of its log was "
            "damaged (a failing disk?). Videos that were posted just before have to be posted again; then stop Keaton, "
            "and `keaton doctor --repair` puts this away."
        )
        return Finding("Database", "wrong", text)
    if known and known[-1].what == "changes":
        text = (
            f"sound, but at {known[-1].found_at} {settings.database.name}.mark was missing beside it, so nothing tells "
            "whether the newest changes are in it. If you stopped Keaton and moved its files here, they are."
        )
        return Finding("Database", "note", text)
    if known:
        text = f"sound, but since {known[-1].found_at} not the one that lay there before"
        return Finding("Database", "note", f"{text}. If that was not you, look for a backup in {_backups(settings)}.")
    return None


def _backups(settings: Settings) -> str:
    return str(settings.data_dir / "backups")


def _kept_aside(settings: Settings) -> list[Finding]:
    """Tell of media files that the library knows nothing of, and how they come back."""
    try:
        files = files_aside(settings)
    except OperatorError as error:
        return [Finding("Set aside", "wrong", _said(error))]
    if not files:
        return []
    folders = ", ".join(sorted({str(path.parent) for path in files}))
    text = (
        f"{len(files)} media files that no video leads to are in {folders}. If you have the database that knows them, "
        f"stop Keaton and put it back as {settings.database} (without -wal and -shm beside it): then they come back by "
        "themselves. Else `keaton index` looks at such a file anew; or delete the folder."
    )
    return [Finding("Set aside", "note", text)]


def _disk(settings: Settings) -> Finding:
    folder = str(settings.data_dir)
    while not os.path.exists(folder):  # noqa: PTH110 - unlike Path.exists it does not raise where one may not look
        folder = os.path.dirname(folder)  # noqa: PTH120 - likewise
    free_gb = shutil.disk_usage(folder).free / GIGABYTE
    if free_gb < settings.fetch_limit_gb + _LEAST_FREE_GB:
        advice = f"{free_gb:.1f} GB free: make room, or lower KEATON_FETCH_LIMIT_GB and KEATON_MEDIA_QUOTA_GB"
        return Finding("Disk", "wrong" if free_gb < _LEAST_FREE_GB else "note", advice)
    return Finding("Disk", "ok", f"{free_gb:.0f} GB free; media may take {settings.media_quota_gb:g} GB")


def _tokens(settings: Settings) -> list[Finding]:
    if not settings.has_token:
        advice = "none set: `keaton run` serves the local page. docs/discord.md and docs/slack.md say how to get one"
        return [Finding("Tokens", "note", advice)]
    found: list[Finding] = []
    if settings.discord_token:
        found.append(Finding("Discord", "ok", "DISCORD_TOKEN is set"))
    if settings.slack_bot_token or settings.slack_app_token:
        found.append(_slack(settings))
    return found


def _slack(settings: Settings) -> Finding:
    if not (settings.slack_bot_token and settings.slack_app_token):
        missing = "SLACK_APP_TOKEN (xapp-...)" if settings.slack_bot_token else "SLACK_BOT_TOKEN (xoxb-...)"
        return Finding("Slack", "wrong", f"{missing} is missing; Slack needs both.")
    return Finding("Slack", "ok", "SLACK_BOT_TOKEN and SLACK_APP_TOKEN are set")
