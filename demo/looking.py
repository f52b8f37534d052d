"""Looks at videos with the demo's model, just as open_clip itself would.

From a video and sentences to cosines.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeAlias

import av
import numpy as np
import torch
from PIL import Image

from core.engines.clip.open_clip_models import import_open_clip
from demo.engine import MODEL_DIR

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"
"""(N, D) float32, unit rows."""


@dataclass(frozen=True)
class Eye:
    """The model with its preprocessing and tokenizer."""

    model: Any
    preprocess: Any
    tokenize: Any

    def images(self, pictures: Sequence[Image.Image]) -> Vectors:
        """Return the unit vectors of pictures."""
        with torch.inference_mode():
            batch = torch.stack([self.preprocess(picture) for picture in pictures])
            return np.asarray(self.model.encode_image(batch, normalize=True).numpy(), np.float32)

    def texts(self, sentences: Sequence[str]) -> Vectors:
        """Return the unit vectors of sentences."""
        with torch.inference_mode():
            vectors = self.model.encode_text(self.tokenize(list(sentences)), normalize=True)
            return np.asarray(vectors.numpy(), np.float32)


def eye() -> Eye:
    """Return the shipped model, in float32, ready to look."""
    clip, name = import_open_clip(), f"local-dir:{MODEL_DIR}"
    model, _, preprocess = clip.create_model_and_transforms(name, require_pretrained=True)
    return Eye(model.eval(), preprocess, clip.get_tokenizer(name))


def looks(video: Path | BytesIO, interval_s: float = 1.0) -> Iterator[tuple[float, Image.Image]]:
    """Return a video's first frame at or after every `interval_s`, with its time in seconds."""
    with av.open(video if isinstance(video, BytesIO) else str(video), "r") as container:
        next_s = 0.0
        for frame in container.decode(video=0):
            if frame.time >= next_s - 1e-6:
                yield frame.time, Image.fromarray(frame.to_ndarray(format="rgb24"))
                next_s += interval_s


def best_times(seeing: Eye, times_s: Sequence[float], pictures: Vectors, queries: Sequence[str]) -> list[float]:
    """For each query, the time of the look with the highest cosine, in seconds."""
    cosines = seeing.texts(queries) @ pictures.T
    return [times_s[index] for index in cosines.argmax(axis=1)]
