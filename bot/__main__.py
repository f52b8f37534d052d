"""The command line: `keaton run | index | find | videos | forget | clip | sheet | spaces | export | doctor`.

Exit codes: 0, 1 for what the user can fix, 2 for wrong usage, 3 for what the operator can fix.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli import commands, doctor, pages
from bot.cli import commands as cutting
from bot.cli import run as running
from bot.monitoring.logs import set_up_logs
from bot.settings import read_settings
from core.errors import AppError, OperatorError
from core.formatting import seconds
from core.wording.errors import sentence

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
    settings = read_settings()
    set_up_logs(settings.log_level, settings.log_format, settings.secrets)
    commands.tell_misspelt(settings, logger.warning)
    code = asyncio.run(running.run(settings))
    # All is closed. A model that is still loading sits in a thread that cannot be stopped, and need not be waited for.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


@keaton.command()
@click.argument("sources", nargs=-1, required=True, metavar="PATH_OR_URL...")
@space_option
@json_option
def index(sources: tuple[str, ...], space: str, as_json: bool) -> None:
    """Take videos in, from files or links."""
    _finish(commands.index(_quiet_settings(), sources, space, as_json=as_json))


@keaton.command()
@click.argument("text", nargs=-1)
@click.option("--video", metavar="ID", help="Look in this video alone (its id or title).")
@click.option("--top", default=5, show_default=True, type=click.IntRange(1, 100), help="How many moments at most.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write the frame and the plot here.")
@click.option(
    "--picture",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Look for what this picture shows, beside TEXT or without it.",
)
@click.option("--softmax", is_flag=True, help="Plot the notebook's softmax instead of the similarity.")
@click.option("--theme", type=click.Choice(["light", "dark"]), default="light", show_default=True)
@space_option
@json_option
def find(
    text: tuple[str, ...],
    video: str | None,
    top: int,
    out: Path | None,
    picture: Path | None,
    softmax: bool,
    theme: str,
    space: str,
    as_json: bool,
) -> None:
    """Find the moments that match TEXT best.

    TEXT is written as in the chat: "a woman in water -boat", "a car > an explosion", "a dog | a cat", from:ada,
    after:yesterday, video:holiday. The shell takes some of these signs for itself, so put it in quotes.
    """
    if not text and picture is None:
        raise click.UsageError("What shall I look for? Give TEXT, or --picture, or both.")
    wish = commands.FindWish(
        " ".join(text),
        video,
        top,
        out,
        "softmax" if softmax else "similarity",
        "dark" if theme == "dark" else "light",
        picture,
    )
    _finish(commands.find(_quiet_settings(), wish, space, as_json=as_json))


@keaton.command()
@space_option
@json_option
def videos(space: str, as_json: bool) -> None:
    """List the videos that can be searched."""
    _finish(commands.videos(_quiet_settings(), space, as_json=as_json))


@keaton.command()
@click.argument("video", metavar="ID")
@space_option
def forget(video: str, space: str) -> None:
    """Take a video back, with all that was kept of it."""
    _finish(commands.forget(_quiet_settings(), video, space))


def _time(_context: click.Context, _option: click.Parameter, value: str) -> float:
    """Read a time of a video: 75, 1:15.5 or 1:02:03."""
    try:
        return seconds(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no time; write seconds, or minutes:seconds.") from error


@keaton.command()
@click.argument("video", metavar="ID")
@click.option("--from", "start_s", callback=_time, required=True, help="Where it begins: 75, 1:15.5 or 1:02:03.")
@click.option("--to", "end_s", callback=_time, required=True, help="Where it ends.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="FILE.mp4, or FILE.gif without sound.")
@space_option
def clip(video: str, start_s: float, end_s: float, out: Path | None, space: str) -> None:
    """Cut a stretch out of a video (its id or title)."""
    if end_s <= start_s:
        raise click.BadParameter("it has to be after --from.", param_hint="--to")
    _finish(cutting.clip(_quiet_settings(), cutting.ClipOrder(video, start_s, end_s, out), space))


@keaton.command()
@click.argument("video", metavar="ID")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default="sheet.jpg", show_default=True)
@click.option("--tiles", default=24, show_default=True, type=click.IntRange(1, 200), help="How many pictures at most.")
@space_option
def sheet(video: str, out: Path, tiles: int, space: str) -> None:
    """Draw the contact sheet of a whole video (its id or title)."""
    _finish(cutting.sheet(_quiet_settings(), video, tiles, out, space))


@keaton.command(name="page")
def print_page() -> None:
    """Print the address of the local chat's page, with the token that opens it."""
    pages.print_address(read_settings())


@keaton.command()
@json_option
def spaces(as_json: bool) -> None:
    """List the servers, workspaces and libraries that videos are known from."""
    _finish(commands.spaces(_quiet_settings(), as_json=as_json))


@keaton.command()
@click.option("--space", required=True, metavar="NAME", help="Whose data; `keaton spaces` lists the names.")
@click.option("--platform", type=click.Choice(["discord", "slack", "local"]), help="Where several spaces go by it.")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Write it here.")
def export(space: str, platform: str | None, out: Path) -> None:
    """Write all that is kept of one space as JSON and files."""
    _finish(commands.export(_quiet_settings(), space, platform, out))


@keaton.command(name="doctor")
@click.option(
    "--repair", is_flag=True, help="Mend the database: copy it, restore a backup if it is damaged, name what is lost."
)
def check(repair: bool) -> None:
    """Check that all is in order, and say what to do where it is not."""
    settings = _quiet_settings()
    _finish(doctor.repair(settings) if repair else doctor.examine(settings))


def main() -> None:
    """Run the command line; the console script `keaton`."""
    before = os.umask(0o077)  # what Keaton writes is for the user that it runs as
    try:
        keaton.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(INTERRUPTED)
    except AppError as error:
        click.echo(sentence(error), err=True)
        sys.exit(OPERATOR if isinstance(error, OperatorError) else ASKER)
    except Exception as error:
        logger.debug("bug", exc_info=True)
        click.echo(f"Something broke: {type(error).__name__}. KEATON_LOG_LEVEL=debug shows where.", err=True)
        sys.exit(OPERATOR)
    finally:
        os.umask(before)


def _quiet_settings() -> Settings:
    settings = read_settings()
    set_up_logs("debug" if settings.log_level == "debug" else "warning", settings.log_format, settings.secrets)
    commands.tell_misspelt(settings, partial(click.echo, err=True))
    commands.tell_trial(settings)
    return settings


def _finish(work: Coroutine[None, None, int]) -> None:
    if code := asyncio.run(work):
        sys.exit(code)


if __name__ == "__main__":
    main()
