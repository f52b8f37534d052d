"""Drawing curves and contact sheets."""
