"""Downloads linked videos, in child processes that may reach public addresses only.

It must not know what happens to the file. Public: `ChildFetcher` (the `Fetcher` port); `worker` is the child's program.
"""
