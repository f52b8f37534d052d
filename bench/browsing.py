"""How long each way of browsing an answer takes, for a video whose file is kept.

At 360p; at 1080p with keyframes at cuts; at 1080p with a keyframe each 250 frames alone. Measured through the
conversation, as a door sees it: from the press of the very button to its last reply, plots for both themes and all.
What takes over a second must say how far it is within one.

python -m bench.browsing [--repeats N]
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from bench.table import Row, report
from bot.settings import Settings
from bot.web.config import DOOR
from bot.wiring.app import open_core
from core.model import actions
from core.model.events import Action, Find, Turn
from core.model.requests import Poster
from core.model.video import Scope, View

if TYPE_CHECKING:
    from core.conversation.conversation import Conversation
    from core.model.reply import Reply

VIDEO = Path(__file__).parent.parent / "demo" / "film.mp4"
PAGE = "https://www.youtube.com/watch?v=aaaaaaaaaaa"
BAR_S = 1.0
AIM_S = 0.7
SCOPE = Scope(DOOR.platform, "home", "main")
TURN = Turn(DOOR, SCOPE, View.of(SCOPE), "u", "you", "")
GIF_TURN = replace(TURN, door=replace(DOOR, moving="gif"))
NOT_CUTS = {"sc_threshold": "0"}


@dataclass(frozen=True)
class Press:
    """A button, and what must be seen once it was pressed."""

    name: str
    button: str
    """What its label begins with."""
    shows: str
    """A kind of picture."""
    turn: Turn = TURN
    under: str = ""
    """The button that brings the card that it stands under, or "" for an answer's first card."""


MINUS = "\u2212"
PRESSES = (
    Press("jump, with a link to that second", "2 ·", "frame"),
    Press("next", "Next", "frame"),
    Press("previous", "Previous", "frame", under="2 ·"),
    Press("one second later", "+1 s", "frame"),
    Press("one second earlier", f"{MINUS}1 s", "frame"),
    Press("preview, MP4", "Preview", "preview"),
    Press("preview, GIF", "Preview", "preview", GIF_TURN),
    Press("whole video", "Whole video", "sheet"),
    Press("two ends of a cut", "Cut", "ends"),
    Press("in point moved", f"In {MINUS}½ s", "ends", under="Cut"),
    Press("out point moved", "Out +½ s", "ends", under="Cut"),
)


@dataclass(frozen=True)
class Times:
    """Seconds from a press."""

    first_s: list[float]
    last_s: list[float]
    size_bytes: int
    """Of the largest picture or video in the last reply."""


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=20)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        videos = {
            "360p": VIDEO,
            "1080p": enlarged(VIDEO, Path(folder) / "1080p.mp4", {}),
            "1080p, a keyframe each 10.4 s": enlarged(VIDEO, Path(folder) / "seldom.mp4", NOT_CUTS),
        }
        found = {name: asyncio.run(measured(video, Path(folder) / name, repeats)) for name, video in videos.items()}
    rows = [
        row for video, presses in found.items() for name, times in presses.items() for row in told(video, name, times)
    ]
    report("Browsing, all from the press of a button; p95", "browsing", rows)


def enlarged(video: Path, path: Path, options: dict[str, str]) -> Path:
    """Write the first half minute of a video at 1920 x 1080, with keyframes as far apart as encoders put them."""
    with av.open(str(video)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"preset": "veryfast", "g": "250", **options})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if index >= 30 * 24:
                break
            large = frame.reformat(1920, 1080, "yuv420p")
            large.pts, large.time_base = index, Fraction(1, 24)
            target.mux(stream.encode(large))
        target.mux(stream.encode(None))
    return path


async def measured(video: Path, folder: Path, repeats: int) -> dict[str, Times]:
    """Take a video in, ask once, and press each button many times."""
    async with open_core(Settings(data_dir=folder, model_name="demo", turns_a_minute=0)) as core:
        await core.warm()
        await core.parts.indexer.file(video, video.name, PAGE, Poster(SCOPE, "u", "you", ""), lambda _: None)
        talk = core.parts.conversation
        (card,) = [reply async for reply in talk.handle(Find(TURN, "a dog at night"))][-1:]
        found = {}
        for one in PRESSES:
            under = await pressed(talk, card, one.under) if one.under else card
            found[one.name] = await timed(talk, one.turn, button(under, one.button), one.shows, repeats)
        return {**found, "cut of 10 s as a file": await the_cut(talk, card, max(3, repeats // 4))}


async def pressed(talk: Conversation, card: Reply, label: str) -> Reply:
    """Give the card that a button brings."""
    (reply,) = [reply async for reply in talk.handle(Action(TURN, button(card, label)))][-1:]
    return reply


def button(card: Reply, label: str) -> str:
    """Give the id of a button; raises SystemExit where it leads nowhere."""
    found = [one.id for one in card.buttons if one.label.startswith(label) and one.enabled]
    if not found:
        raise SystemExit(f"no button {label!r} to press")
    return found[0]


async def the_cut(talk: Conversation, card: Reply, repeats: int) -> Times:
    """Send ten seconds as a file."""
    wish = actions.read(button(await pressed(talk, card, "Cut"), "Send the cut"))
    if not isinstance(wish, actions.Show):
        raise SystemExit("the button of a cut shows nothing")
    return await timed(talk, TURN, replace(wish, in_ms=8_000, out_ms=18_000).id(), "cut", repeats)


async def timed(talk: Conversation, turn: Turn, wish: str, kind: str, repeats: int) -> Times:
    """Wait for what a button brings, again and again; the first time does not count."""
    firsts, lasts, size_bytes = [], [], 0
    for _ in range(repeats + 1):
        started_s, times_s, last = time.perf_counter(), [], None
        async for reply in talk.handle(Action(turn, wish)):
            times_s.append(time.perf_counter() - started_s)
            last = reply
        size_bytes = checked(last, kind)
        firsts.append(times_s[0])
        lasts.append(times_s[-1])
    return Times(firsts[1:], lasts[1:], size_bytes)


def checked(reply: Reply | None, kind: str) -> int:
    """Give the size of the largest picture; raises SystemExit where not that was shown which should be."""
    if reply is None or kind not in {one.kind for one in reply.pictures}:
        raise SystemExit(f"not shown: {reply.text if reply else 'nothing'}")
    if not any("t=" in link.url for link in reply.links):
        raise SystemExit("a card without a link to its second")
    return max(len(data) for picture in reply.pictures for data in picture.data.values())


def p95(values: list[float]) -> float:
    """Give the value that all but a twentieth stay below."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def told(video: str, name: str, times: Times) -> list[Row]:
    """Give the rows of one button: its last reply, or the first where that tells how far a longer work is."""
    note = f"median {statistics.median(times.last_s):.2f} s, {times.size_bytes:,} bytes"
    whole = Row(f"{video}: {name}", p95(times.last_s), "s", BAR_S, AIM_S, note=note)
    if whole.value <= BAR_S:
        return [whole]
    said = Row(f"{video}: {name}, until its progress is told", p95(times.first_s), "s", BAR_S)
    return [replace(whole, bar=None, aim=None), said]


if __name__ == "__main__":
    main()
