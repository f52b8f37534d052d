"""What is said on a terminal where the chats' words do not fit: nobody posts, drops or presses anything there. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core import errors
from core.wording.errors import sentence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import AppError

NO_VIDEO = "There is no video in this library yet. `keaton index FILE_OR_LINK` adds one."
DOUBTFUL = "Whether it is in this video is in doubt: --refine looks closer."
_OWN: Mapping[type[AppError], str] = {
    errors.EmptyQuery: "Nothing to search for. For example: keaton find a woman in water",
    errors.NothingIndexed: "There is nothing to search yet. `keaton index FILE_OR_LINK` indexes a video.",
    errors.NoneFit: "No video fits these filters. Ask with other dates, or another name.",
    errors.NothingToRefine: "There is no earlier question to refine. Ask one with `keaton find` first.",
    errors.AnswerGone: "That answer is gone, or its video is. Ask again.",
}
_COMMAND = re.compile(r"(?<![\w/.])/(find|videos|forget|index)\b")
_POST = (("post it again", "index it again"), ("Post it again", "Index it again"), ("Whoever runs me", "You"))


def told(error: AppError) -> str:
    """Return an error's sentence for a terminal."""
    if own := _OWN.get(type(error)):
        return own
    text = _COMMAND.sub(r"keaton \1", sentence(error))
    for chat, terminal in _POST:
        text = text.replace(chat, terminal)
    return text
