"""The vector index: all embeddings in memory, searched exactly.

It must not know SQL, queries' syntax or platforms. Public: `VectorIndex`, which implements the `EmbeddingIndex` port.
"""
