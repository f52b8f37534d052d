"""The two halves of a CLIP model, as they are computed here: shortcuts, places to pause, and OpenVINO.

Image tower: only the class token of the last block is read (Dosovitskiy et al. 2021), which saves a fifteenth of
ViT-B-32. Text tower: attention is causal (Radford et al. 2021), so positions behind the last word are not computed: 46
ms of one core instead of 150 for ViT-B-32. Neither changes the result.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import shutil
import tempfile
import threading
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import torch

from core.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

Backend: TypeAlias = Literal["torch", "openvino"]
Tower: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
"""(N, 3, S, S) to (N, D), neither of unit length."""

_VERSIONS = ("openvino", "torch", "open_clip_torch")
_FORM = "one token"
"""What else a converted tower depends on: how its graph is written here."""


class OneTokenTower(torch.nn.Module):
    """Computes what open_clip's VisionTransformer computes, but for rounding."""

    def __init__(self, visual: Any) -> None:  # noqa: ANN401 - open_clip is untyped
        super().__init__()
        self.visual = visual

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return (N, D) features of (N, 3, S, S) pictures."""
        visual = self.visual
        tokens = visual._embeds(pictures)  # noqa: SLF001 - open_clip has no public name for it
        *blocks, last = visual.transformer.resblocks
        for block in blocks:
            tokens = block(tokens)
        seen = last.ln_1(tokens)
        first = tokens[:, :1] + last.ls_1(last.attn(seen[:, :1], seen, seen, need_weights=False)[0])
        first = first + last.ls_2(last.mlp(last.ln_2(first)))
        pooled: torch.Tensor = visual.ln_post(first[:, 0])
        return pooled if visual.proj is None else pooled @ visual.proj


def reads_one_token(visual: Any) -> bool:  # noqa: ANN401 - open_clip is untyped
    """Tell whether a tower is such a transformer as was published; others are computed as open_clip does."""
    if type(visual).__name__ != "VisionTransformer" or not hasattr(visual, "_embeds"):
        return False
    kinds = {type(block).__name__ for block in visual.transformer.resblocks}
    plain = kinds == {"ResidualAttentionBlock"} and visual.transformer.batch_first and not visual.output_tokens
    return bool(plain and visual.pool_type == "tok" and visual.attn_pool is None)


def text_features(model: Any, tokens: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - open_clip is untyped
    """Return (N, D) features of (N, T) tokens as `model.encode_text` does, but for rounding."""
    if not _is_causal(model):
        features: torch.Tensor = model.encode_text(tokens)
        return features
    ends = tokens.argmax(dim=-1)  # the end of a text has the highest of all numbers
    length = int(ends.max()) + 1
    kind = model.transformer.get_cast_dtype()
    states = model.token_embedding(tokens[:, :length]).to(kind) + model.positional_embedding[:length].to(kind)
    states = model.ln_final(model.transformer(states, attn_mask=model.attn_mask[:length, :length]))
    last = states[torch.arange(len(tokens), device=states.device), ends]
    projected: torch.Tensor = last @ model.text_projection
    return projected


def _is_causal(model: Any) -> bool:  # noqa: ANN401 - open_clip is untyped
    """Tell whether a model is CLIP as it was published; others are computed as open_clip does."""
    return (
        getattr(model, "attn_mask", None) is not None
        and getattr(model, "text_pool_type", "") == "argmax"
        and isinstance(getattr(model, "text_projection", None), torch.Tensor)
        and hasattr(model, "token_embedding")
    )


class PausePoints:
    """The places of one model, before each of its layers, where a thread may be made to wait."""

    def __init__(self) -> None:
        self._of_thread = threading.local()

    def put_into(self, tower: torch.nn.Module) -> None:
        """Pause a tower between its layers."""
        for layer in tower.modules():
            if next(layer.children(), None) is None:
                layer.register_forward_pre_hook(self._stop)

    @contextmanager
    def heeding(self, leave: Callable[[], None]) -> Iterator[None]:
        """Call `leave` at once, and at each place that this thread comes to; other threads do not stop there."""
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


def check(backend: Backend, device: str) -> None:
    """Refuse what cannot be had on this device, or is not installed; raises BadSetting."""
    if backend == "openvino" and importlib.util.find_spec("openvino") is None:
        raise BadSetting("KEATON_BACKEND", 'OpenVINO is not installed: .venv/bin/pip install -e ".[cpu]"')
    if backend == "openvino" and device != "cpu":
        raise BadSetting("KEATON_BACKEND", f"OpenVINO computes on the processor, not on {device!r}")


def openvino_tower(visual: torch.nn.Module, size_px: int, identity: str, cache: Path) -> Tower:
    """Return the tower as OpenVINO computes it in float32; converted once, and kept in the cache folder.

    `identity` names model and weights. Of two processes that convert at once the last one's files stay; they are alike.
    With AVX-512 it takes half of torch's processor time, without it is no faster (`bench.backends`). Int8 by torch took
    0.58 of it and moved vectors, so it was removed.
    """
    import openvino  # noqa: PLC0415 - an extra

    folder = cache / _key(identity)
    if not (folder / "tower.xml").exists():
        _convert(visual, size_px, folder)
    core = openvino.Core()
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(folder / "tower.xml"), "CPU", hints)

    def compute(inputs: torch.Tensor) -> torch.Tensor:
        request = compiled.create_infer_request()  # one for each call: it may come from several threads
        return torch.from_numpy(request.infer({0: inputs.contiguous().numpy()})[0].copy())

    return compute


def _key(identity: str) -> str:
    versions = [importlib.metadata.version(name) for name in _VERSIONS]
    return hashlib.sha256("\n".join([identity, _FORM, *versions]).encode()).hexdigest()[:16]


def _convert(visual: torch.nn.Module, size_px: int, folder: Path) -> None:
    """Write the tower; a half-written one is never seen under its name."""
    import openvino  # noqa: PLC0415 - an extra

    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            _keep_quiet()
            example = torch.zeros(2, 3, size_px, size_px)
            model = openvino.convert_model(visual, example_input=example, input=[-1, 3, size_px, size_px])
        openvino.save_model(model, made / "tower.xml", compress_to_fp16=False)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    log.info("The image tower was converted for OpenVINO.")


def _keep_quiet() -> None:
    """Send nothing anywhere: OpenVINO's converter reports its use to its makers where it can."""
    from openvino.tools.ovc import telemetry_stub, telemetry_utils  # noqa: PLC0415 - an extra

    telemetry_utils.tm = telemetry_stub
