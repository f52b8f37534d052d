"""What each feature costs a plain `/find`: the product as it is beside the product without one feature, in turn.

python -m bench.features [--rounds 30] [--model base|demo]

One process, one library with the demo video, one model (`base` is ViT-B-32 with random weights, which cost what trained
ones do); the core is put together several times over the same engines. Each round asks each of them something new, in
shuffled order; the ratio is the median of the rounds' own ratios. The time of a `/find` is that until still and plot
are there. Further looks are taken after that, so what they cost is told by a `/find` that comes while they are at it,
at any moment of them; they are over before anything else is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from bench.growing import product, take_in, turn
from bench.table import Row, paired_ratio, report
from bot.settings import Settings
from bot.wiring.app import options_of
from bot.wiring.engines import DEMO_FOLDER
from core.app import Clocks, Engines, assemble
from core.model.events import Find
from core.model.results import Curve
from core.ports.video import PlotSpec
from core.search.judge import Judge
from storage.library import SqliteLibrary

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from core.app import Core, Options, Storage
    from core.model.answer import Vote
    from core.model.video import Preprocess, View
    from core.ports.video import ExtraFrameReader, SampledFrame

BAR = 1.10
AS_IT_IS, BARE, BESIDE = "as it is", "the notebook's way", "beside further looks"
_GOING_S = 2.0
"""A question comes so late in further looks at most: they take a second or two with the demo's model, else four."""


class Unjudged(Judge):
    """Gives a curve as it came."""

    async def judged(self, curve: Curve) -> Curve:
        """Put no baseline beside it."""
        return replace(curve, vectors=None)


class Unvoted(SqliteLibrary):
    """A library in which nobody votes."""

    async def votes(self, view: View, terms: Sequence[str]) -> tuple[Vote, ...]:
        """Give none."""
        del view, terms
        return ()


class Noting:
    """Reads extra frames, and says when it begins to."""

    def __init__(self, reader: ExtraFrameReader) -> None:
        self._reader = reader
        self.begun = asyncio.Event()

    async def frames_at(
        self, path: Path, times_s: Sequence[float], preprocess: Preprocess, *, at_once: bool = False
    ) -> tuple[SampledFrame, ...]:
        """Note that it begins, and read them."""
        self.begun.set()
        return await self._reader.frames_at(path, times_s, preprocess, at_once=at_once)


@dataclass(frozen=True)
class Ports:
    """What all of the products stand on."""

    storage: Storage
    engines: Engines
    clocks: Clocks


def without(ports: Ports, options: Options) -> dict[str, Core]:
    """Return the product as it is, and without one feature each."""

    def made(storage: Storage = ports.storage, options: Options = options, judge: type[Judge] = Judge) -> Core:
        return assemble(storage, ports.engines, ports.clocks, options, judge)

    library = ports.storage.library
    unvoted = Unvoted(library.connections) if isinstance(library, SqliteLibrary) else library
    return {
        AS_IT_IS: made(),
        "baseline and verdict": made(judge=Unjudged),
        "more than one moment": made(options=replace(options, browsing=replace(options.browsing, moments=1))),
        "votes": made(replace(ports.storage, library=unvoted)),
    }


async def find(parts: Core, text: str) -> float:
    """Give the seconds until still and plot are there."""
    began_s = time.perf_counter()
    async for reply in parts.conversation.handle(Find(turn(), text)):
        if reply.pictures:
            return time.perf_counter() - began_s
    raise RuntimeError(text)


async def find_beside(ports: Ports, parts: Core, text: str, other: str, chance: random.Random) -> float:
    """Give the seconds of a find that comes while further looks are taken for another."""

    async def whole() -> None:
        async for _ in parts.conversation.handle(Find(turn(), other)):
            pass

    if not isinstance(ports.engines.extra_frames, Noting):
        raise TypeError(ports.engines.extra_frames)
    ports.engines.extra_frames.begun.clear()
    task = asyncio.create_task(whole())
    await ports.engines.extra_frames.begun.wait()
    await asyncio.sleep(chance.uniform(0, _GOING_S))
    went_on = not task.done()
    took_s = await find(parts, text)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await ports.engines.encoder.frames(np.zeros((1, *(await _shape(ports))), np.uint8))  # after what was under way
    return took_s if went_on else await find_beside(ports, parts, text + " again", other + " again", chance)


async def _shape(ports: Ports) -> tuple[int, int, int]:
    size_px = (await ports.engines.encoder.ready()).preprocess.size_px
    return size_px, size_px, 3


async def bare(ports: Ports, parts: Core, text: str) -> float:
    """Do what the notebook does, at the product's speed: embed, cosine, argmax, still, plot; give the seconds."""
    began_s, view = time.perf_counter(), turn().view
    words = await ports.engines.encoder.texts([text])
    peaks = await ports.engines.index.peaks(view, await parts.searcher.recipe(), words)
    (index,) = await ports.engines.index.indexes(peaks.videos)
    path = await ports.storage.media.path(peaks.videos[0].video.id)
    if index is None or path is None:
        raise RuntimeError(text)
    curve = Curve(peaks.videos[0].video, index.times_s, index.vectors @ words[0])
    scale, at_s = (await ports.engines.encoder.ready()).logit_scale, float(index.times_s[int(np.argmax(curve.scores))])
    spec = PlotSpec(curve, text, (), None, "similarity", scale)
    await asyncio.gather(
        ports.engines.reader.still(path, at_s, turn().door.max_picture_px), ports.engines.plotter.plot(spec, "dark")
    )
    return time.perf_counter() - began_s


async def measured(model: str, rounds: int) -> list[Row]:
    """Measure all."""
    async with product(model) as (core, _):
        settings = Settings(model_name=model if model == "demo" else "base", turns_a_minute=0, videos_per_user=0)
        clocks = Clocks(monotonic_s=time.monotonic, unix_s=time.time, now=datetime.now)
        known = {one.name: getattr(core.engines, one.name) for one in fields(Engines)}
        ports = Ports(core.kept, Engines(**known | {"extra_frames": Noting(core.engines.extra_frames)}), clocks)
        made = without(ports, options_of(settings, is_bot=False))
        await take_in(core, DEMO_FOLDER / "film.mp4")
        try:
            return _rows(await _rounds(ports, made, rounds))
        finally:
            for parts in made.values():
                for part in (parts.runner, parts.renewal, parts.refiner):
                    await part.close()


async def _rounds(ports: Ports, made: dict[str, Core], rounds: int) -> dict[str, list[float]]:
    chance, took_s = random.Random(5), defaultdict[str, list[float]](list)
    for number in range(-2, rounds):
        for name in chance.sample([*made, BARE, BESIDE], len(made) + 2):
            text = f"a woman swimming in water, {name} {number}"
            if name == BARE:
                spent_s = await bare(ports, made[AS_IT_IS], text)
            elif name == BESIDE:
                spent_s = await find_beside(ports, made[AS_IT_IS], text, f"a steam train {number}", chance)
            else:
                spent_s = await find(made[name], text)
            took_s[name] += [spent_s] * (number >= 0)
    return took_s


def _rows(took_s: dict[str, list[float]]) -> list[Row]:
    whole = took_s[AS_IT_IS]
    rows = [Row(f"/find {name}", 1000 * statistics.median(took), "ms") for name, took in took_s.items()]
    for name, took in took_s.items():
        if name == BESIDE:
            rows.append(Row(f"ratio: /find {name}", paired_ratio(took, whole), "x", BAR))
        elif name == BARE:
            rows.append(Row(f"ratio: all features together, to {name}", paired_ratio(whole, took), "x"))
        elif name != AS_IT_IS:
            rows.append(Row(f"ratio: with {name} to without", paired_ratio(whole, took), "x", BAR))
    return rows


def main() -> None:
    """Measure, print a table, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--model", choices=["demo", "base"], default="base")
    wish = parser.parse_args()
    os.chdir(tempfile.gettempdir())  # no .env of whoever measures
    report("What features cost a plain /find", "features", asyncio.run(measured(wish.model, wish.rounds)))


if __name__ == "__main__":
    main()
