"""What `keaton doctor` asks of the engines: torch, the decoder and its sandbox. Returns facts, no advice."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import av
import numpy as np

from core.engines.sandbox import namespaces
from core.engines.sandbox.pool import ChildPool
from core.engines.video.reader import ChildFrameReader
from core.ports.metrics import Unwatched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.model.video import Still

_SIZE_PX = (64, 48)


def describe_torch() -> str:
    """Return torch's version and what it computes on; raises ImportError."""
    import torch  # noqa: PLC0415 - takes a second

    where = f"CUDA {torch.version.cuda}" if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return f"{torch.__version__}, {where}"


def describe_machine() -> dict[str, str]:
    """Return the machine and the versions of what computes on it, by name."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    packages = {"Keaton": "keaton", "torch": "torch", "open_clip": "open_clip_torch", "PyAV": "av"}
    return {
        "Processor": f"{processor()}, {cores} cores",
        "System": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(package) for name, package in packages.items()},
        "OpenCV": version("opencv-python-headless"),
    }


def processor() -> str:
    """Return the processor's name, as far as the system tells it."""
    cpus = Path("/proc/cpuinfo")
    lines = cpus.read_text(encoding="utf-8").splitlines() if cpus.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


Bar: TypeAlias = Literal[
    "network", "processes", "users", "rights", "privileges", "files", "signals", "calls", "threads"
]


@dataclass(frozen=True, slots=True)
class SandboxReport:
    """What confines a decoding child on this system."""

    missing: tuple[Bar, ...]
    memory_bytes: int
    """-1 for any amount."""


async def check_sandbox() -> SandboxReport:
    """Ask a real child what it has given up; raises AppError."""
    children = ChildPool("core.engines.video.worker", forks=sys.platform == "linux")
    try:
        told = await ChildFrameReader(children, watch=Unwatched()).sandbox()
    finally:
        await children.close()
    memory = told.get("memory_bytes")
    return SandboxReport(missing_bars(told, namespaces.ids()), memory if isinstance(memory, int) else -1)


def missing_bars(told: Mapping[str, object], ours: Mapping[str, str]) -> tuple[Bar, ...]:
    """Return what a child that tells this (`core.engines.sandbox.limits.describe`) lacks.

    `ours` are the asker's namespaces.
    """
    spaces = told.get("namespaces")
    theirs = spaces if isinstance(spaces, dict) else {}
    holds: dict[Bar, bool] = {
        "network": theirs.get("net", ours.get("net")) != ours.get("net"),
        "processes": theirs.get("pid", ours.get("pid")) != ours.get("pid"),
        "users": theirs.get("user", ours.get("user")) != ours.get("user"),
        "rights": told.get("capabilities") is False,
        "privileges": told.get("no_new_privileges") is True,
        "files": told.get("files_shut") is True,
        "signals": told.get("signals_shut") is True,
        "calls": told.get("calls_shut") is True,
        "threads": told.get("threads_bounded") is True,
    }
    return tuple(bar for bar, held in holds.items() if not held)


async def check_decoder() -> str:
    """Write a tiny video, read it back through a real child, and say with what; raises AppError."""
    with tempfile.TemporaryDirectory(prefix="keaton-doctor-") as folder:
        path = Path(folder) / "check.mp4"
        _write(path)
        children = ChildPool("core.engines.video.worker", forks=sys.platform == "linux")
        try:
            still: Still = await ChildFrameReader(children, watch=Unwatched()).still(path, 0.0, 64)
        finally:
            await children.close()
    return f"PyAV {av.__version__} decodes in a process of its own ({still.width_px} x {still.height_px} px read back)"


def _write(path: Path) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height = _SIZE_PX
        stream.pix_fmt = "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame.from_ndarray(np.zeros((_SIZE_PX[1], _SIZE_PX[0], 3), np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
