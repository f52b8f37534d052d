"""The local chat: a page on this machine that looks and works like a channel; no account needed."""
