"""The published loop, to compare with: OpenCV, each frame, Pillow's preprocessing, one frame a forward pass, float32.

As published it hands over OpenCV's blue-green-red frames as if they were red-green-blue; that can be put right.
OpenCV decodes in this process, outside of the sandbox: only for videos that whoever runs this has chosen.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import av
import cv2
import numpy as np
import torch
from PIL import Image

from core.engines.clip import open_clip_models
from core.engines.clip.open_clip_models import import_open_clip
from core.errors import NotAPicture, NotAVideo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from core.engines.clip.presets import ModelChoice
    from core.model.video import Floats, Pixels, Seconds

WARM_UPS = 3
_HALF_A_MS = 5e-4
_KEPT_PX = 960


@dataclass(frozen=True, eq=False, slots=True)
class LoopRun:
    """What one run of the loop over a video came to."""

    vectors: Floats
    """(N, D) float32 unit rows, one for each encoded frame."""
    times_s: Seconds
    """(N,) when each of these frames is shown, counted from the container's start, as Keaton counts."""
    fps: float
    frames_in_video: int
    read_s: float
    """For one frame, on average."""
    encode_s: float
    """For one frame, on average; the warm-ups apart."""

    @property
    def whole_video_s(self) -> float:
        """Return what reading and encoding every frame takes."""
        return (self.read_s + self.encode_s) * self.frames_in_video


@dataclass(frozen=True, eq=False, slots=True)
class LoopFrame:
    """One frame as the loop sees it."""

    time_s: float
    pixels: Pixels
    """(H, W, 3) RGB, made small enough to keep many."""
    vector: Floats
    """(D,) float32 unit vector."""


class Notebook:
    """A model as the notebook holds it."""

    def __init__(self, choice: ModelChoice, cache_dir: Path | None = None) -> None:
        """Load it on the processor; raises UnknownModel, WeightsUnavailable."""
        open_clip = import_open_clip()
        self._model: Any = open_clip_models.create(choice, cache_dir, "cpu")
        config = open_clip.transform.PreprocessCfg(**self._model.visual.preprocess_cfg)
        self._preprocess: Callable[[Image.Image], torch.Tensor] = open_clip.transform.image_transform_v2(
            config, is_train=False
        )
        self._tokenize = open_clip_models.create_tokenizer(choice)

    def run(
        self,
        video: Path,
        *,
        every: int = 1,
        first: int = 0,
        most: int | None = None,
        colours_right: bool = False,
        told: Callable[[float], None] | None = None,
    ) -> LoopRun:
        """Read a video and encode the frames `first`, `first + every`, ...; with `most`, stop after so many.

        `told` hears the share of the video that is done. Raises NotAVideo.
        """
        vectors: list[torch.Tensor] = []
        times_s: list[float] = []
        count, read_s, encode_s, began_s = 0, 0.0, 0.0, time.perf_counter()
        with _Reading(video) as reading:
            for number, (at_s, frame) in enumerate(reading.frames()):
                count, read_s = number + 1, read_s + time.perf_counter() - began_s
                if number >= first and (number - first) % every == 0:
                    began_s = time.perf_counter()
                    if not vectors:
                        self._warm(frame)
                        began_s = time.perf_counter()
                    vectors.append(self._encode(frame[..., ::-1] if colours_right else frame))
                    times_s.append(at_s)
                    encode_s += time.perf_counter() - began_s
                    if told:
                        told(min(1.0, count / max(1, reading.count)))
                if len(vectors) == most:
                    break
                began_s = time.perf_counter()
            whole, fps = max(reading.count, count), reading.fps
        if not vectors:
            raise NotAVideo(video.name)
        rows: Floats = torch.cat(vectors).numpy()
        return LoopRun(rows, np.array(times_s), fps, whole, read_s / count, encode_s / len(vectors))

    def at(self, video: Path, times_s: Sequence[float]) -> list[LoopFrame]:
        """Return the frames that are shown at these times, colours right; raises NotAVideo."""
        wanted = sorted((time_s, place) for place, time_s in enumerate(times_s))
        found: dict[int, LoopFrame] = {}
        shown: tuple[float, Pixels] | None = None
        with _Reading(video) as reading:
            for at_s, frame in reading.frames():
                while wanted and shown is not None and wanted[0][0] + _HALF_A_MS < at_s:
                    found[wanted.pop(0)[1]] = self._seen(*shown)
                if not wanted:
                    break
                shown = at_s, frame
        if shown is None:
            raise NotAVideo(video.name)
        found |= {place: self._seen(*shown) for _, place in wanted}
        return [found[place] for place in range(len(times_s))]

    def frames_in(self, video: Path) -> int:
        """Return how many frames a video says that it has; raises NotAVideo."""
        with _Reading(video) as reading:
            return reading.count

    def texts(self, texts: Sequence[str]) -> Floats:
        """Return (N, D) float32 unit vectors."""
        with torch.inference_mode():
            features = self._model.encode_text(self._tokenize(list(texts)))
            words: Floats = torch.nn.functional.normalize(features, dim=-1).numpy()
        return words

    def best_s(self, run: LoopRun, texts: Sequence[str]) -> list[float]:
        """Return the time of the best frame for each text: the argmax of the cosine."""
        best: list[int] = np.argmax(self.texts(texts) @ run.vectors.T, axis=1).tolist()
        return [float(run.times_s[place]) for place in best]

    def picture(self, path: Path) -> LoopFrame:
        """Return a picture file as the loop sees it; raises NotAPicture."""
        try:
            with Image.open(path) as image:
                return self._shown(0.0, image.convert("RGB"))
        except OSError as error:
            raise NotAPicture(path.name) from error

    def shares(self, picture: Floats, texts: Sequence[str]) -> list[float]:
        """Return the probability of each text among all of them, as the notebook prints it for a picture."""
        scale = float(self._model.logit_scale.detach().exp())
        logits = torch.from_numpy(scale * (self.texts(texts) @ picture))
        shares: list[float] = torch.softmax(logits, dim=0).tolist()
        return shares

    def _seen(self, at_s: float, frame: Pixels) -> LoopFrame:
        return self._shown(at_s, Image.fromarray(np.ascontiguousarray(frame[..., ::-1])))

    def _shown(self, at_s: float, image: Image.Image) -> LoopFrame:
        vector = self._vector(image)
        image.thumbnail((_KEPT_PX, _KEPT_PX))
        return LoopFrame(at_s, np.asarray(image, np.uint8), vector)

    def _vector(self, image: Image.Image) -> Floats:
        with torch.inference_mode():
            features = self._model.encode_image(self._preprocess(image).unsqueeze(0))
            vector: Floats = torch.nn.functional.normalize(features, dim=-1)[0].numpy()
        return vector

    def _encode(self, frame: Pixels) -> torch.Tensor:
        with torch.inference_mode():
            batch = self._preprocess(Image.fromarray(np.ascontiguousarray(frame))).unsqueeze(0)
            return torch.nn.functional.normalize(self._model.encode_image(batch), dim=-1)

    def _warm(self, frame: Pixels) -> None:
        for _ in range(WARM_UPS):
            self._encode(frame)


class _Reading:
    """A video that OpenCV reads."""

    def __init__(self, video: Path) -> None:
        self._path = video
        self._video = cv2.VideoCapture(str(video))
        if not self._video.isOpened():
            raise NotAVideo(video.name)
        self.fps = self._video.get(cv2.CAP_PROP_FPS) or 1.0
        self.count = max(0, int(self._video.get(cv2.CAP_PROP_FRAME_COUNT)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._video.release()

    def frames(self) -> Iterator[tuple[float, Pixels]]:
        """Yield each frame in OpenCV's BGR with its time; by its number where the stream has no times."""
        offset_s = _offset_s(self._path)
        number, before_s = 0, -1.0
        while True:
            there, frame = self._video.read()
            if not there:
                return
            at_s = self._video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if at_s <= before_s:
                at_s = number / self.fps
            before_s, number = at_s, number + 1
            yield at_s + offset_s, np.asarray(frame, np.uint8)


def _offset_s(video: Path) -> float:
    """Return how much later than its container a video's pictures begin; OpenCV counts from the pictures."""
    try:
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            if stream.start_time is None or stream.time_base is None or container.start_time is None:
                return 0.0
            return max(0.0, float(stream.start_time * stream.time_base) - container.start_time / av.time_base)
    except (av.FFmpegError, IndexError):
        return 0.0
