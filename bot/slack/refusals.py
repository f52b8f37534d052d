"""Errors that Slack's method pages document, and what an admin can do about each. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp
from slack_sdk.errors import SlackApiError, SlackRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

FAILURES = (SlackApiError, SlackRequestError, aiohttp.ClientError, TimeoutError)
"""What a request to Slack may raise."""

TOO_SLOW = "timed_out"
UNREACHABLE = "unreachable"

PAYLOAD = frozenset(
    {"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "internal_error", "fatal_error"}
)
"""A message that says the same more simply may be taken instead."""

PERHAPS_DONE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
"""Slack may have carried the request out all the same ("some aspect of the operation succeeded")."""

OUT_OF_REACH = frozenset({TOO_SLOW, UNREACHABLE, "ratelimited"})
"""Slack cannot be asked anything for the moment."""

TRANSIENT = PERHAPS_DONE | OUT_OF_REACH
"""The same may work a moment later."""

UNCHANGEABLE = frozenset(
    {
        "cant_delete_message",
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
    }
)
"""A message can never be changed any more, or is not there."""

LATER: Mapping[str, str] = {
    "is_archived": "its channel is archived; it waits until that is opened again",
    "is_inactive": "its channel is archived; it waits until that is opened again",
    "not_in_channel": "Keaton is not in the channel; it waits until it is invited again",
    "channel_not_found": "Slack does not show Keaton the channel; it waits until it is invited again",
}
"""A message can be changed once that has changed; said to the operator."""

_POSTING: Mapping[str, str] = {
    "restricted_action": "I may not post in this channel: an admin of the workspace has limited who may.",
    "restricted_action_read_only_channel": "This channel is read-only. An admin can let me post in it.",
    "restricted_action_thread_only_channel": "In this channel only replies are allowed, so I cannot post there.",
    "restricted_action_thread_locked": "That thread is locked. An admin can open it.",
    "restricted_action_non_threadable_channel": "This channel has no threads, so I cannot answer in one.",
    "is_archived": "This channel is archived, so nothing can be posted in it. An admin can take it out of the archive.",
    "is_inactive": "This channel is archived, so nothing can be posted in it. An admin can take it out of the archive.",
    "missing_scope": "I lack a permission for that. An admin can install me anew from my manifest.",
    "team_access_not_granted": "The organization does not let me post here. An admin can allow it.",
    "ekm_access_denied": "The organization's key management does not let me post here. An admin can allow it.",
}
_PICTURES: Mapping[str, str] = {
    "file_uploads_disabled": "File uploads are switched off in this workspace; an admin can allow them.",
    "file_uploads_except_images_disabled": "Uploads other than pictures are switched off in this workspace; "
    "an admin can allow them.",
    "storage_limit_reached": "The workspace's file storage is full; an admin can make room.",
    "file_type_not_allowed": "This workspace does not allow such files; an admin can allow them.",
    "blocked_file_type": "This workspace does not allow such files; an admin can allow them.",
    "missing_scope": "I lack the permission files:write; an admin can install me anew from my manifest.",
    "not_visible": "Slack does not let me see the file that I uploaded.",
    "too_large": "The file is too large for Slack.",
    TOO_SLOW: "The upload took too long.",
}


class RefusedError(Exception):
    """Slack takes a message in no way; `reason` is its own word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PicturesRefusedError(RefusedError):
    """Slack does not take a picture, or cannot show it; the words alone may be taken."""


def reason_of(error: BaseException) -> str:
    """Return Slack's own word for what went wrong, or ours where there was no answer."""
    if isinstance(error, SlackApiError):
        return _word(error)
    if isinstance(error, TimeoutError):
        return TOO_SLOW
    if "status: 413" in str(error):
        return "too_large"
    return UNREACHABLE


def _word(error: SlackApiError) -> str:
    """Return the error of an answer; a page in its place means that a server between us and Slack answered."""
    answer = error.response
    data = getattr(answer, "data", answer)
    told = data.get("error") if isinstance(data, dict) else None
    return str(told) if told else "internal_error"


def is_perhaps_done(error: BaseException) -> bool:
    """Tell whether Slack may have carried out what it did not acknowledge."""
    return not isinstance(error, SlackApiError) or reason_of(error) in PERHAPS_DONE


def why_not_posted(reason: str) -> str:
    """Return a sentence that says why nothing was posted, and who can mend it."""
    return _POSTING.get(reason, f"Slack did not let me post here ({reason}).")


def why_no_pictures(reason: str) -> str:
    """Return a sentence that says why pictures are missing, and who can mend it."""
    return _PICTURES.get(reason, f"Slack did not take the files ({reason}).")
