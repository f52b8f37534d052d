"""Finds a model's weights: on the disk first, else from the Hugging Face hub; and loads them once.

torch fills new layers with random numbers and copies the file's weights into them. Both are avoided while a model is
loaded: for ViT-B-32 that saves 600 MB at the peak.
"""

from __future__ import annotations

import importlib.util
import logging
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partialmethod
from typing import TYPE_CHECKING, Any

import torch

from core.engines.clip.hub import HubWeights, reason_of
from core.engines.clip.open_clip_loader import bring_timm, import_open_clip
from core.engines.clip.presets import PRESETS
from core.errors import UnknownModel, WeightsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.engines.clip.hub import Report
    from core.engines.clip.presets import ModelChoice

_FILLERS = ("normal_", "uniform_", "trunc_normal_", "kaiming_normal_", "kaiming_uniform_", "xavier_uniform_")


@contextmanager
def frugal_loading() -> Iterator[None]:
    """Skip random weights, and take loaded ones as they are.

    Only for a model all of whose weights are then loaded strictly: what is not loaded holds anything.
    """
    with ExitStack() as stack:
        for name in _FILLERS:
            stack.enter_context(_swapped(torch.nn.init, name, _leave))
        load = partialmethod(torch.nn.Module.load_state_dict, assign=True)
        stack.enter_context(_swapped(torch.nn.Module, "load_state_dict", load))
        yield


@contextmanager
def _swapped(owner: object, name: str, value: object) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


def _leave(tensor: torch.Tensor, *_args: Any, **_kwargs: Any) -> torch.Tensor:  # noqa: ANN401 - any filler's arguments
    return tensor


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
    precision = "fp32" if device == "cpu" else "fp16"
    cache = str(cache_dir) if cache_dir else None

    def create() -> Any:  # noqa: ANN401 - open_clip is untyped
        if _is_of_timm(choice):
            bring_timm()
        with frugal_loading() if precision == "fp32" else nullcontext():
            model = import_open_clip().create_model(
                choice.name,
                pretrained=str(file) if file else choice.tag,
                precision=precision,
                device=device,
                cache_dir=cache,
                require_pretrained=True,
                force_preprocess_cfg=_preprocessing(choice) if file else None,
            )
        return (model.float() if precision == "fp32" else model).eval()

    return create


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


def _is_of_timm(choice: ModelChoice) -> bool:
    if choice.folder is None:
        return "timm_model_name" in str(import_open_clip().get_model_config(choice.name))
    config = choice.folder / "open_clip_config.json"
    return config.is_file() and "timm_model_name" in config.read_text(encoding="utf-8")


def _offline(create: Callable[[], Any]) -> Any:  # noqa: ANN401 - open_clip is untyped
    from huggingface_hub import constants  # noqa: PLC0415 - heavy

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    logging.root.addFilter(_nothing)  # open_clip logs the expected miss as an error, straight on the root logger
    try:
        return create()
    finally:
        logging.root.removeFilter(_nothing)
        constants.HF_HUB_OFFLINE = before


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
