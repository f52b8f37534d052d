"""The text tower without the positions behind the last word. Owns that one saving; must not know what words are for.

open_clip computes all 77 positions of each text. In CLIP's text tower each position sees only those before it
(Radford et al. 2021, section 2.4: masked self-attention), and the vector is that of the last word: what comes
behind it changes nothing. A question of eight words costs a seventh so.
"""

from __future__ import annotations

from typing import Any

import torch


def text_features(model: Any, tokens: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - open_clip is untyped
    """Give (N, D) features of (N, T) tokens as `model.encode_text` does, but for rounding."""
    if not _sees_only_back(model):
        features: torch.Tensor = model.encode_text(tokens)
        return features
    ends = tokens.argmax(dim=-1)  # the end of a text has the highest of all numbers
    length = int(ends.max()) + 1
    kind = model.transformer.get_cast_dtype()
    states = model.token_embedding(tokens[:, :length]).to(kind) + model.positional_embedding[:length].to(kind)
    states = model.ln_final(model.transformer(states, attn_mask=model.attn_mask[:length, :length]))
    last = states[torch.arange(len(tokens), device=states.device), ends]
    projected: torch.Tensor = last @ model.text_projection
    return projected


def _sees_only_back(model: Any) -> bool:  # noqa: ANN401 - open_clip is untyped
    """Tell whether a model is CLIP as it was published; others keep their own way."""
    return (
        getattr(model, "attn_mask", None) is not None
        and getattr(model, "text_pool_type", "") == "argmax"
        and isinstance(getattr(model, "text_projection", None), torch.Tensor)
        and hasattr(model, "token_embedding")
    )
