"""The Discord door: gateway events in, messages out, permissions and rendering.

It must not know how a video is indexed or searched, nor SQL. Public: `DiscordDoor` and `DiscordConfig`.
"""
