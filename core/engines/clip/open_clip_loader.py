"""Imports open_clip beside a CPU build of torch, without torch's compiler and without timm.

open_clip needs torchvision for transforms only, and torchvision's wheel fails to import where CUDA's libraries are
missing, because it registers shapes for operators that were never defined. torchvision and timm import torch's compiler
only to say what it is not for: 800 modules, 65 MB and a third of the loading time.
"""

from __future__ import annotations

import importlib
import sys
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

import torch
import torch.compiler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_COMPILER = "torch._dynamo"
_TIMM = "timm"


def import_open_clip() -> Any:  # noqa: ANN401 - open_clip is untyped
    """Give the module `open_clip`; the first time takes seconds."""
    if "open_clip" in sys.modules:
        return sys.modules["open_clip"]
    kept = _declared_operators()
    with _without_compiler(), _without_timm():
        module = importlib.import_module("open_clip")
    del kept
    return module


def bring_timm() -> None:
    """Let open_clip make models of timm, also if it was imported without."""
    import_open_clip()
    adapter: Any = importlib.import_module("open_clip.timm_model")
    if adapter.timm is None:
        with _without_compiler():
            importlib.reload(adapter)  # its classes look names up in the module, so those that are known work then too


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


@contextmanager
def _without_timm() -> Iterator[None]:
    """Let the import of timm fail, upon which open_clip does without, unless it is there already."""
    if _TIMM in sys.modules:
        yield
        return
    sys.modules.update({_TIMM: None})  # type: ignore[dict-item] # this is how Python knows that it cannot be had
    try:
        yield
    finally:
        del sys.modules[_TIMM]


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
