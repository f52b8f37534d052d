"""The heavy parts behind the ports: CLIP, decoding, downloading, the sandbox, the vector index, plotting.

They may import `core`, never the other way round, and must not know `bot` or `storage`. Only `bot.wiring` uses them.
"""
