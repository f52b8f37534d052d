"""Protocols of what the core needs from outside, one module a noun."""
