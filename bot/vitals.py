"""What must be so for Keaton to do its work, and its figures of the moment. Must not know how they are served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from bot.health import Check, Health
from core.errors import OperatorError
from core.sentences import DAMAGED, MODEL_AWAY, door_away, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.wiring.product import Core

_NOTE = "health"


class Door(Protocol):
    """What is asked of a door."""

    @property
    def connected(self) -> bool:
        """Tell whether it hears what happens."""
        ...


def health_of(core: Core, doors: Mapping[str, Door]) -> Health:
    """Give the checks of a running product; they raise nothing."""

    async def model() -> str:
        return "" if core.engines.encoder.loaded else MODEL_AWAY

    async def database() -> str:
        try:
            await core.kept.ledger.remember(_NOTE, "can be written")
        except OperatorError as error:
            return sentence(error)
        return "" if core.kept.library.connections.sound and not core.engines.looks.damaged else DAMAGED

    return Health((Check("model", model), Check("database", database), *(_door(name, doors[name]) for name in doors)))


def _door(name: str, door: Door) -> Check:
    async def connected() -> str:
        return "" if door.connected else door_away(name)

    return Check(name, connected)


def add_gauges(core: Core) -> None:
    """Have the figures of the moment read whenever somebody looks."""
    show = core.engines.watch.gauge
    show("films_waiting", "Films whose turn has not come", lambda: core.parts.indexer.waiting)
    show("films_running", "Films that are being taken in", lambda: core.parts.indexer.running)
    show("database_bytes", "Size of the database", lambda: core.kept.library.connections.sizes_bytes()[0])
    show("database_log_bytes", "Size of its write-ahead log", lambda: core.kept.library.connections.sizes_bytes()[1])
    show("inbox_bytes", "Files of requests that are under way", core.kept.media.inbox_bytes)
    show("model_loaded", "1 once the model stands ready", lambda: core.engines.encoder.loaded)
    show("looks_held_bytes", "Memory that looks take", lambda: core.engines.looks.room.used_bytes)
    show(
        "films_damaged",
        "Films left out of searches, for their looks are damaged",
        lambda: len(core.engines.looks.damaged),
    )
