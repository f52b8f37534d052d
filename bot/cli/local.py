"""The library that the command line shares with the local chat, and what every command says first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from bot.cli import output
from bot.settings import misspelt, outdated, retired
from core.errors import AppError, OperatorError
from core.model.reply import Progress
from core.model.video import Scope
from core.wording.model import trial_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import Settings
    from bot.wiring.app import Product
    from bot.wiring.model_watch import ModelWatch

CHANNEL = "main"
OPERATOR = "operator"


def local_scope(space: str) -> Scope:
    """Return the channel that the command line shares with the local chat."""
    return Scope("local", space, CHANNEL)


def tell_misspelt(settings: Settings, say: Callable[[str], None]) -> None:
    """Say which settings do not exist or no longer do, and which are set under an old name."""
    for name, why in retired(settings):
        say(f"{name} is no setting any more, so it does nothing: {why}.")
    for name, nearest in misspelt(settings):
        say(f"{name} is no setting, so it does nothing.{f' Did you mean {nearest}?' if nearest else ''}")
    for old, new in outdated(settings):
        say(f"{old} is called {new} now. The old name still works.")


async def load(core: Product, label: str) -> None:
    """Load the model, with a bar meanwhile; say on stderr where the demo model stands in. Raises OperatorError."""
    is_first = core.engines.model.status.stage == "unloaded"
    with output.progress_bar(label) as report:
        following = asyncio.create_task(follow_model(core.engines.model, report))
        try:
            await core.engines.encoder.ready()
        finally:
            following.cancel()
    if is_first and core.engines.model.status.stage == "trial":
        click.echo(trial_command(core.engines.model.status.reason), err=True)


async def follow_model(watch: ModelWatch, report: Callable[[Progress], None]) -> None:
    """Tell a bar how far the model is."""
    async for status in watch.changes():
        stage = "downloading the model" if status.stage == "fetching" else "loading"
        report(Progress(stage, status.share))


def exit_code(error: Exception) -> int:
    """Return 1 for what the user can fix, 3 for what the operator can fix, and for our own faults."""
    return 1 if isinstance(error, AppError) and not isinstance(error, OperatorError) else 3
