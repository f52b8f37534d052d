"""Where log lines go and which are worth reading. Message texts and tokens are never logged."""

from __future__ import annotations

import logging

_CHATTY = ("httpx", "httpcore", "urllib3", "matplotlib", "PIL", "asyncio", "aiosqlite", "huggingface_hub", "filelock")


def set_up_logs(level: str) -> None:
    """Send log lines of this level and above to stderr; libraries speak up from warnings on."""
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", datefmt="%H:%M:%S", force=True
    )
    for handler in logging.root.handlers:
        handler.addFilter(_worth_reading)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _worth_reading(record: logging.LogRecord) -> bool:
    """Drop what libraries (open_clip) narrate straight on the root logger."""
    return record.name != "root" or record.levelno >= logging.WARNING
