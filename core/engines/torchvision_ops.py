"""Lets torchvision be imported beside a CPU-only torch.

Owns that one workaround. open_clip needs torchvision for its image transforms alone; the common wheel of torchvision
links its C++ operators against CUDA, and where those libraries are missing (a CPU build of torch: 200 MB instead of
gigabytes) its import fails, because it registers shapes for operators that were never defined.
"""

from __future__ import annotations

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def make_importable() -> list[torch.library.Library]:
    """Declare the operators that torchvision expects, where it cannot declare them itself.

    The result must be kept alive while torchvision is imported. It is empty where torch has CUDA.
    """
    if torch.version.cuda is not None or hasattr(torch.ops.torchvision, "nms"):
        return []
    library = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for name in ("nms", "qnms"):
        library.define(name + _BOXES)  # type: ignore[no-untyped-call]
    return [library]
