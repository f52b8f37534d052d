"""`keaton model list | fetch | use`: which models there are, downloading one, and choosing it."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click
from dotenv import set_key

from bot.cli import output
from bot.cli.local import follow_model
from bot.settings import read_settings
from bot.wiring.engines import check_model, fetch_weights, model_names, weights_begun, weights_here
from bot.wiring.model_watch import ModelWatch
from core.errors import StorageUnusable

if TYPE_CHECKING:
    from bot.settings import Settings

_NAME = "KEATON_MODEL"


def list_models(settings: Settings, *, as_json: bool) -> None:
    """Print the models that have a short name, and the one in use."""
    known = model_names()
    if settings.model not in known:
        known[settings.model] = "as it is set"
    rows = [
        {"name": name, "about": about, "state": _state(settings, name), "in_use": name == settings.model}
        for name, about in known.items()
    ]
    if as_json:
        click.echo(json.dumps({"models": rows}, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{'*' if row['in_use'] else ' '} {row['name']:<9} {row['state']}; {row['about']}")


def _state(settings: Settings, name: str) -> str:
    named = _named(settings, name)
    if weights_here(named):
        return "here"
    done_bytes, total_bytes = weights_begun(named) or (0, 0)
    return f"{done_bytes / total_bytes:.0%} downloaded" if total_bytes else "not downloaded"


async def fetch(settings: Settings, name: str | None) -> int:
    """Download a model's weights, by default of the one in use; return the exit code."""
    named, watch = _named(settings, name or settings.model), ModelWatch()
    if not weights_here(named):
        with output.progress_bar(named.model) as report:
            following = asyncio.create_task(follow_model(watch, report))
            try:
                await asyncio.to_thread(fetch_weights, named, watch)
            finally:
                following.cancel()
    click.echo(f"The weights of {named.model} are here.")
    return 0


def use(settings: Settings, name: str) -> int:
    """Choose a model in the data folder's `.env`; return the exit code, 1 where another setting counts more."""
    check_model(_named(settings, name))
    file = settings.data_dir / ".env"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        set_key(file, _NAME, name)
    except OSError as error:
        raise StorageUnusable(str(file), error.strerror or str(error)) from error
    click.echo(f"{_NAME}={name} stands in {file}; it counts from the next start on.")
    now = read_settings().model
    if now != name:
        click.echo(f"But {_NAME}={now} in the environment or in a nearer .env counts more.", err=True)
        return 1
    if not weights_here(_named(settings, name)):
        click.echo(f"Its weights are not here yet: `keaton model fetch {name}` downloads them.")
    return 0


def _named(settings: Settings, name: str) -> Settings:
    return settings.model_copy(update={"model_name": name})
