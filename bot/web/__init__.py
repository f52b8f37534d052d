"""The local chat: a page on this machine that works like a channel and needs no account.

It must not know how a video is indexed or searched, nor SQL. Public: `LocalChat` and `WebConfig`.
"""
