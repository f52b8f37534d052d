"""Log lines: where they go, their format, and what is cut out of them.

Each line bears the id of its turn. Texts of messages are never logged; tokens and secret parts of URLs are cut out of
finished lines, since libraries put URLs into their exceptions.
"""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Literal, TypeAlias

from pythonjsonlogger.json import JsonFormatter

from core.ports.metrics import TURN_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

LogFormat: TypeAlias = Literal["human", "json"]

_CHATTY = ("httpx", "httpcore", "urllib3", "matplotlib", "PIL", "asyncio", "aiosqlite", "huggingface_hub", "filelock")
_OURS = ("bot", "core", "storage", "demo", "bench", "__main__")
_NO_ROOM = "socket.accept() out of system resource"
_MINUTE_S = 60.0
_CUT = "[cut]"
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b(xox[a-z]|xapp)-[\w-]+"), _CUT),
    (re.compile(r"\b[\w-]{20,30}\.[\w-]{6}\.[\w-]{25,}"), _CUT),  # Discord's bot tokens
    (re.compile(r"(?i)\b(bearer|bot) [\w.~+/=-]{16,}"), rf"\1 {_CUT}"),
    (re.compile(r"(?i)(://)[^/\s@]+@"), rf"\1{_CUT}@"),
    (re.compile(r"(?i)(hooks\.slack\.com|/webhooks|/interactions)/[^\s\"'<>)\\]+"), rf"\1/{_CUT}"),
    (re.compile(r"(?i)(\bhttps?://[^\s?\"'<>\\]*)\?[^\s\"'<>)\\]*"), rf"\1?{_CUT}"),
    (re.compile(r"(?i)(\burl='?[^\s?'\"\\]*)\?[^\s\"'<>)\\]*"), rf"\1?{_CUT}"),
)


def set_up_logs(level: str, style: LogFormat = "human", secrets: Iterable[str] = ()) -> None:
    """Send log lines of this level and above to stderr; libraries say no more than "info" lets through.

    At "debug" those of the platforms write down each event and request, with all that people said and with the tokens
    that answer them (discord.gateway, discord.http, slack_sdk); so no level brings that out.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(_Scrubbing(_formatter(style), secrets))
    handler.addFilter(_worth_reading)
    handler.addFilter(_says_no_words)
    handler.addFilter(_OfAMinute(_NO_ROOM))
    handler.addFilter(_name_turn)
    wanted = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(wanted, logging.INFO), handlers=[handler], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(wanted)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(style: LogFormat) -> logging.Formatter:
    if style == "json":
        fields = ("levelname", "name", "turn", "message")
        names = {"levelname": "level", "name": "logger"}
        return JsonFormatter(fields, rename_fields=names, timestamp="time", json_ensure_ascii=False)
    return logging.Formatter("%(asctime)s %(levelname)-7s %(turn)s %(name)s: %(message)s", "%H:%M:%S")


class _Scrubbing(logging.Formatter):
    """Cuts secrets out of what another formatter gives, tracebacks included."""

    def __init__(self, inner: logging.Formatter, secrets: Iterable[str]) -> None:
        super().__init__()
        self._inner = inner
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line without what must not be in it."""
        text = self._inner.format(record)
        for secret in self._secrets:
            text = text.replace(secret, _CUT)
        for pattern, instead in _SECRETS:
            text = pattern.sub(instead, text)
        return text


def _worth_reading(record: logging.LogRecord) -> bool:
    """Drop what libraries (open_clip) narrate straight on the root logger."""
    return record.name != "root" or record.levelno >= logging.WARNING


class _OfAMinute(logging.Filter):
    """Lets a line with such a beginning through once a minute: asyncio says this one thousands of times in a second."""

    def __init__(self, beginning: str) -> None:
        super().__init__()
        self._beginning = beginning
        self._from_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a line is written."""
        if not str(record.msg).startswith(self._beginning):
            return True
        if record.created < self._from_s:
            return False
        self._from_s = record.created + _MINUTE_S
        return True


def _says_no_words(record: logging.LogRecord) -> bool:
    """Drop what libraries tell at "debug", whatever level they set for themselves."""
    return record.levelno >= logging.INFO or record.name.partition(".")[0] in _OURS


def _name_turn(record: logging.LogRecord) -> bool:
    """Add the id of the turn that the line belongs to."""
    record.turn = TURN_ID.get()
    return True
