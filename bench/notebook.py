"""The published loop, to compare with: OpenCV, each frame, Pillow's preprocessing, one frame a forward pass, float32.

Faults and all: the frames are handed over in BGR as if they were RGB.

python -m bench.notebook VIDEO [--model NAME_OR_local-dir:PATH] [--frames N]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch
from PIL import Image

from core.engines.clip.open_clip_loader import import_open_clip

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from core.model.video import Floats, Pixels

WARM_UPS = 3


@dataclass(frozen=True, eq=False)
class Seen:
    """What the loop made of a video."""

    vectors: Floats
    """(N, D) float32 unit rows, one a frame."""
    fps: float
    frames_in_video: int
    seconds: float
    """For these N frames, the warm-ups apart."""

    @property
    def whole_video_s(self) -> float:
        """Give what all frames take, by their number."""
        return self.seconds / len(self.vectors) * self.frames_in_video


class Notebook:
    """A model as the notebook holds it."""

    def __init__(self, model: str) -> None:
        open_clip = import_open_clip()
        self._model: Any
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(model, require_pretrained=True)
        self._model.eval()
        self._tokenize = open_clip.get_tokenizer(model)

    def look(self, video: Path, most: int | None = None, *, colours_right: bool = False) -> Seen:
        """Run the loop over the first frames; with its colours right only where best frames are compared."""
        capture = cv2.VideoCapture(str(video))
        fps, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        vectors: list[torch.Tensor] = []
        started_s = time.perf_counter()
        for number, frame in enumerate(_frames(capture)):
            if number == WARM_UPS and most is not None:
                vectors.clear()
                started_s = time.perf_counter()
            vectors.append(self._encode(frame[..., ::-1] if colours_right else frame))
            if len(vectors) == most and number >= WARM_UPS:
                break
        taken_s = time.perf_counter() - started_s
        capture.release()
        return Seen(torch.cat(vectors).numpy(), fps, count, taken_s)

    def best_s(self, seen: Seen, texts: Sequence[str]) -> list[float]:
        """Give the time of the best frame for each text: the argmax of the cosine."""
        with torch.inference_mode():
            words = torch.nn.functional.normalize(self._model.encode_text(self._tokenize(list(texts))), dim=-1).numpy()
        best: list[int] = np.argmax(words @ seen.vectors.T, axis=1).tolist()
        return [number / seen.fps for number in best]

    def _encode(self, frame: Pixels) -> torch.Tensor:
        with torch.inference_mode():
            batch = self._preprocess(Image.fromarray(np.ascontiguousarray(frame))).unsqueeze(0)
            return torch.nn.functional.normalize(self._model.encode_image(batch), dim=-1)


def _frames(video: cv2.VideoCapture) -> Iterator[Pixels]:
    while True:
        there, frame = video.read()
        if not there:
            return
        yield np.asarray(frame, np.uint8)


def main() -> None:
    """Run the loop and print its speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default=f"local-dir:{Path(__file__).parent.parent / 'demo' / 'model'}")
    parser.add_argument("--frames", type=int)
    wish = parser.parse_args()
    seen = Notebook(wish.model).look(wish.video, wish.frames)
    print(f"{len(seen.vectors) / seen.seconds:.1f} frames/s; the whole video: {seen.whole_video_s:.1f} s")


if __name__ == "__main__":
    main()
