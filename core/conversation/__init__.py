"""From an event of any door to the replies that answer it.

It must not know a platform, SQL or an engine. Public: `Conversation`, which hands each event on: questions to
`questions`, presses to `presses`, posted videos to `posts`, a channel's settings to `channels`; and the command syntax
in `commands` that all doors share.
"""
