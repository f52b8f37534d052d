"""What a damaged header claims is refused like any other video that is too much."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from core.engines.video import worker
from core.engines.video.container import OverLimitError, keep_within
from core.limits import VideoLimits

if TYPE_CHECKING:
    from tests.core.engines.conftest import ReadMessages


@pytest.mark.parametrize("claimed", [101, 1566056200311990144, 1e300])
def test_given_absurdly_many_frames_when_claimed_then_over_the_limit(claimed: float, messages: ReadMessages) -> None:
    out = io.BytesIO()
    with pytest.raises(OverLimitError) as raised:
        keep_within(VideoLimits(frames=100), "frames", claimed)
    worker.tell_over_limit(raised.value, out)
    (message,) = messages(out.getvalue())
    assert (message.kind, message.text("quantity")) == ("error", "frames")
    assert (message.maybe_number("found") or 0) > 100
