"""open_clip's models with their weights: from the disk, else from the hub; and open_clip itself, imported lightly.

open_clip needs torchvision for transforms only, and torchvision's wheel fails to import where CUDA's libraries are
missing, because it registers shapes for operators that were never defined. torchvision and timm import torch's compiler
only to say what it is not for. That is left out: it takes a second of each start and 70 MB, and the first answer of a
restart came after 8.8 s instead of 5.1 (4.0 s and 2.8 s of processor time; `bench.restart`).

torch fills new layers with random numbers and copies the file's weights into them. Neither is done here, which takes
0.1 s and not 1.4 s of a start for ViT-B-32, and 600 MB less at the peak. To build it on torch's "meta" device would
save as much memory, but its fillers import the compiler too.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
import torch.compiler
from torch.overrides import TorchFunctionMode

from core.engines.clip.hub import HubWeights, reason_of
from core.engines.clip.presets import PRESETS
from core.errors import UnknownModel, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from core.engines.clip.hub import Report
    from core.engines.clip.presets import ModelChoice

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_COMPILER = "torch._dynamo"
_FILLERS = frozenset(
    {
        torch.Tensor.normal_,
        torch.Tensor.uniform_,
        torch.Tensor.erfinv_,
        torch.nn.init.normal_,
        torch.nn.init.uniform_,
        torch.nn.init.trunc_normal_,
        torch.nn.init.kaiming_normal_,
        torch.nn.init.kaiming_uniform_,
        torch.nn.init.xavier_uniform_,
    }
)

log = logging.getLogger(__name__)


def create(choice: ModelChoice, cache_dir: Path | None, device: str, report: Report | None = None) -> Any:  # noqa: ANN401 - open_clip is untyped
    """Return a model with its weights: from the disk where they lie there, else from the hub.

    `report` hears how many bytes of how many have been downloaded. Raises UnknownModel, WeightsUnavailable.
    """
    check_name(choice)
    _check_tokenizer(choice)
    weights = None if choice.folder else hub_weights(choice)
    if weights is None:
        return _attempt(choice, _creator(choice, None, cache_dir, device))
    path = fetch(choice, cache_dir, report or _unheard)
    return _made(choice, _creator(choice, path, cache_dir, device))


def hub_weights(choice: ModelChoice) -> HubWeights | None:
    """Return where the hub has a model's weights; None where open_clip has them from elsewhere."""
    if preset := PRESETS.get(choice.preset):
        return HubWeights.of(preset.hub)
    if choice.tag is None:
        return None
    check_name(choice)
    place = import_open_clip().get_pretrained_cfg(choice.name, choice.tag).get("hf_hub", "")
    return HubWeights.of(place) if place else None


def fetch(choice: ModelChoice, cache_dir: Path | None, report: Report) -> Path:
    """Return a model's weights: from this disk, else from the hub, going on where an earlier download broke off.

    Raises WeightsUnavailable.
    """
    from huggingface_hub import constants  # noqa: PLC0415 - heavy

    weights = hub_weights(choice)
    if weights is None:
        raise WeightsUnavailable(choice.preset, "they are not on the hub")
    if here := weights.here(cache_dir):
        return here
    log.info("The weights of %s are not on this disk; asking %s.", choice.preset, constants.ENDPOINT)
    try:
        return weights.fetch(cache_dir, report)
    except Exception as error:
        reason = f"{constants.ENDPOINT} cannot be used ({reason_of(error)})"
        raise WeightsUnavailable(choice.preset, reason) from error


def _unheard(_done: int, _total: int) -> None:
    """Nobody waits for this download."""


def _creator(choice: ModelChoice, file: Path | None, cache_dir: Path | None, device: str) -> Callable[[], Any]:
    how = {
        "pretrained": str(file) if file else choice.tag,
        "cache_dir": str(cache_dir) if cache_dir else None,
        "force_preprocess_cfg": _preprocessing(choice) if file else None,
    }

    def create() -> Any:  # noqa: ANN401 - open_clip is untyped
        open_clip = import_open_clip()
        if device != "cpu":
            whole = {"require_pretrained": True, "precision": "fp16", "device": device}
            return open_clip.create_model(choice.name, **how, **whole).eval()
        with _Unfilled(), _quiet():
            model = open_clip.create_model(choice.name, **how, load_weights=False, pretrained_text=False)
        open_clip.load_checkpoint(_Assigned(model), str(file or _file_of(choice, cache_dir)))
        return model.float().eval()

    return create


def _file_of(choice: ModelChoice, cache_dir: Path | None) -> str:
    """Return the file that open_clip itself would load, of a local folder or from elsewhere than the hub."""
    open_clip = import_open_clip()
    if choice.folder is None:
        known = open_clip.get_pretrained_cfg(choice.name, choice.tag)
        return str(open_clip.download_pretrained(known, cache_dir=str(cache_dir) if cache_dir else None))
    found = open_clip.factory._find_checkpoint_in_dir(choice.folder)  # noqa: SLF001 - it has no public name
    if found is None:
        raise FileNotFoundError(f"there are no weights in {choice.folder}")
    return str(found)


class _Unfilled(TorchFunctionMode):
    """Leaves out filling tensors with random numbers: for a model whose weights are all loaded afterwards."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - any function's result
        """Run a function of torch unless it is a filler."""
        del types
        if func in _FILLERS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


class _Assigned:
    """A model for `open_clip.load_checkpoint` that takes loaded tensors as they are instead of copying them."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any attribute of a model
        return getattr(self._model, name)

    def load_state_dict(self, state: Mapping[str, torch.Tensor], *, strict: bool = True) -> object:
        """Load all weights."""
        return self._model.load_state_dict(state, strict=strict, assign=True)


def _preprocessing(choice: ModelChoice) -> dict[str, Any]:
    """Return how pictures are prepared for these weights: open_clip knows by the tag, and not by a file."""
    known = import_open_clip().get_pretrained_cfg(choice.name, choice.tag)
    return {name: known[name] for name in ("mean", "std", "interpolation", "resize_mode") if name in known}


def _made(choice: ModelChoice, create: Callable[[], Any]) -> Any:  # noqa: ANN401 - open_clip is untyped
    """Make what needs a library's files beside the weights: from the disk where they are there, else from the hub."""
    try:
        return _offline(create)
    except Exception as error:  # noqa: BLE001 - any failure only means that something is not on this disk
        log.info("%s is not whole on this disk (%s).", choice.preset, type(error).__name__)
    return _attempt(choice, create)


def _offline(create: Callable[[], Any]) -> Any:  # noqa: ANN401 - open_clip is untyped
    from huggingface_hub import constants  # noqa: PLC0415 - heavy

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        with _quiet():
            return create()
    finally:
        constants.HF_HUB_OFFLINE = before


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what open_clip logs, straight on the root logger: an expected miss as an error, weights that come later."""
    logging.root.addFilter(_nothing)
    try:
        yield
    finally:
        logging.root.removeFilter(_nothing)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


def check_name(choice: ModelChoice) -> None:
    """Raise UnknownModel for what open_clip does not know, or would compute in another way than it was trained."""
    if choice.tag is None:
        return
    tags = import_open_clip().list_pretrained_tags_by_model(choice.name)
    if not tags:
        raise UnknownModel(choice.preset, f"open_clip knows no model {choice.name!r} with published weights")
    if choice.tag not in tags:
        raise UnknownModel(choice.preset, f"{choice.name} has the weights {', '.join(tags)}")
    trained = import_open_clip().get_pretrained_cfg(choice.name, choice.tag).get("quick_gelu", False)
    if trained != import_open_clip().get_model_config(choice.name).get("quick_gelu", False):
        raise UnknownModel(choice.preset, "these weights were trained with the other activation: see NAME-quickgelu")


def needs_files(choice: ModelChoice) -> bool:
    """Tell whether a model's words need files of the hub beside its weights, and a library that reads them."""
    if choice.folder is not None:
        return False
    text = (import_open_clip().get_model_config(choice.name) or {}).get("text_cfg", {})
    return "hf_tokenizer_name" in text or "siglip" in choice.name.lower()


def _check_tokenizer(choice: ModelChoice) -> None:
    """Fail before a long download where a library is missing that the model's words need."""
    if needs_files(choice) and importlib.util.find_spec("transformers") is None:
        raise UnknownModel(choice.preset, 'it needs one more library: .venv/bin/pip install -e ".[accurate]"')


def create_tokenizer(choice: ModelChoice) -> Any:  # noqa: ANN401 - open_clip is untyped
    """Return what turns texts into a model's tokens; raises WeightsUnavailable."""
    return _made(choice, lambda: import_open_clip().get_tokenizer(choice.name))


def _attempt(choice: ModelChoice, create: Callable[[], Any]) -> Any:  # noqa: ANN401 - open_clip is untyped
    try:
        return create()
    except Exception as error:
        raise WeightsUnavailable(choice.preset, str(error)) from error


def import_open_clip() -> Any:  # noqa: ANN401 - open_clip is untyped
    """Return the module `open_clip`; the first time takes a second."""
    if "open_clip" in sys.modules:
        return sys.modules["open_clip"]
    kept = _declared_operators()
    with _without_compiler():
        module = importlib.import_module("open_clip")
    del kept
    return module


def _declared_operators() -> list[torch.library.Library]:
    """Declare the operators that torchvision expects, where it cannot declare them itself.

    The result must be kept alive while torchvision is imported. It is empty where torch has CUDA.
    """
    if torch.version.cuda is not None or hasattr(torch.ops.torchvision, "nms"):
        return []
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        library.define(name + _BOXES)  # type: ignore[no-untyped-call]
    return [library]


@contextmanager
def _without_compiler() -> Iterator[None]:
    """Put something in the compiler's place that says no to all questions, unless it is there already."""
    if _COMPILER in sys.modules:
        yield
        return
    absent = _absent_compiler()
    disable = torch.compiler.disable
    sys.modules.update(absent)
    torch.compiler.disable = _left_alone  # type: ignore[assignment]
    try:
        yield
    finally:
        torch.compiler.disable = disable
        for name, module in absent.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _absent_compiler() -> dict[str, ModuleType]:
    package, utils = ModuleType(_COMPILER), ModuleType(f"{_COMPILER}.utils")
    package.__path__ = []
    vars(package)["utils"] = utils
    vars(utils)["is_compile_supported"] = _supports_nothing
    return {_COMPILER: package, utils.__name__: utils}


def _supports_nothing(_device: str) -> bool:
    return False


def _left_alone(function: Any = None, *_args: Any, **_kwargs: Any) -> Any:  # noqa: ANN401 - any function there is
    """Stand in for `torch.compiler.disable`, called or as a decorator with or without arguments."""
    given: Callable[[Any], Any] = _left_alone
    return given if function is None else function
