"""Other ways to compute a model's image tower than torch's own: OpenVINO, int8, a compiled graph.

Only the backend that was chosen is imported. A converted tower is cached on the disk.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch

from core.errors import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Backend: TypeAlias = Literal["torch", "openvino"]
Precision: TypeAlias = Literal["exact", "int8"]
Tower: TypeAlias = "Callable[[torch.Tensor], torch.Tensor]"
"""(N, 3, S, S) to (N, D), neither of unit length."""

_VERSIONS = ("openvino", "torch", "open_clip_torch")
_FORM = "one token"
"""What else a converted tower depends on: how its graph is written here."""


def check(backend: Backend, precision: Precision, device: str) -> None:
    """Refuse what cannot be had on this device, or is not installed; raises BadSetting."""
    if backend == "openvino" and importlib.util.find_spec("openvino") is None:
        raise BadSetting("KEATON_BACKEND", 'OpenVINO is not installed: .venv/bin/pip install -e ".[cpu]"')
    if backend == "openvino" and device != "cpu":
        raise BadSetting("KEATON_BACKEND", f"OpenVINO computes on the processor, not on {device!r}")
    if precision == "int8" and (backend != "torch" or device != "cpu"):
        raise BadSetting("KEATON_PRECISION", "int8 is there for torch on a processor")


def openvino_tower(visual: torch.nn.Module, size_px: int, identity: str, cache: Path) -> Tower:
    """Give the tower as OpenVINO computes it in float32; converted once, and kept in the cache folder.

    `identity` names model and weights. Of two processes that convert at once the last one's files stay; they are alike.
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


def int8_tower(visual: torch.nn.Module) -> Tower:
    """Give the tower with the weights of its linear layers in int8, and their inputs as they come.

    Layers whose weights others read for themselves stay as they are: those of attention, and of a ResNet's pooling.
    """
    exact = {id(part) for module in visual.modules() if _reads_weights(module) for part in module.modules()}
    fit = (name for name, part in visual.named_modules() if type(part) is torch.nn.Linear and id(part) not in exact)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch will move this to another package some day, and says so
        quantized: torch.nn.Module = torch.ao.quantization.quantize_dynamic(  # type: ignore[no-untyped-call]
            visual, dict.fromkeys(fit, torch.ao.quantization.default_dynamic_qconfig)
        )
    return quantized


def _reads_weights(module: torch.nn.Module) -> bool:
    return isinstance(module, torch.nn.MultiheadAttention) or type(module).__name__ == "AttentionPool2d"


def compiled_tower(visual: torch.nn.Module) -> Tower:
    """Give the tower as torch.compile makes it for a GPU; it is made at the first batch of each size."""
    compiled: Tower = torch.compile(visual, dynamic=True)
    return compiled


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
    """Have nothing sent anywhere: OpenVINO's converter reports its use to its makers where it can."""
    from openvino.tools.ovc import telemetry_stub, telemetry_utils  # noqa: PLC0415 - an extra

    telemetry_utils.tm = telemetry_stub
