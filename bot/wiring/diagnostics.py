"""What `keaton doctor`, the health checks and the gauges ask of storage and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.monitoring.health import Check, Health
from bot.wiring.storage import media_folder
from core.engines.diagnostics import Bar, SandboxReport, check_decoder, check_sandbox, describe_machine, describe_torch
from core.errors import OperatorError
from core.wording.errors import DAMAGED, MODEL_AWAY, door_away, sentence
from storage import continuity
from storage.data_folder import disk, tighten
from storage.media import Aside
from storage.repair import complaints

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.settings import Settings
    from bot.wiring.app import Product
    from storage.continuity import Loss

_NOTE = "health"

__all__ = [
    "Bar",
    "SandboxReport",
    "add_gauges",
    "check_database",
    "check_decoder",
    "check_losses",
    "check_privacy",
    "check_sandbox",
    "describe_machine",
    "describe_torch",
    "files_aside",
    "health_of",
]


def check_privacy(settings: Settings) -> bool:
    """Tell whether no other user of this machine can read the data folder, once it was tightened; blocks.

    Raises StorageUnusable.
    """
    return tighten(settings.data_dir)


def check_database(settings: Settings) -> tuple[str, ...]:
    """Give what is wrong with the pages and the references of the database, at most twenty things; blocks.

    Raises StorageUnusable.
    """
    with disk(settings.database):
        return complaints(settings.database) if settings.database.exists() else ()


def check_losses(settings: Settings) -> tuple[Loss, ...]:
    """Give what was found missing when the database was opened, in the last time; blocks. Raises StorageUnusable."""
    with disk(settings.database):
        return continuity.losses(settings.database) if settings.database.exists() else ()


def files_aside(settings: Settings) -> tuple[Path, ...]:
    """Give the media files that were set aside, for no video leads to them; blocks. Raises StorageUnusable."""
    with disk(settings.data_dir):
        return Aside.of(media_folder(settings)).files()


class Connectable(Protocol):
    """What is asked of a door."""

    @property
    def connected(self) -> bool:
        """Tell whether it hears what happens."""
        ...


def health_of(core: Product, doors: Mapping[str, Connectable]) -> Health:
    """Return the checks of a running product; they raise nothing."""

    async def model() -> str:
        return "" if core.engines.encoder.loaded else MODEL_AWAY

    async def database() -> str:
        try:
            await core.kept.ledger.remember(_NOTE, "can be written")
        except OperatorError as error:
            return sentence(error)
        return "" if core.kept.library.connections.sound and not core.engines.index.damaged else DAMAGED

    return Health((Check("model", model), Check("database", database), *(_door(name, doors[name]) for name in doors)))


def _door(name: str, door: Connectable) -> Check:
    async def connected() -> str:
        return "" if door.connected else door_away(name)

    return Check(name, connected)


def add_gauges(core: Product) -> None:
    """Have the figures of the moment read whenever a person looks."""
    show = core.engines.watch.gauge
    show("videos_waiting", "Videos whose turn has not come", lambda: core.parts.indexer.waiting)
    show("videos_running", "Videos that are being taken in", lambda: core.parts.indexer.running)
    show("database_bytes", "Size of the database", lambda: core.kept.library.connections.sizes_bytes()[0])
    show("database_log_bytes", "Size of its write-ahead log", lambda: core.kept.library.connections.sizes_bytes()[1])
    show("inbox_bytes", "Files of requests that are under way", core.kept.media.inbox_bytes)
    show("model_loaded", "1 once the model stands ready", lambda: core.engines.encoder.loaded)
    show("looks_held_bytes", "Memory that embeddings take", lambda: core.engines.index.memory.used_bytes)
    show(
        "videos_damaged",
        "Videos left out of searches, for their embeddings are damaged",
        lambda: len(core.engines.index.damaged),
    )
