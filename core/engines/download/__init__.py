"""Fetching links, in a guarded child."""
