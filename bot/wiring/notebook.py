"""The published loop beside the product: which model it holds, for `keaton prove`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.wiring.engines import model_choice
from core.engines.notebook import LoopFrame, LoopRun, Notebook

if TYPE_CHECKING:
    from bot.settings import Settings

__all__ = ["LoopFrame", "LoopRun", "Notebook", "open_notebook"]


def open_notebook(settings: Settings) -> Notebook:
    """Load the settings' model for the loop; blocks. Raises UnknownModel, WeightsUnavailable."""
    return Notebook(model_choice(settings), settings.model_cache)
