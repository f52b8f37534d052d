"""The model of `keaton run`: its download on the page and in the log, and the end of a trial with the demo model."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from bot.web.banner import Banner, BannerBoard
from bot.wiring.engines import fetch_weights, weights_here
from bot.wiring.model_watch import ModelStatus, ModelWatch
from core.errors import WeightsUnavailable
from core.wording import model as wording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.settings import Settings

logger = logging.getLogger(__name__)

LOOKED_FOR_EACH_S = 5.0
"""Whether `keaton model fetch` has brought the weights meanwhile."""
_LOGGED_SHARE = 0.1


async def until_real(settings: Settings, watch: ModelWatch, board: BannerBoard) -> bool:
    """Follow the model until it is loaded; in a trial, wait until the real one is on the disk and return True."""
    await _follow(settings, watch.changes(), board)
    if watch.status.stage != "trial":
        return False
    logger.warning("%s", wording.trial_command(watch.status.reason))
    reason = watch.status.reason
    do_not_load = await asyncio.to_thread(weights_here, settings)
    while not await _have_come(settings, board, looked_for=not do_not_load):
        try:
            await _fetch(settings, board)
        except WeightsUnavailable as error:
            reason = error.reason
            logger.warning("%s", wording.trial_command(reason))
            board.show(_trial(reason))
        else:
            break
    logger.info("the weights of the model %s are here; starting anew with them", settings.model)
    return True


async def _follow(settings: Settings, changes: AsyncIterator[ModelStatus], board: BannerBoard) -> None:
    """Show and log each status until the model is loaded."""
    logged = 0.0
    async for status in changes:
        board.show(_banner(settings.model, status))
        share = status.share
        if share is not None and (share >= logged + _LOGGED_SHARE or (share and not logged)):
            logged = share
            logger.info("%s", wording.fetching_line(settings.model, status.done_bytes, status.total_bytes))


def _banner(model: str, status: ModelStatus) -> Banner:
    match status.stage:
        case "fetching":
            return Banner(wording.fetching(model, status.done_bytes, status.total_bytes), status.share)
        case "trial":
            return _trial(status.reason)
        case _:
            return Banner("")


def _trial(reason: str) -> Banner:
    return Banner(wording.trial(reason), button=wording.TRIAL_BUTTON)


async def _have_come(settings: Settings, board: BannerBoard, *, looked_for: bool) -> bool:
    """Wait for the button, and return False, or for weights that came by themselves, and return True."""
    while True:
        try:
            await asyncio.wait_for(board.pressed(), LOOKED_FOR_EACH_S)
        except TimeoutError:
            if looked_for and await asyncio.to_thread(weights_here, settings):
                return True
        else:
            return False


async def _fetch(settings: Settings, board: BannerBoard) -> None:
    """Download the weights, and show how far that is; raises WeightsUnavailable."""
    watch = ModelWatch()
    following = asyncio.create_task(_follow(settings, watch.changes(), board))
    try:
        await asyncio.to_thread(fetch_weights, settings, watch)
    finally:
        following.cancel()
