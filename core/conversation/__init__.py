"""From an event of any door to the replies that answer it.

It must not know a platform, SQL or an engine. Public: `Conversation`, and the command syntax in `commands` that all
doors share.
"""
