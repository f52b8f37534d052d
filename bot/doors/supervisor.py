"""Keeps doors open: one that fails is opened again, and takes no other with it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Protocol

from core.errors import OperatorError
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

REOPEN_S = (1.0, 5.0, 30.0, 120.0, 600.0, 1800.0)
"""When a door that died is opened again, each time that it dies soon after."""
SETTLED_S = 120.0
"""A door that stood open for so long had been set up rightly, and its next death counts as a first one."""


class SupervisedDoor(Protocol):
    """A way in for people."""

    async def run(self) -> None:
        """Serve until cancelled. May raise OperatorError where a setting is wrong."""
        ...


async def keep_open(
    name: str,
    door: SupervisedDoor,
    *,
    is_only: bool,
    reopen_s: Sequence[float] = REOPEN_S,
    settled_s: float = SETTLED_S,
) -> None:
    """Serve by a door until cancelled, and open it again whenever it dies.

    Raises OperatorError where it could not be opened at all, or is the only one: then whoever runs Keaton must act. A
    token that is taken back while other doors are open is tried again now and then.
    """
    deaths = 0
    while True:
        opened_s = time.monotonic()
        why = "it ended by itself"
        try:
            await door.run()
        except OperatorError as error:
            if is_only or (deaths == 0 and time.monotonic() - opened_s < settled_s):
                raise
            why = sentence(error)
        except Exception as error:
            logger.exception("the door to %s died", name)
            why = type(error).__name__
        deaths = 1 if time.monotonic() - opened_s >= settled_s else deaths + 1
        wait_s = reopen_s[min(deaths, len(reopen_s)) - 1]
        logger.error("the door to %s is shut (%s); it is opened again in %.0f s", name, why, wait_s)
        await asyncio.sleep(wait_s)
