"""Child processes that handle untrusted bytes, and what confines them (Landlock, namespaces, seccomp, limits).

It must not know what a child does. Public: `ChildPool` for the parent; `forkserver` and `limits` for the child's
program.
"""
