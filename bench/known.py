"""Videos of which everything is known: drawn from seeds that no training used, indexed by the product itself."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from bot.settings import Settings
from bot.wiring.app import open_core
from core.model.query import Query
from core.model.requests import Poster
from core.model.video import Scope, View
from demo.emoji import sprites
from demo.evaluate import filmed, random_video
from demo.things import places, things, things_called, with_article

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.random import Generator

    from bot.wiring.app import Product
    from demo.emoji import Sprite
    from demo.evaluate import Posed

SCOPE = Scope("local", "bench", "main")
CALIBRATING, REPORTING = 910_000, 970_000
"""First seeds. Training has those below 900,000, demo.evaluate those from there on; on what lies between these two the
crops that are compared were chosen."""
NONSENSE = ("asdf qwer zxcv", "xkzzt", "quarterly figures", "a tax return", "blockchain")

Kind: TypeAlias = Literal["thing alone", "thing and place", "both things and place", "nonsense"]
_KINDS: tuple[Kind, ...] = ("thing alone", "thing and place", "both things and place")


@dataclass(frozen=True)
class Question:
    """Something that is asked of a video."""

    text: str
    kind: Kind
    scene: int | None
    """Number of the scene that shows it, or None: it is nowhere in the video."""


@dataclass(frozen=True)
class Known:
    """A video in the library, and what there is to know of it."""

    video_id: str
    crowd: int
    """Things in each scene."""
    starts_s: tuple[float, ...]
    """Of each scene, and the end of the video."""
    questions: tuple[Question, ...]

    def query(self, question: Question) -> Query:
        """Ask this video alone."""
        return Query(question.text, View.of(SCOPE), self.video_id)


@asynccontextmanager
async def videos(home: Path, cache: Path, first: int, count: int) -> AsyncIterator[tuple[Product, list[Known]]]:
    """Give the product with so many videos of each crowd, from these seeds."""
    cutouts = sprites(cache, [emoji for thing in things() for emoji in thing.emoji])
    async with open_core(Settings(model_name="demo", data_dir=home)) as core:
        known = []
        for crowd, seed in seeds(first, count):
            video = random_video(seed, crowd)
            path = drawn(cache / "videos" / f"{seed}.mp4", video, cutouts)
            known.append(await take_in(core, path, crowd, video, seed))
        yield core, known


def drawn(path: Path, video: Sequence[Posed], cutouts: Mapping[str, Sprite]) -> Path:
    """Draw a video, unless that was done before: it takes longer than all that is done with it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(filmed(video, cutouts).getvalue())
        part.replace(path)
    return path


def seeds(first: int, count: int) -> Iterator[tuple[int, int]]:
    """Give crowd and seed of each video."""
    for crowd in (1, 2):
        for number in range(count):
            yield crowd, first + 1000 * crowd + number


async def take_in(core: Product, path: Path, crowd: int, video: Sequence[Posed], seed: int) -> Known:
    """Let the product look at a video."""
    poster = Poster(SCOPE, "bench", "bench", "")
    done = await core.parts.indexer.file(path, path.name, "", poster, lambda _progress: None)
    starts_s = np.cumsum([0.0, *(posed.length_s for posed in video)])
    asked = (*present(video), *absent(video, np.random.default_rng(seed + 5)))
    return Known(done.video.id, crowd, tuple(float(start_s) for start_s in starts_s), asked)


def present(video: Sequence[Posed]) -> Iterator[Question]:
    """Give what is true of one scene each."""
    for number, posed in enumerate(video):
        thing_and_place, thing, *both = posed.queries
        yield Question(thing, "thing alone", number)
        yield Question(thing_and_place, "thing and place", number)
        yield from (Question(text, "both things and place", number) for text in both)


def absent(video: Sequence[Posed], rng: Generator) -> Iterator[Question]:
    """Give as much that is true of no scene: names of nothing in the video, alone and at any place, and nonsense."""
    names = names_of_nothing_in(video)
    where = [str(rng.choice(place.phrases)) for place in places().values()]
    for name in rng.choice(names, len(video), replace=False):
        yield Question(with_article(str(name)), "thing alone", None)
    for name in rng.choice(names, len(video), replace=False):
        yield Question(f"{with_article(str(name))} {rng.choice(where)}", "thing and place", None)
    yield from (Question(text, "nonsense", None) for text in NONSENSE)


def names_of_nothing_in(video: Sequence[Posed]) -> list[str]:
    """Give each thing's own names, unless a thing in the video may be called so too."""
    here = {actor.thing for posed in video for actor in posed.scene.actors}
    own = {name for thing in things() for name in thing.names}
    return [name for name, called in things_called().items() if name in own and not called & here]
