"""What `keaton doctor` asks of storage and engines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.wiring.storage import media_folder
from core.engines.diagnostics import Bar, SandboxReport, check_decoder, check_sandbox, describe_machine, describe_torch
from storage import continuity
from storage.data_folder import disk, tighten
from storage.media import Aside
from storage.repair import complaints

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings
    from storage.continuity import Loss

__all__ = [
    "Bar",
    "SandboxReport",
    "check_database",
    "check_decoder",
    "check_losses",
    "check_privacy",
    "check_sandbox",
    "describe_machine",
    "describe_torch",
    "files_aside",
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
