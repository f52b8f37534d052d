"""The model that the settings name. Owns that torch is imported only when it is needed.

Torch takes seconds, and the page should not wait for it.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines import presets

if TYPE_CHECKING:
    from bot.settings import Settings
    from core.engines.clip import Clip

DEMO_FOLDER = Path(str(files("demo")))


def model_choice(settings: Settings) -> presets.ModelChoice:
    """Give the model that the settings name; raises UnknownModel."""
    return presets.choose(settings.model, DEMO_FOLDER / "model")


def load_model(settings: Settings) -> Clip:
    """Load the model on this thread; raises UnknownModel, WeightsUnavailable, EncoderBroken."""
    from core.engines import clip  # noqa: PLC0415 - see above

    whole = settings.look_at == "whole"
    options = clip.ClipOptions(
        model_choice(settings),
        settings.device,
        settings.model_cache,
        whole,
        settings.backend,
        settings.precision,
        compiled=settings.compiled == "on",
        converted_dir=(settings.model_cache or settings.data_dir) / "converted",
    )
    return clip.load(options)
