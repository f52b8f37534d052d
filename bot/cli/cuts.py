"""`keaton clip | sheet`: files that are made of a video."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from bot.cli import output
from bot.cli.local import local_scope
from bot.wiring.app import open_core
from core.answers.card import cut_name, size
from core.errors import VideoGone, called
from core.formatting import clock
from core.model.reply import Progress
from core.model.video import View, pick
from core.ports.video import ClipWish

if TYPE_CHECKING:
    from bot.settings import Settings
    from bot.wiring.app import Product
    from core.model.video import Video
    from core.ports.video import Clip

_MOST_BYTES = 200_000_000


_MOST_PX = 4096


_GIF_PX, _GIF_FPS = 480, 12.0


_MOST_FPS = 60.0


@dataclass(frozen=True, slots=True)
class ClipOrder:
    """What `keaton clip` was asked for."""

    video: str
    start_s: float
    end_s: float
    out: Path | None


async def clip(settings: Settings, order: ClipOrder, space: str) -> int:
    """Write a stretch of a video as MP4 or GIF, exactly from frame to frame. Give the exit code."""
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(View.of(local_scope(space))), order.video).video
        order = _within(order, video)
        made = await _made(core, video, order)
    path = order.out or Path(cut_name(video.title, order.start_s, order.end_s))
    output.save(path, made.data)
    click.echo(f"{path}: {made.width_px} x {made.height_px} px, {size(len(made.data))}")
    return 0


async def sheet(settings: Settings, name: str, tiles: int, out: Path, space: str) -> int:
    """Write the contact sheet of a whole video. Give the exit code."""
    async with open_core(settings) as core:
        video = pick(await core.kept.library.videos(View.of(local_scope(space))), name).video
        thumbnails = await core.kept.library.thumbnails(video.id)
        if not thumbnails:
            raise VideoGone(video.title)
        jpeg = await core.engines.plotter.sheet(thumbnails, (), tiles)
    output.save(out, jpeg)
    click.echo(str(out))
    return 0


def _within(order: ClipOrder, video: Video) -> ClipOrder:
    """End an order with its video; raises BadParameter where it begins after that."""
    if order.start_s >= video.duration_s:
        raise click.BadParameter(f"{video.title} is {clock(video.duration_s)} long.", param_hint="--from")
    return replace(order, end_s=min(order.end_s, video.duration_s))


async def _made(core: Product, video: Video, order: ClipOrder) -> Clip:
    path = await core.kept.media.path(video.id)
    if path is None:
        raise VideoGone(video.title)
    with called(video.title), output.progress_bar(video.title) as report:
        return await core.engines.clipper.clip(path, _wish(order), lambda share: report(Progress("cutting", share)))


def _wish(order: ClipOrder) -> ClipWish:
    form: Literal["mp4", "gif"] = "gif" if order.out and order.out.suffix.lower() == ".gif" else "mp4"
    max_px, max_fps = (_GIF_PX, _GIF_FPS) if form == "gif" else (_MOST_PX, _MOST_FPS)
    return ClipWish(order.start_s, order.end_s, form, max_px, max_fps, _MOST_BYTES, sound=form == "mp4")
