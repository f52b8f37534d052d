"""Chooses what stands behind each port, opens it and closes it.

The only package that knows both storage and engines. It must not know how the core works, nor a door. Public:
`open_core`, and `run_alone` and `mend` for a data folder.
"""
