"""CLIP: loading its weights and computing embeddings."""
