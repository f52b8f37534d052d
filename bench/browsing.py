"""How long each way of browsing an answer takes, at 360p and at 1080p, for a film whose file is kept.

Measured through the conversation, as a door sees it: from the press to its last reply, plots for both themes and all.
"first" is the time to the first reply, which is the progress where the work takes longer.

python -m bench.browsing [--json FILE] [--repeats N]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from bot.settings import Settings
from bot.web.config import DOOR
from bot.wiring.product import open_core
from core import actions
from core.intake import Poster
from core.model import Scope, View
from core.talk import Action, Find, Turn

if TYPE_CHECKING:
    from core.conversation import Conversation
    from core.shown import Reply

FILM = Path(__file__).parent.parent / "demo" / "film.mp4"
BAR_S = 1.0
SCOPE = Scope(DOOR.platform, "home", "main")
TURN = Turn(DOOR, SCOPE, View.of(SCOPE), "u", "you", "")
GIF_TURN = replace(TURN, door=replace(DOOR, moving="gif"))


@dataclass(frozen=True)
class Figures:
    """Seconds from a press."""

    first_median_s: float
    last_median_s: float
    last_p95_s: float
    size_bytes: int
    """Of the largest picture or film in the last reply."""


def main() -> None:
    """Measure, print, and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeats", type=int, default=10)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        films = {"360p": FILM, "1080p": enlarged(FILM, Path(folder) / "1080p.mp4")}
        found = {
            name: asyncio.run(measured(film, Path(folder) / name, arguments.repeats)) for name, film in films.items()
        }
    told(found)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, default=asdict, indent=1), encoding="utf-8")


def enlarged(film: Path, path: Path) -> Path:
    """Write the first half minute of a film at 1920 x 1080, with keyframes as far apart as encoders put them."""
    with av.open(str(film)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24, options={"preset": "veryfast", "g": "250"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if index >= 30 * 24:
                break
            large = frame.reformat(1920, 1080, "yuv420p")
            large.pts, large.time_base = index, Fraction(1, 24)
            target.mux(stream.encode(large))
        target.mux(stream.encode(None))
    return path


async def measured(film: Path, folder: Path, repeats: int) -> dict[str, Figures]:
    """Take a film in, ask once, and press each button many times."""
    async with open_core(Settings(data_dir=folder, model_name="demo", turns_a_minute=0)) as core:
        await core.warm()
        await core.parts.indexer.file(film, film.name, "", Poster(SCOPE, "u", "you", ""), lambda _: None)
        (card,) = [reply async for reply in core.parts.conversation.handle(Find(TURN, "a dog at night"))][-1:]
        wish = actions.read(card.buttons[0].id)
        if not isinstance(wish, actions.Show):
            raise SystemExit("the first button of a card shows no moment")
        cut = replace(wish, mode="file", in_ms=8_000, out_ms=18_000)
        presses = {
            "next or jump": (TURN, wish),
            "one second on": (TURN, replace(wish, at_ms=13_400)),
            "preview, MP4": (TURN, replace(wish, mode="preview")),
            "preview, GIF": (GIF_TURN, replace(wish, mode="preview")),
            "two ends of a cut": (TURN, replace(wish, mode="cut", in_ms=8_000, out_ms=18_000)),
            "cut of 10 s": (TURN, cut),
            "whole film": (TURN, replace(wish, mode="sheet")),
        }
        return {name: await repeated(core.parts.conversation, *press, repeats) for name, press in presses.items()}


async def repeated(conversation: Conversation, turn: Turn, wish: actions.Show, repeats: int) -> Figures:
    """Press one button again and again."""
    firsts, lasts, last = [], [], None
    for _ in range(repeats):
        started_s = time.perf_counter()
        times_s = []
        async for reply in conversation.handle(Action(turn, wish.id())):
            times_s.append(time.perf_counter() - started_s)
            last = reply
        firsts.append(times_s[0])
        lasts.append(times_s[-1])
    return Figures(statistics.median(firsts), statistics.median(lasts), p95(lasts), largest(last))


def largest(reply: Reply | None) -> int:
    """Give the size of the largest picture; raises SystemExit where there is none: nothing was measured then."""
    if reply is None or reply.tone == "error" or not reply.pictures:
        raise SystemExit(f"not shown: {reply.text if reply else 'nothing'}")
    return max(len(data) for picture in reply.pictures for data in picture.data.values())


def p95(values: list[float]) -> float:
    """Give the value that all but a twentieth stay below."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def told(found: dict[str, dict[str, Figures]]) -> None:
    """Print a table."""
    out = sys.stdout
    for film, rows in found.items():
        out.write(f"{film:20}{'first':>9}{'last':>9}{'p95':>9}{'size':>12}\n")
        for name, one in rows.items():
            late = (
                "" if one.last_p95_s <= BAR_S else "  over a second" + (", told" if one.first_median_s < BAR_S else "")
            )
            times = f"{one.first_median_s:8.2f}s{one.last_median_s:8.2f}s{one.last_p95_s:8.2f}s"
            out.write(f"{name:20}{times}{one.size_bytes:12,}{late}\n")


if __name__ == "__main__":
    main()
