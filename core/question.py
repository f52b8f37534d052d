"""What a question holds beside its words: a picture, and which postings it is about.

Owns these nouns; must not know what they are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from core.model import Floats


@dataclass(frozen=True, slots=True)
class Stretch:
    """The part [start_s, end_s) of a film."""

    video_id: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Example:
    """A picture that is asked about, as all that is kept of it: what the model saw."""

    data: bytes
    """(D,) little-endian float32, of length 1."""
    recipe_key: str
    """It is compared with looks of this recipe alone."""
    source: Stretch | None = None
    """Where it was found, for "more like this": that very place is no answer."""

    @property
    def vector(self) -> Floats:
        """Give the (D,) float32 unit vector."""
        return np.frombuffer(self.data, "<f4").astype(np.float32)

    @classmethod
    def of(cls, vector: Floats, recipe_key: str, source: Stretch | None = None) -> Example:
        """Keep a (D,) unit vector."""
        return cls(vector.astype("<f4").tobytes(), recipe_key, source)


@dataclass(frozen=True, slots=True)
class Posted:
    """Which postings a query is about; nothing set is all of them."""

    by: frozenset[str] = frozenset()
    """User ids, any of which will do; none is anybody."""
    after: datetime | None = None
    """At this moment or later; with time zone."""
    before: datetime | None = None
    """Earlier than this; with time zone."""

    def __bool__(self) -> bool:
        """Tell whether anything is set."""
        return self != Posted()
