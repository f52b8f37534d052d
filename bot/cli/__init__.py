"""The commands of the command line: what each does, and what it prints.

They must not search or decide themselves; they call the core as the doors do. Public: one function a command, which
returns the exit code.
"""
