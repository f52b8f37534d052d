"""Trains the demo's model: a small CLIP, contrastively, on scenes drawn while it trains.

`python -m demo.train CACHE WORK` trains for an hour; CACHE holds the emoji, WORK the checkpoints.
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import torch
from safetensors.torch import save_file
from torch import distributed
from torch.multiprocessing.spawn import spawn

from demo.batches import Batch, endless, paint_stock
from demo.emoji import sprites
from demo.engine import MODEL_DIR
from demo.learning import Plan, Training, begin, tensors
from demo.things import things

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

_log = logging.getLogger(__name__)


def save(training: Training, path: Path) -> None:
    """Write a checkpoint beside its final place and move it there, so that readers never see half of one."""
    partial = path.with_suffix(".partial")
    both = {"model": training.model, "average": training.average}
    state = {name: training.words.grown(model.state_dict()) for name, model in both.items()}
    state["namer"] = training.namer.state_dict()
    torch.save(state, partial)
    partial.replace(path)


def export(checkpoint: Path) -> Path:
    """Write the slow average of a checkpoint as the float16 file that ships."""
    saved = torch.load(checkpoint, weights_only=True)
    weights: dict[str, Tensor] = dict(saved["average"])
    halved = {name: w.half().contiguous() if w.is_floating_point() else w for name, w in weights.items()}
    path = MODEL_DIR / "open_clip_model.safetensors"
    save_file(halved, path)
    return path


def train(plan: Plan) -> Path:
    """Train in as many single-threaded processes as planned, until the time is over; return the last checkpoint.

    One process with several threads would wait at a barrier in every layer; on a shared machine that costs most of it.
    """
    plan.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as meeting:
        point = Path(meeting) / "point"
        spawn(_process, (plan, point), nprocs=plan.processes)  # type: ignore[no-untyped-call]
    return plan.work / "checkpoint.pt"


def _process(rank: int, plan: Plan, meeting: Path) -> None:
    logging.basicConfig(level=logging.INFO if rank == 0 else logging.WARNING, format="%(asctime)s %(message)s")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=plan.processes)
    seed = plan.first_seed + rank
    cutouts = sprites(plan.cache, [emoji for thing in things() for emoji in thing.emoji])
    stock = paint_stock(seed, plan.stock)
    distributed.barrier()
    training = begin(plan)
    drawn = endless(stock, cutouts, seed=seed, size=plan.batch, lesson=training.lesson)
    _run(training, drawn, shipped=rank == 0)


def _run(training: Training, drawn: Iterator[Batch], *, shipped: bool) -> None:
    started_s = saved_s = time.monotonic()
    while training.done < 1:
        done = (time.monotonic() - started_s) / (60 * training.plan.minutes)
        training.step(tensors(next(drawn), training.words), done)
        if shipped and training.steps % 25 == 0:
            _report(training, time.monotonic() - started_s)
        if shipped and (time.monotonic() - saved_s > 150 or training.done >= 1):
            save(training, training.plan.work / "checkpoint.pt")
            saved_s = time.monotonic()


def _report(training: Training, elapsed_s: float) -> None:
    speed = training.steps * training.plan.batch * training.plan.processes / elapsed_s
    scale = float(training.model.get_parameter("logit_scale").detach().exp())
    row = (100 * training.done, training.steps, training.loss, training.named, scale, speed)
    _log.info("%3.0f%% step %d loss %.3f naming %.3f scale %.1f %.0f scenes/s", *row)


def main() -> None:
    """Train, then write the file that ships."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cache", type=Path, help="folder of the emoji font; fetched into it if missing")
    parser.add_argument("work", type=Path, help="folder for checkpoints")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--batch", type=int, default=48, help="scenes a step in each process")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--stock", type=int, default=110, help="how often each process paints each place")
    parser.add_argument("--resume", type=Path, help="checkpoint to go on from")
    parser.add_argument("--export-only", action="store_true", help="write the shipping file from WORK's checkpoint")
    args = parser.parse_args()
    checkpoint: Path = args.work / "checkpoint.pt"
    if not args.export_only:
        plan = Plan(
            args.cache, args.work, args.minutes, args.batch, args.rate, args.stock, args.processes, resume=args.resume
        )
        checkpoint = train(plan)
    _log.info("wrote %s", export(checkpoint))


if __name__ == "__main__":
    main()
