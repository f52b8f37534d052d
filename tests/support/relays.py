"""What stands between the product and its ports in tests, so that a test can exchange an implementation meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class Relay:
    """Passes all that is asked of a port on to its target, which a test may exchange while the product runs."""

    def __init__(self, target: Any) -> None:
        self.target = target

    def __getattr__(self, name: str) -> Any:
        return getattr(self.target, name)


@dataclass(frozen=True)
class Relays:
    """The ports that tests exchange; each is a Relay, typed as whatever the product takes there."""

    library: Any
    ledger: Any
    media: Any
    checkpoints: Any
    jobs: Any
    fetcher: Any
    reader: Any
    """Samples videos and cuts stills; frames at times, parts of frames, clips and pictures have their own readers."""
    plotter: Any
    watch: Any
