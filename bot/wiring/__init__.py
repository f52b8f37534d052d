"""Chooses what stands behind each port, opens it and closes it: the only place that knows storage and engines."""
