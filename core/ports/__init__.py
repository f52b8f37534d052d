"""Protocols of what the core needs from outside, one module a noun; each method says what it raises.

No implementations: those are in `core.engines`, `storage` and `bot.monitoring`. All modules are public.
"""
