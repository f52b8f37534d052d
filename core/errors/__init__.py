"""What can go wrong, as one tree; the class says who can fix it.

    AppError
     +- UserError       whoever asked can fix it
     +- TryLater        nobody need fix it; it may work again later
     +- OperatorError   whoever runs Keaton can fix it

Below stand the leaves, by what they tell about: films, links, asking, turns, running, disk. Owns data only: the
sentences stand in core.sentences.
"""

from __future__ import annotations


class AppError(Exception):
    """Anything that Keaton expects to go wrong. Never raised itself."""


class UserError(AppError):
    """The asker can fix it."""


class TryLater(AppError):
    """It may work later."""


class OperatorError(AppError):
    """Whoever runs Keaton can fix it."""
