"""Embeddings in memory, and searching them."""
