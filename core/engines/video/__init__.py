"""Reading, cutting and encoding videos, in a sandboxed child."""
