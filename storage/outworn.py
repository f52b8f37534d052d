"""How long it is remembered how requests ended. Owns the SQL that drops what is older; knows no connection."""

from __future__ import annotations

from storage.recall import OPEN

KEPT_S = 30 * 86400.0
"""How long it is remembered how a job ended."""
PRESSES_KEPT_S = 86400.0

# What came after an open request is what that may not undo.
_OLD = f"""
    ended_s < :now_s - CASE kind WHEN 'press' THEN :press_s ELSE :kept_s END
    AND (
        kind NOT IN ('press', 'switch')
        OR id < coalesce((SELECT min(id) FROM jobs WHERE {OPEN}), 9223372036854775807)
    )
"""  # noqa: S608 - our own words

# Nothing that a platform sends a second time comes so late; a message's own errands stay, for it may be read again.
DROP_OLD = (
    f"""
    DELETE FROM errands WHERE message = '' AND (platform, space, channel, item) IN
    (SELECT platform, space, channel, item FROM jobs WHERE about = '' AND {_OLD})
    """,  # noqa: S608
    f"DELETE FROM jobs WHERE {_OLD}",  # noqa: S608
)
