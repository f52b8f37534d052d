"""The decoding child without its cage, for `bench.cage` to compare with; nothing else may run it."""

from __future__ import annotations

from core.engines import cage, childhood, decoder


def _keep(bounds: cage.Bounds) -> None:
    """Give nothing up."""
    del bounds


if __name__ == "__main__":
    cage.bound = _keep
    childhood.run(decoder.serve)
