"""The demo: a small model, a short video that it understands, and the scripts that made both."""
