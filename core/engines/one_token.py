"""The image tower without what nobody reads. Owns that one saving; must not know what pictures are for.

A vision transformer's vector comes from its class token alone (Dosovitskiy et al., "An Image is Worth 16x16 Words",
2021). In its last block the other tokens matter only as what that one attends to: their own attention, and all that
follows, is five sixths of the block, and a fifteenth of ViT-B-32.
"""

from __future__ import annotations

from typing import Any

import torch


class OneTokenTower(torch.nn.Module):
    """Gives what open_clip's VisionTransformer gives, but for rounding."""

    def __init__(self, visual: Any) -> None:  # noqa: ANN401 - open_clip is untyped
        super().__init__()
        self.visual = visual

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Give (N, D) features of (N, 3, S, S) pictures."""
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
    """Tell whether a tower is such a transformer as was published; others keep their own way."""
    if type(visual).__name__ != "VisionTransformer" or not hasattr(visual, "_embeds"):
        return False
    kinds = {type(block).__name__ for block in visual.transformer.resblocks}
    plain = kinds == {"ResidualAttentionBlock"} and visual.transformer.batch_first and not visual.output_tokens
    return bool(plain and visual.pool_type == "tok" and visual.attn_pool is None)
