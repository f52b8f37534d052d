"""The demo: a small model, a short film that it understands, and the scripts that made both."""
