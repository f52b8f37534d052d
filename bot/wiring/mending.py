"""A data folder to oneself: to run on it, and to repair it. Owns the order of a repair; tells nobody about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.requests import Requests
from bot.web.config import DOOR as LOCAL
from bot.web.config import WebConfig
from bot.wiring.kept import media_folder
from bot.wiring.product import open_core
from core.ledger import Errand
from core.model import Scope, View
from core.talk import FilePosted, Turn
from storage.lock import alone
from storage.media import MediaFolder
from storage.repair import repair

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bot.settings import Settings
    from bot.wiring.product import Core
    from storage.repair import Repaired


@dataclass(frozen=True, slots=True)
class Mended:
    """What a repair came to."""

    repaired: Repaired
    deleted: int
    """How many media files no film led to."""
    aside: Path | None
    """Where media files lie that this library knows nothing of."""
    queued: int
    """How many of them the next run looks at anew."""


def run_alone(settings: Settings) -> AbstractContextManager[None]:
    """Be the one bot on the data folder; entering raises DataFolderInUse, StorageUnusable."""
    return alone(settings.data_dir)


async def mend(settings: Settings) -> Mended:
    """Repair the database, then drop media files that no film leads to; where it is another library now, keep them.

    Raises DataFolderInUse where anybody works on the folder, StorageUnusable.
    """
    with alone(settings.data_dir):
        with MediaFolder.alone(media_folder(settings)):
            repaired = await repair(settings.database)
        async with open_core(settings) as core:
            foreman = core.parts.foreman
            may_lack = repaired.is_another or repaired.lost or await core.kept.library.has_loss()
            aside = await foreman.set_aside() if may_lack else None
            # Who may see them is lost too: only where one person alone uses Keaton that is no question.
            queued = await _queue(core, aside) if aside and not settings.has_token else 0
            deleted = await foreman.tidy()
            await core.kept.library.put_losses_away()
            return Mended(repaired, deleted, aside, queued)


async def _queue(core: Core, folder: Path) -> int:
    """Have the films in a folder looked at by the next run, for the local page; count them."""
    page, requests = WebConfig(), Requests(core.parts.foreman, core.kept.ledger)
    scope = Scope(LOCAL.platform, page.space, page.channel)
    turn = Turn(LOCAL, scope, View.of(scope), "you", "you", "")
    films = sorted(await asyncio.to_thread(lambda: list(folder.iterdir())))
    for number, path in enumerate(films, 1):
        event = FilePosted(turn, path, f"Film {number} of {folder.name}{path.suffix}")
        await requests.take(Errand(scope, "", f"{folder.name}:{path.name}"), event)
    return len(films)
