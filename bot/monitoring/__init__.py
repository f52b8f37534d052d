"""Logs, metrics and health, for whoever runs Keaton."""
