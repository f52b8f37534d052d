"""The model that the settings name, and what compares vectors. Owns that torch is imported only when it is needed.

Torch takes seconds, and the page should not wait for it.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from core.engines import presets

if TYPE_CHECKING:
    from bot.settings import Settings
    from core.engines.clip import Clip
    from core.engines.scanning import Scanners
    from core.looks import Halves
    from core.model import Floats

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


class Scan:
    """Compares looks with vectors; the threads for it start with the model, when nothing else uses torch."""

    def __init__(self) -> None:
        self._scanners: Scanners | None = None

    def start(self) -> None:
        """Start the threads, where that was not done before."""
        if self._scanners is None:
            from core.engines.scanning import Scanners  # noqa: PLC0415 - see above

            self._scanners = Scanners(os.cpu_count() or 1)

    def __call__(self, rows: Halves, vectors: Floats) -> Floats:
        """Give the products of (n, D) looks with (Q, D) vectors."""
        self.start()
        assert self._scanners is not None  # noqa: S101 - start() has just seen to it
        return self._scanners(rows, vectors)

    def close(self) -> None:
        """End the threads."""
        if self._scanners is not None:
            self._scanners.close()
