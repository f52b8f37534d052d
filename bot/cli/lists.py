"""`keaton videos | forget | spaces | export`: what is in the library, and taking it away or out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bot.cli import output
from bot.cli.exporter import Exporter
from bot.cli.local import local_scope
from bot.wiring.app import open_core
from core.model.video import View, pick
from core.ports.retention import choose

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings


async def videos(settings: Settings, space: str, *, as_json: bool) -> int:
    """List the videos. Give the exit code."""
    async with open_core(settings) as core:
        output.listed(await core.kept.library.videos(View.of(local_scope(space))), as_json=as_json)
    return 0


async def forget(settings: Settings, name: str, space: str) -> int:
    """Take a video back. Give the exit code."""
    view = View.of(local_scope(space))
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(view), name, whole=True).video
        await core.parts.forgetting.forget(video.id, view)
    output.forgotten(video)
    return 0


async def spaces(settings: Settings, *, as_json: bool) -> int:
    """List the spaces that videos are known from. Give the exit code."""
    async with open_core(settings) as core:
        output.spaces(await core.kept.archive.holdings(), as_json=as_json)
    return 0


async def export(settings: Settings, name: str, platform: str | None, out: Path) -> int:
    """Write all that is kept of a space into a folder. Give the exit code."""
    async with open_core(settings) as core:
        space = choose(await core.kept.archive.holdings(), name, platform)
        count = await Exporter(core.kept.archive, core.kept.library, core.kept.media, out).export(space)
    click.echo(f"{count} videos of {space.platform} {space.name} are in {out}.", err=True)
    return 0
