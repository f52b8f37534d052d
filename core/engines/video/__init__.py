"""Reads, samples, cuts and encodes videos by PyAV, in sandboxed children.

It must not know embeddings or storage. Public: the `Child…` classes of `reader`, which are the ports of
`core.ports.video`; `worker` is the child's program.
"""
