"""A CLIP model: loads it by open_clip, tests it, and computes embeddings on the calling thread."""

from __future__ import annotations

import ctypes
import hashlib
import logging
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.engines.clip import open_clip_models, towers
from core.engines.clip.presets import DEMO
from core.engines.clip.towers import OneTokenTower, PausePoints, reads_one_token, text_features
from core.errors import BadSetting, EncoderBroken
from core.model.video import EncoderInfo, Preprocess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from core.engines.clip.hub import Report
    from core.engines.clip.presets import ModelChoice
    from core.model.video import Floats, Pixels

log = logging.getLogger(__name__)

_SAME = 0.9999
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8
_LARGE_BYTES = 4 << 20
_AT_ONCE, _IN_ONE_GO = 16, 4
"""Frames that a processor computes together: 8 take longer each, and more are longer from layer to layer. Fewer where a
tower cannot be paused on its way: those are a third of a second's work for ViT-B-32."""


@dataclass(frozen=True, slots=True)
class ClipOptions:
    """How to load a model."""

    choice: ModelChoice
    device: str
    """"auto", "cpu", "cuda", "cuda:1", "mps"."""
    cache_dir: Path | None
    """Where downloaded weights are kept; None is the hub's own cache folder."""
    whole_frames: bool = False
    """Squash the whole frame to the model's square, also where the model would take the centre alone."""
    backend: towers.Backend = "torch"
    converted_dir: Path | None = None
    """Where towers are kept that were converted for OpenVINO; needed for it."""
    images_later: bool = False
    """Touch the image tower, and test it, only when a picture comes: a search by words needs no image tower."""
    report: Report | None = None
    """Hears how many bytes of the weights have been downloaded, and of how many."""


class ClipModel:
    """A loaded model. Its methods compute on the calling thread, and may be called from several."""

    def __init__(
        self,
        model: Any,  # noqa: ANN401 - open_clip is untyped
        tokenizer: Any,  # noqa: ANN401 - likewise
        info: EncoderInfo,
        tower: towers.Tower | None = None,
    ) -> None:
        self._model = model
        self._tower: towers.Tower = tower or model.encode_image
        self._tokenizer = tokenizer
        self._reads = False
        self._sees = False
        self._pauses = PausePoints()
        layers: object = model.visual if tower is None else tower
        self._stops = False
        if isinstance(layers, torch.nn.Module) and info.device == "cpu":
            self._pauses.put_into(layers)
            self._stops = True
        self.info = info
        self._dtype = torch.float16 if info.precision == "fp16" else torch.float32
        self._mean = _per_channel(info.preprocess.mean, info.device)
        self._std = _per_channel(info.preprocess.std, info.device)

    def images(self, pixels: Pixels) -> Floats:
        """Return (N, D) float32 unit vectors for (N, S, S, 3) uint8 RGB; raises EncoderBroken as `test_images` does."""
        if not self._sees:
            self.test_images()
        return self._see(pixels)

    def _see(self, pixels: Pixels) -> Floats:
        with torch.inference_mode():
            bytes_ = torch.from_numpy(np.require(pixels, requirements="W")).to(self.info.device)
            inputs = bytes_.permute(0, 3, 1, 2).float().div_(255)
            inputs = inputs.sub_(self._mean).div_(self._std).to(self._dtype)
            return _unit(self._tower(inputs))

    def frames(self, pixels: Pixels, leave: Callable[[], None]) -> Floats:
        """Return the same for at least one frame, and call `leave` wherever this thread may wait for a while."""
        at_once = len(pixels) if self.info.device != "cpu" else _AT_ONCE if self._stops else _IN_ONE_GO
        parts = []
        for at in range(0, len(pixels), at_once):
            with self._pauses.heeding(leave):
                parts.append(self.images(pixels[at : at + at_once]))
        return np.concatenate(parts)

    def texts(self, texts: Sequence[str]) -> Floats:
        """Return (N, D) float32 unit vectors; the first time raises EncoderBroken for a text tower that tells nothing.

        The text tower is tested only then, so that indexing alone has a quarter of the weights less in memory.
        """
        if not self._reads:
            self._check(self._read(["a dog", "a steam train in the snow"]))
            self._reads = True
        return self._read(texts)

    def test_images(self) -> None:
        """Check that different pictures give different vectors; raises EncoderBroken."""
        size = self.info.preprocess.size_px
        pictures = np.zeros((2, size, size, 3), np.uint8)
        pictures[1, : size // 2] = (250, 180, 40)
        self._check(self._see(pictures))
        self._sees = True

    def _read(self, texts: Sequence[str]) -> Floats:
        with torch.inference_mode():
            return _unit(text_features(self._model, self._tokenizer(list(texts)).to(self.info.device)))

    def _check(self, vectors: Floats) -> None:
        similarity = float(vectors[0] @ vectors[1])
        if not similarity < _SAME:
            raise EncoderBroken(self.info.model, similarity)


def load(options: ClipOptions) -> ClipModel:
    """Load a model, from the disk where it lies there, else from the hub; test its image tower unless that may wait.

    Raises UnknownModel, WeightsUnavailable, EncoderBroken, BadSetting (the device).
    """
    _return_large_blocks()
    device = pick_device(options.device)
    towers.check(options.backend, device)
    model = open_clip_models.create(options.choice, options.cache_dir, device, options.report)
    tokenizer = open_clip_models.create_tokenizer(options.choice)
    info = _describe(options, model, device)
    clip = ClipModel(model, tokenizer, info, _tower(options, model, info))
    if not options.images_later:
        clip.test_images()
    _trim()
    return clip


def _tower(options: ClipOptions, model: Any, info: EncoderInfo) -> towers.Tower | None:  # noqa: ANN401 - untyped
    """Return the image tower in the way that was chosen; None for the model's own."""
    saves = reads_one_token(model.visual)
    visual = OneTokenTower(model.visual).eval() if saves else model.visual
    if options.backend == "openvino" and options.converted_dir is not None:
        identity = f"{options.choice.name} {info.model} {info.weights}"
        return towers.openvino_tower(visual, info.preprocess.size_px, identity, options.converted_dir)
    return visual if saves else None


def pick_device(wish: str) -> str:
    """Return the device to compute on: the wish, or for "auto" the fastest there is.

    Raises BadSetting for a device that this machine has not.
    """
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if wish == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    kind, _, number = wish.partition(":")
    count = {"cpu": 1, "mps": int(mps), "cuda": torch.cuda.device_count()}.get(kind, 0)
    if not count or (number and not (number.isdecimal() and int(number) < count)):
        there = ", ".join(["cpu", *["mps"] * mps, *(f"cuda:{n}" for n in range(torch.cuda.device_count()))])
        raise BadSetting("KEATON_DEVICE", f"there is no {wish!r} here; there is {there}")
    return wish


def _describe(options: ClipOptions, model: Any, device: str) -> EncoderInfo:  # noqa: ANN401 - untyped
    choice = options.choice
    own = _preprocess(model.visual.preprocess_cfg)
    return EncoderInfo(
        model=choice.name if choice.folder is None else DEMO if choice.preset == DEMO else "local-dir",
        weights=choice.tag or _digest(choice),
        dim=_dim(model, own.size_px, device),
        preprocess=replace(own, resize_mode="squash") if options.whole_frames else own,
        precision="fp32" if device == "cpu" else "fp16",
        logit_scale=float(model.logit_scale.detach().exp()),
        logit_bias=float(bias.detach()) if (bias := getattr(model, "logit_bias", None)) is not None else 0.0,
        device=device,
    )


def _dim(model: Any, size_px: int, device: str) -> int:  # noqa: ANN401 - open_clip is untyped
    known = getattr(model.visual, "output_dim", None)
    if isinstance(known, int):
        return known
    black = torch.zeros(1, 3, size_px, size_px, device=device, dtype=next(model.visual.parameters()).dtype)
    with torch.inference_mode():
        return int(model.encode_image(black).shape[-1])


def _digest(choice: ModelChoice) -> str:
    """Name a local folder by its content, so that other weights in the same place make another recipe."""
    digest = hashlib.sha256()
    for file in sorted(choice.folder.iterdir()) if choice.folder else ():
        if file.suffix in {".safetensors", ".bin", ".pt", ".json"}:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return "sha256:" + digest.hexdigest()[:16]


def _preprocess(config: dict[str, Any]) -> Preprocess:
    size = config["size"]
    return Preprocess(
        size_px=int(size if isinstance(size, int) else size[0]),
        resize_mode=config["resize_mode"],
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        fill=int(config["fill_color"]),
    )


def _return_large_blocks() -> None:
    """Let glibc return large blocks at once, and share two heaps among all threads; elsewhere nothing happens.

    Left alone it keeps what each thread's forward pass once needed: some 300 MB after a long video.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_ARENA_MAX, 2)


def _trim() -> None:
    """Return what was freed by now: 50 MB once a model is loaded."""
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)


def _unit(features: torch.Tensor) -> Floats:
    vectors: Floats = torch.nn.functional.normalize(features.float(), dim=-1).cpu().numpy()
    return vectors


def _per_channel(values: tuple[float, float, float], device: str) -> torch.Tensor:
    return torch.tensor(values, device=device).view(1, 3, 1, 1)
