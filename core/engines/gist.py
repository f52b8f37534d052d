"""The gist of a picture: so little of it that two can be compared in microseconds.

Owns what "near-identical" means; must not know films or encoders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from core.model import Pixels

_CELLS = 16
"""Across and down: a face in the distance fills one."""


@dataclass(frozen=True, slots=True, eq=False)
class Gist:
    """Mean colours over a grid."""

    cells: npt.NDArray[np.float32]
    """(16, 16, 3) float32, levels of 0 to 255."""

    @classmethod
    def of(cls, pixels: Pixels) -> Gist:
        """Take the gist of (H, W, 3) uint8 RGB."""
        cells = cv2.resize(pixels.astype(np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        return cls(np.asarray(cells, np.float32))

    def difference(self, other: Gist) -> float:
        """Give by how many levels of 255 the cell differs that differs most."""
        return float(np.abs(self.cells - other.cells).max())
