"""Gateway events that discord.py cannot read are logged by kind and skipped.

The library would end the whole connection for one. Its error message may quote the event, so it is not logged.
"""

from __future__ import annotations

import logging
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

    Parser = Callable[[Any], None]

logger = logging.getLogger(__name__)

_VITAL = {"READY"}
"""Without which a connection is of no use: the door is opened anew."""


def guard(parsers: MutableMapping[str, Parser]) -> None:
    """Let the library leave events that it cannot read."""
    for event, parse in list(parsers.items()):
        if event not in _VITAL:
            parsers[event] = partial(_leave, event, parse)


def _leave(event: str, parse: Parser, data: object) -> None:
    try:
        parse(data)
    except Exception as error:  # noqa: BLE001 - whatever the library stumbles over
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.lineno}"
        logger.error(  # noqa: TRY400 - a traceback ends with what the error says
            "an event %s cannot be read and is left (%s in %s)", event, type(error).__name__, where
        )
