"""Places in a model's computing where a thread may stop for a while. Owns where; must not know what for."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import torch


class Pauses:
    """The places of one model, before each of its layers. Each thread stops by its own leave, or never."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def put_into(self, tower: torch.nn.Module) -> None:
        """Have a tower stop between its layers."""
        for layer in tower.modules():
            if next(layer.children(), None) is None:
                layer.register_forward_pre_hook(self._stop)

    @contextmanager
    def heeding(self, leave: Callable[[], None]) -> Iterator[None]:
        """Call `leave` at once, and at each place that this thread comes to."""
        leave()
        self._of_thread.leave = leave
        try:
            yield
        finally:
            del self._of_thread.leave

    def _stop(self, _layer: torch.nn.Module, _given: object) -> None:
        leave = getattr(self._of_thread, "leave", None)
        if leave is not None:
            leave()
