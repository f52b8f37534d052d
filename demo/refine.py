"""Refines the text tower of a trained model against many images at once.

The last step of the training. The image tower rests: its vectors are computed once, so a batch can hold many more
scenes than while it learns, and the sentences find the directions that tell a thing from its place and its company.
`python -m demo.refine CACHE WORK` refines WORK's checkpoint and writes the file that ships.
"""

from __future__ import annotations

import argparse
import logging
import math
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import torch

from core.engines.clip.open_clip_models import import_open_clip
from demo.batches import gallery, paint_stock
from demo.captions import random_caption, truth
from demo.emoji import sprites
from demo.engine import MODEL_DIR
from demo.learning import Words, normalized, soft_loss
from demo.things import things
from demo.train import export

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from demo.scenes import Scene

_log = logging.getLogger(__name__)
_SEED = 5_000
"""Beyond the seeds of the training proper, below those of the evaluation."""


def averaged(checkpoints: Sequence[Path]) -> dict[str, Tensor]:
    """Return the mean of the slow averages that some checkpoints hold."""
    held = [torch.load(path, weights_only=True)["average"] for path in checkpoints]
    return {name: (sum(one[name].float() for one in held) / len(held)).to(w.dtype) for name, w in held[0].items()}


def look(model: Any, cache: Path, count: int, stock: int) -> tuple[list[Scene], Tensor]:  # noqa: ANN401 - untyped model
    """Draw scenes and return them with the model's unit vectors of them, (count, D) float32."""
    cutouts = sprites(cache, [emoji for thing in things() for emoji in thing.emoji])
    drawn = gallery(paint_stock(_SEED, stock), cutouts, seed=_SEED + 1, side_px=model.visual.image_size)
    scenes: list[Scene] = []
    vectors: list[Tensor] = []
    with torch.no_grad():
        while len(scenes) < count:
            group = list(islice(drawn, 200))
            scenes += [scene for scene, _ in group]
            vectors.append(model.encode_image(normalized(np.stack([image for _, image in group])), normalize=True))
    return scenes, torch.cat(vectors)


def refine(model: Any, words: Words, scenes: Sequence[Scene], vectors: Tensor, steps: int) -> None:  # noqa: ANN401
    """Fit the text tower of a model, its table shrunk to `words`, to the vectors of scenes."""
    rng = np.random.default_rng(_SEED + 2)
    learning = [weight for name, weight in model.named_parameters() if not name.startswith("visual")]
    optimizer = torch.optim.AdamW(learning, lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-3 * min((step + 1) / 20, 1.0) * (0.5 + 0.5 * math.cos(math.pi * step / steps))
        chosen = rng.integers(0, len(scenes), 384)
        shown = [scenes[index] for index in chosen]
        captions = [random_caption(rng, scene) for scene in shown]
        said = model.encode_text(words.numbered([caption.text for caption in captions]), normalize=True)
        seen = vectors[torch.from_numpy(chosen)]
        loss = soft_loss(model.logit_scale.exp() * said @ seen.T, torch.from_numpy(truth(captions, shown)))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        if (step + 1) % 50 == 0:
            _log.info("step %d loss %.3f", step + 1, float(loss.detach()))


def main() -> None:
    """Refine, then write the file that ships."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cache", type=Path, help="folder of the emoji font; fetched into it if missing")
    parser.add_argument("work", type=Path, help="folder for checkpoints")
    parser.add_argument("--mean-of", type=Path, nargs="+", help="checkpoints to average; WORK's own by default")
    parser.add_argument("--scenes", type=int, default=9_000)
    parser.add_argument("--steps", type=int, default=250)
    parser.add_argument("--stock", type=int, default=40, help="how often each place is painted")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    model = import_open_clip().create_model(f"local-dir:{MODEL_DIR}", load_weights=False).eval()
    model.load_state_dict(averaged(args.mean_of or [args.work / "checkpoint.pt"]))
    scenes, vectors = look(model, args.cache, args.scenes, args.stock)
    words = Words()
    words.shrink(model)
    refine(model, words, scenes, vectors, args.steps)
    refined = args.work / "refined.pt"
    torch.save({"average": words.grown(model.state_dict())}, refined)
    _log.info("wrote %s", export(refined))


if __name__ == "__main__":
    main()
