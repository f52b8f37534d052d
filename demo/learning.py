"""How the demo's model learns: the losses, the schedule, and one step after another."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed
from torch.nn import functional

from core.engines.clip.open_clip_models import import_open_clip
from demo.batches import Lesson
from demo.captions import every_piece
from demo.engine import MODEL_DIR
from demo.things import places, things

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from demo.batches import Batch

_MEAN, _STD = 0.5, 0.25
"""As in `model/open_clip_config.json`."""


@dataclass(frozen=True)
class Plan:
    """How long and how hard to train."""

    cache: Path
    work: Path
    minutes: float
    batch: int
    rate: float
    stock: int
    processes: int
    side_px: int = 64
    resume: Path | None = None
    first_seed: int = 1_000
    """Evaluation uses seeds from 900 000 on; training stays below."""


class Words:
    """The few of the tokenizer's tokens that captions use: only these are worth training.

    While training the model's table of tokens holds them alone, in the tokenizer's order, so that the end of a text
    still is its highest token.
    """

    def __init__(self) -> None:
        tokenizer = import_open_clip().get_tokenizer(f"local-dir:{MODEL_DIR}")
        self.vocabulary: int = tokenizer.vocab_size
        self.tokenize: Callable[[list[str]], Tensor] = tokenizer
        self.known: Tensor = torch.unique(self.tokenize(every_piece()))
        """(known,) int64, rising: the tokens in use."""

    def numbered(self, texts: list[str]) -> Tensor:
        """Return texts as places in `known`, (N, context) int64."""
        tokens = self.tokenize(texts)
        found = torch.searchsorted(self.known, tokens)
        if not torch.equal(self.known[found], tokens):
            raise ValueError(texts)
        return found

    def shrink(self, model: torch.nn.Module) -> None:
        """Leave in a model's table only the tokens in use."""
        table = model.get_parameter("token_embedding.weight").detach()[self.known]
        model.token_embedding = torch.nn.Embedding(table.shape[0], table.shape[1], _weight=table)

    def grown(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return a shrunk model's weights with the whole table: tokens never used get zeros, so they say nothing."""
        small = weights["token_embedding.weight"]
        table = torch.zeros(self.vocabulary, small.shape[1])
        table[self.known] = small
        return {**weights, "token_embedding.weight": table}


def normalized(images: NDArray[np.uint8]) -> Tensor:
    """Return images (N, H, W, 3) uint8 as the model takes them: (N, 3, H, W) float32."""
    scaled = (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - _MEAN) / _STD
    return scaled.contiguous(memory_format=torch.channels_last)


def tensors(batch: Batch, words: Words) -> dict[str, Tensor]:
    """Return a batch as the model takes it: images (N, 3, H, W) float32, tokens (N, context) int64."""
    return {
        "images": normalized(batch.images),
        "tokens": words.numbered([caption.text for caption in batch.captions]),
        "true": torch.from_numpy(batch.true),
        "shown": torch.from_numpy(batch.shown),
        "named": torch.from_numpy(batch.named),
    }


def soft_loss(logits: Tensor, true: Tensor) -> Tensor:
    """Cross entropy both ways; whatever is true of a scene shares its target equally. Both (captions, images)."""
    share = true.float()
    by_caption = functional.cross_entropy(logits, share / share.sum(1, keepdim=True))
    by_image = functional.cross_entropy(logits.T, share.T / share.T.sum(1, keepdim=True))
    return (by_caption + by_image) / 2


def naming_loss(logits: Tensor, target: Tensor) -> Tensor:
    """How badly things and places are named, both (N, things + places); rows that name none count nothing."""
    count = len(things())
    by_thing = functional.cross_entropy(logits[:, :count], target[:, :count])
    return by_thing + functional.cross_entropy(logits[:, count:], target[:, count:])


@dataclass
class Training:
    """A model on its way, and the slow average of its weights that will ship."""

    plan: Plan
    model: torch.nn.Module
    average: torch.nn.Module
    namer: torch.nn.Linear
    """Names the things and the place in a vector, be it of an image or of a caption: a helper, not shipped."""
    optimizer: torch.optim.Optimizer
    words: Words
    done: float = 0.0
    """How much of the time is over, from 0 to 1, as all processes agree."""
    loss: float = 0.0
    """The mean loss of the last step."""
    named: float = 0.0
    """The mean loss of the helper in the last step."""
    steps: int = 0

    def step(self, batch: dict[str, Tensor], done: float) -> None:
        """Learn from one batch, together with the other processes; `done` is the share of time over by this clock."""
        self._schedule()
        seen, said, scale = self.model(batch["images"], batch["tokens"])
        loss = soft_loss(scale * said @ seen.T, batch["true"])
        naming = self._naming(seen, said, batch)
        self.named = float(naming.detach())
        total = loss + (1 - self.done) * naming
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        self.loss, self.done = _shared([*self.model.parameters(), *self.namer.parameters()], float(loss.detach()), done)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self._after()

    def _naming(self, seen: Tensor, said: Tensor, batch: dict[str, Tensor]) -> Tensor:
        stretch = seen.shape[1] ** 0.5
        of_images = naming_loss(self.namer(stretch * seen), batch["shown"])
        return of_images + 0.5 * naming_loss(self.namer(stretch * said), batch["named"])

    def lesson(self) -> Lesson:
        """Say how to show scenes now: close up at first, which is quick to learn from, as videos have them at last."""
        return Lesson(self.plan.side_px, 0.0 if self.plan.resume else max(1 - self.done / 0.4, 0.0))

    def _schedule(self) -> None:
        warm = min((self.steps + 1) / 60, 1.0)
        cosine = 0.5 + 0.5 * math.cos(math.pi * self.done)
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate * warm * max(cosine, 0.01)

    @torch.no_grad()
    def _after(self) -> None:
        self.steps += 1
        self.model.get_parameter("logit_scale").clamp_(max=math.log(100))
        keep = min(0.999, self.steps / (self.steps + 20))
        for weight, now in zip(self.average.parameters(), self.model.parameters(), strict=True):
            weight.lerp_(now, 1 - keep)
        for statistic, latest in zip(self.average.buffers(), self.model.buffers(), strict=True):
            statistic.copy_(latest)


def _shared(parameters: Sequence[torch.nn.Parameter], loss: float, done: float) -> tuple[float, float]:
    """Replace the gradients by their mean over all processes; return the means of the two numbers."""
    grads = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([*(grad.reshape(-1) for grad in grads), torch.tensor([loss, done])])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for grad, mean in zip(grads, torch.split(flat[:-2], [grad.numel() for grad in grads]), strict=True):
        grad.copy_(mean.view_as(grad))
    return float(flat[-2]), float(flat[-1])


def begin(plan: Plan) -> Training:
    """Return a fresh model (or the one in a checkpoint) with its optimizer."""
    torch.manual_seed(1)
    model = import_open_clip().create_model(f"local-dir:{MODEL_DIR}", load_weights=False)
    namer = torch.nn.Linear(model.text_projection.shape[1], len(things()) + len(places()))
    if plan.resume:
        saved = torch.load(plan.resume, weights_only=True)
        model.load_state_dict(saved["model"])
        namer.load_state_dict(saved.get("namer", namer.state_dict()))
    words = Words()
    words.shrink(model)
    model.visual.to(memory_format=torch.channels_last)
    decayed = [p for name, p in model.named_parameters() if p.ndim > 1 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim <= 1 or "embedding" in name]
    others += namer.parameters()
    groups = [{"params": decayed, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=plan.rate, betas=(0.9, 0.98), fused=True)
    return Training(plan, model.train(), copy.deepcopy(model).eval(), namer, optimizer, words)
