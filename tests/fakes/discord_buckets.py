"""The rate limits of a small Discord: how many posts, edits and reactions a channel takes. Knows no message."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field

from aiohttp import web

_ROUTE = re.compile(r"/channels/(?P<channel>\d+)/messages(?:/\d+(?P<reaction>/reactions/.+)?)?$")
_REACTIONS_A_PERIOD = 20
"""One in a quarter of a second, where five seconds are counted for messages."""


@dataclass
class Bucket:
    """So many requests in so many seconds, as Discord counts them: all anew when the time is over."""

    name: str
    most: int
    within_s: float
    left: int = 0
    ends_s: float = 0.0
    taken_s: list[float] = field(default_factory=list)
    """When requests were let through, on the monotonic clock."""
    refused: int = 0

    def refusal(self) -> web.Response | None:
        """Count a request; give the answer where it is one too many."""
        now_s = time.monotonic()
        if now_s >= self.ends_s:
            self.left, self.ends_s = self.most, now_s + self.within_s
        if self.left > 0:
            self.left -= 1
            self.taken_s.append(now_s)
            return None
        self.refused += 1
        wait_s = round(self.ends_s - now_s, 3)
        body = {"message": "You are being rate limited.", "retry_after": wait_s, "global": False}
        headers = {**self.headers(), "Retry-After": str(wait_s), "Content-Type": "application/json", "Via": "1.1 fake"}
        return web.Response(status=429, body=json.dumps(body).encode(), headers=headers)

    def headers(self) -> dict[str, str]:
        after_s = max(0.0, self.ends_s - time.monotonic())
        told = {"Limit": self.most, "Remaining": self.left, "Reset-After": f"{after_s:.3f}", "Bucket": self.name}
        return {f"X-RateLimit-{key}": str(value) for key, value in told.items()}


class Buckets:
    """One for the posts, one for the edits and one for the reactions of each channel."""

    def __init__(self, most: int = 5, within_s: float = 5.0) -> None:
        self._most = most
        self._within_s = within_s
        self.known: dict[tuple[str, str], Bucket] = {}

    def of(self, method: str, path: str) -> Bucket | None:
        route = _ROUTE.search(path)
        if route is None:
            return None
        if route["reaction"]:
            made = Bucket("reaction", 1, self._within_s / _REACTIONS_A_PERIOD)
            return self.known.setdefault(("REACT", route["channel"]), made)
        if method not in {"POST", "PATCH"}:
            return None
        key = method, route["channel"]
        return self.known.setdefault(key, Bucket(f"{method.lower()}-message", self._most, self._within_s))

    @property
    def refused(self) -> int:
        return sum(one.refused for one in self.known.values())
