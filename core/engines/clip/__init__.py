"""CLIP by open_clip and torch: loads a model's weights and computes embeddings of frames and texts.

It must not know videos or storage. Public: `ThreadedEncoder` (the `Encoder` port), `model.load`, `presets.choose`.
"""
