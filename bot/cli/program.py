"""The commands of the command line and their options: `keaton COMMAND --help`.

What a command needs is imported when it runs, so that help, completion and a wrong call cost no second.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

import click

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bot.settings import Settings

logger = logging.getLogger(__name__)

ASKER, OPERATOR, INTERRUPTED = 1, 3, 130

space_option = click.option("--space", default="home", show_default=True, help="The library to use.", metavar="NAME")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="keaton")
def keaton() -> None:
    """Find the moment in a video by words."""


@keaton.command()
def run() -> None:
    """Start the bot; with no token, the local chat with the demo video."""
    from bot.cli import run as running
    from bot.cli.local import tell_misspelt
    from bot.monitoring.logs import set_up_logs
    from bot.settings import read_settings

    settings = read_settings()
    set_up_logs(settings.log_level, settings.log_format, settings.secrets)
    tell_misspelt(settings, logger.warning)
    code = asyncio.run(running.run(settings))
    # All is closed. A model that is still loading sits in a thread that cannot be stopped, and need not be waited for.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


@keaton.command()
@click.argument("sources", nargs=-1, required=True, metavar="FILE_FOLDER_OR_LINK...")
@click.option("--glob", default="", metavar="PATTERN", help="Of a folder, only files whose names match: '*.mkv'.")
@click.option("--watch", is_flag=True, help="Go on with what appears in the folders, until Ctrl+C.")
@space_option
@json_option
def index(sources: tuple[str, ...], glob: str, watch: bool, space: str, as_json: bool) -> None:
    """Index videos: files, links, and folders with all below them.

    What is known already is not indexed again, and what fails does not stop the rest.
    """
    if watch and as_json:
        raise click.UsageError("--json prints one document at the end, and --watch has none.")
    if watch and not any(Path(source).is_dir() for source in sources):
        raise click.UsageError("--watch needs a folder.")
    from bot.cli import index as indexing

    wish = indexing.IndexWish(sources, glob, watch)
    _finish(indexing.index(_quiet_settings(), wish, space, as_json=as_json))


@keaton.command()
@click.argument("text", nargs=-1)
@click.option("--video", metavar="ID", help="Search this video alone (its id or title).")
@click.option(
    "--limit", "--top", default=5, show_default=True, type=click.IntRange(1, 100), help="How many moments at most."
)
@click.option("--refine", is_flag=True, help="Look for better frames between the sampled ones; takes seconds.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the frame and the plot here.")
@click.option(
    "--picture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Search for what this picture shows, beside TEXT or without it.",
)
@click.option("--softmax", is_flag=True, help="Plot the notebook's softmax instead of the similarity.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@space_option
@json_option
def find(
    text: tuple[str, ...],
    video: str | None,
    limit: int,
    refine: bool,
    out: Path | None,
    picture: Path | None,
    softmax: bool,
    theme: Literal["light", "dark"],
    space: str,
    as_json: bool,
) -> None:
    """Find the moments that match TEXT best.

    TEXT is written as in the chat: "a woman in water -boat", "a car > an explosion", "a dog | a cat", from:ada,
    after:yesterday, video:holiday. The shell takes some of these signs for itself, so put it in quotes.

    The TEXT - reads a question a line from standard input; with --json each answer is a line.
    """
    if not text and picture is None:
        raise click.UsageError("Nothing to search for. Give TEXT, or --picture, or both.")
    from bot.cli import find as finding

    style: Literal["softmax", "similarity"] = "softmax" if softmax else "similarity"
    wish = finding.FindWish(" ".join(text), video, limit, out, style, theme, picture, refine)
    _finish(finding.find(_quiet_settings(), wish, space, as_json=as_json))


@keaton.command()
@click.argument("source", required=False, metavar="[LINK_OR_FILE]")
@click.option(
    "--queries", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A text file, one query a line."
)
@click.option("--full", is_flag=True, help="Run the notebook's loop on all frames, not on a sample.")
@click.option(
    "--frames", default=400, show_default=True, type=click.IntRange(8), help="How many frames are that sample."
)
@click.option("--turns", default=2, show_default=True, type=click.IntRange(1, 10), help="How often both take turns.")
@click.option("--model", metavar="NAME", help="Instead of OpenAI's ViT-B/32: any KEATON_MODEL.")
@click.option(
    "--picture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also compare the probabilities of some texts for this picture.",
)
@click.option("--label", "labels", multiple=True, metavar="TEXT", help="One of these texts; again for each.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default="keaton-proof",
    show_default=True,
    help="Write proof.html and proof.json here.",
)
def prove(source: str | None, queries: Path | None, labels: tuple[str, ...], **how: object) -> None:
    """Compare Keaton with the published notebook, on this machine.

    Both search the same video for the same queries, with the same model: by default the video and the five queries of
    the notebook's post. Exit code 1 where the notebook found a better frame. The notebook's loop reads the video
    outside of the sandbox, as it did, so name one that you trust.
    """
    from bot.cli import prove as proving

    _finish(proving.prove(_quiet_settings(), proving.ProveWish.of(source, queries, labels, **how)))


@keaton.command()
@space_option
@json_option
def videos(space: str, as_json: bool) -> None:
    """List the videos that can be searched."""
    from bot.cli import lists

    _finish(lists.videos(_quiet_settings(), space, as_json=as_json))


@keaton.command()
@click.argument("video", metavar="ID")
@space_option
def forget(video: str, space: str) -> None:
    """Forget a video, with all that was kept of it."""
    from bot.cli import lists

    _finish(lists.forget(_quiet_settings(), video, space))


def _time(_context: click.Context, _option: click.Parameter, value: str) -> float:
    """Read a time in a video: 75, 1:15.5 or 1:02:03."""
    from core.formatting import seconds

    try:
        return seconds(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no time; write seconds, or minutes:seconds.") from error


def _clip_file(_context: click.Context, _option: click.Parameter, value: Path | None) -> Path | None:
    """Refuse what a clip cannot be written as."""
    if value is not None and value.suffix.lower() not in {".mp4", ".gif"}:
        raise click.BadParameter(f"{value} has to end in .mp4 or .gif.")
    return value


@keaton.command()
@click.argument("video", metavar="ID")
@click.option("--from", "start_s", callback=_time, required=True, help="Where it begins: 75, 1:15.5 or 1:02:03.")
@click.option("--to", "end_s", callback=_time, required=True, help="Where it ends.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_clip_file,
    help="FILE.mp4, or FILE.gif without sound.",
)
@space_option
def clip(video: str, start_s: float, end_s: float, out: Path | None, space: str) -> None:
    """Cut a stretch out of a video (its id or title)."""
    if end_s <= start_s:
        raise click.BadParameter("it has to be after --from.", param_hint="--to")
    from bot.cli import cuts

    _finish(cuts.clip(_quiet_settings(), cuts.ClipOrder(video, start_s, end_s, out), space))


def _sheet_file(_context: click.Context, _option: click.Parameter, value: Path) -> Path:
    """Refuse what a contact sheet is not written as."""
    if value.suffix.lower() not in {".jpg", ".jpeg"}:
        raise click.BadParameter(f"{value} has to end in .jpg.")
    return value


@keaton.command()
@click.argument("video", metavar="ID")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_sheet_file,
    default="sheet.jpg",
    show_default=True,
)
@click.option("--tiles", default=24, show_default=True, type=click.IntRange(1, 200), help="How many pictures at most.")
@space_option
def sheet(video: str, out: Path, tiles: int, space: str) -> None:
    """Draw the contact sheet of a whole video (its id or title)."""
    from bot.cli import cuts

    _finish(cuts.sheet(_quiet_settings(), video, tiles, out, space))


@keaton.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete Keaton's commands and options.

    \b
    bash, in ~/.bashrc: eval "$(keaton completion bash)"
    zsh, in ~/.zshrc:   eval "$(keaton completion zsh)"
    fish, once:         keaton completion fish > ~/.config/fish/completions/keaton.fish
    """  # noqa: D301 - click reads the backspace itself
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    click.echo(kind(keaton, {}, "keaton", "_KEATON_COMPLETE").source())


@keaton.command(name="page")
def print_page() -> None:
    """Print the address of the local chat's page, with the token that opens it."""
    from bot.cli import pages
    from bot.settings import read_settings

    pages.print_address(read_settings())


@keaton.command()
@json_option
def spaces(as_json: bool) -> None:
    """List the servers, workspaces and libraries that videos are known from."""
    from bot.cli import lists

    _finish(lists.spaces(_quiet_settings(), as_json=as_json))


@keaton.command()
@click.option("--space", required=True, metavar="NAME", help="Whose data; `keaton spaces` lists the names.")
@click.option("--platform", type=click.Choice(["discord", "slack", "local"]), help="Where several spaces go by it.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Write it here.")
def export(space: str, platform: str | None, out: Path) -> None:
    """Write all that is kept of one space as JSON and files."""
    from bot.cli import lists

    _finish(lists.export(_quiet_settings(), space, platform, out))


@keaton.group()
def model() -> None:
    """List, download and choose models."""


@model.command(name="list")
@json_option
def list_models(as_json: bool) -> None:
    """List the models, and which one is in use (*)."""
    from bot.cli import models

    models.list_models(_quiet_settings(), as_json=as_json)


@model.command()
@click.argument("name", required=False)
def fetch(name: str | None) -> None:
    """Download a model's weights, going on where that broke off; by default of the one in use."""
    from bot.cli import models

    _finish(models.fetch(_quiet_settings(), name))


@model.command()
@click.argument("name")
def use(name: str) -> None:
    """Use a model from the next start on: base, accurate, openai, demo, NAME/TAG or local-dir:PATH."""
    from bot.cli import models

    sys.exit(models.use(_quiet_settings(), name))


@keaton.command(name="doctor")
@click.option(
    "--repair", is_flag=True, help="Mend the database: copy it, restore a backup if it is damaged, name what is lost."
)
@json_option
def check(repair: bool, as_json: bool) -> None:
    """Check that all is in order, and say what to do where it is not."""
    if repair and as_json:
        raise click.UsageError("--json is for the checks; --repair tells what it does in words.")
    from bot.cli import doctor

    settings = _quiet_settings()
    _finish(doctor.repair(settings) if repair else doctor.examine(settings, as_json=as_json))


def run_program() -> int:
    """Run what the command line asks for; return the exit code. KeyboardInterrupt is left to the caller."""
    _bear_encodings()
    try:
        keaton.main(prog_name="keaton", standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    except Exception as error:  # noqa: BLE001 - whatever it is, people get a sentence
        return _tell(error)
    return 0


def _tell(error: Exception) -> int:
    """Say on stderr what went wrong; return the exit code."""
    from bot.cli.terminal_words import told
    from core.errors import AppError, OperatorError

    if isinstance(error, AppError):
        click.echo(told(error), err=True)
        return OPERATOR if isinstance(error, OperatorError) else ASKER
    logger.debug("bug", exc_info=error)
    click.echo(f"Something broke: {type(error).__name__}. KEATON_LOG_LEVEL=debug shows where.", err=True)
    return OPERATOR


def _bear_encodings() -> None:
    """Print a question mark for what a terminal's encoding has no sign for, instead of breaking off."""
    import io

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _quiet_settings() -> Settings:
    from bot.cli.local import tell_misspelt
    from bot.monitoring.logs import set_up_logs
    from bot.settings import read_settings

    settings = read_settings()
    set_up_logs("debug" if settings.log_level == "debug" else "warning", settings.log_format, settings.secrets)
    tell_misspelt(settings, partial(click.echo, err=True))
    return settings


def _finish(work: Coroutine[None, None, int]) -> None:
    if code := asyncio.run(_interruptible(work)):
        sys.exit(code)


async def _interruptible(work: Coroutine[None, None, int]) -> int:
    """End at once after Ctrl+C, when the work has put its things in order: asyncio would wait for threads.

    Ctrl+C counts for more than an error that it causes on the way out.
    """
    try:
        return await work
    except (Exception, asyncio.CancelledError):
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            raise
        logger.debug("broken off", exc_info=True)
        leave()


def leave() -> NoReturn:
    """End at once: Python would wait for threads that load a model, and what is kept is kept in transactions."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the reader of a pipe is gone
            continue
    os._exit(INTERRUPTED)
