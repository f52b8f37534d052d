"""How well a picture's verdict tells a film that holds its shot from one that does not; on films of known content.

python -m bench.likening CACHE [--films N] [--write]
CACHE is the folder of the emoji font (`python -m demo.emoji CACHE`).

Each look in turn is the picture: mirrored, or its middle square alone, asked of its own film; as it is, asked of its
own film without that scene, and of another film.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageOps

from bench.figures import put
from bench.known import REPORTING, drawn, seeds
from core.found import Curve
from core.likening import likened
from core.model import Video
from demo.emoji import sprites
from demo.evaluate import random_film
from demo.looking import eye, looks
from demo.things import things

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from core.model import Floats
    from core.verdict import Verdict
    from demo.emoji import Sprite
    from demo.looking import Eye

VERDICTS: tuple[Verdict, ...] = ("strong", "weak", "absent")


@dataclass(frozen=True)
class Film:
    """A film as the model saw it."""

    whole: Floats
    """(N, D) unit rows; the others likewise."""
    mirrored: Floats
    middle: Floats
    scenes: np.ndarray[tuple[int], np.dtype[np.int64]]
    """(N,) number of the scene of each look."""


def film(seeing: Eye, crowd: int, seed: int, cutouts: Mapping[str, Sprite], cache: Path) -> Film:
    """Draw a film and look at it in each way."""
    posed = random_film(seed, crowd)
    data = drawn(cache / "films" / f"{seed}.mp4", posed, cutouts).read_bytes()
    pictures = [picture for _, picture in looks(BytesIO(data))]
    starts = np.cumsum([0, *(one.length_s for one in posed)])
    scenes = np.searchsorted(starts, np.arange(len(pictures)), side="right")
    squares = [ImageOps.fit(picture, (picture.height, picture.height)) for picture in pictures]
    mirrored = [ImageOps.mirror(picture) for picture in pictures]
    return Film(seeing.images(pictures), seeing.images(mirrored), seeing.images(squares), scenes)


def verdict(picture: Floats, among: Floats) -> Verdict | None:
    """Ask a film (N, D) for a picture's shot."""
    video = Video("v", "", "", float(len(among)), 1, 1)
    return likened(Curve(video, np.arange(len(among), dtype=np.float64), among @ picture, vectors=among)).verdict


def asked(films: Sequence[Film]) -> dict[str, list[Verdict | None]]:
    """Ask for every look in each way."""
    told: dict[str, list[Verdict | None]] = defaultdict(list)
    for one, other in zip(films, [*films[1:], films[0]], strict=True):
        told["mirrored, of its film"] += [verdict(picture, one.whole) for picture in one.mirrored]
        told["middle square, of its film"] += [verdict(picture, one.whole) for picture in one.middle]
        others = [one.whole[one.scenes != scene] for scene in one.scenes]
        told["of its film without that scene"] += [verdict(*pair) for pair in zip(one.whole, others, strict=True)]
        told["of another film"] += [verdict(picture, other.whole) for picture in one.whole]
    return told


def table(told: Mapping[str, Sequence[Verdict | None]]) -> str:
    """Give the shares as Markdown."""
    lines = ["| a picture is asked for | strong | weak | absent |", "|---|---|---|---|"]
    for way, said in told.items():
        shares = " | ".join(f"{said.count(one) / len(said):.1%}" for one in VERDICTS)
        lines.append(f"| {way} ({len(said)}) | {shares} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cache", type=Path)
    parser.add_argument("--films", type=int, default=6, help="of each kind")
    parser.add_argument("--write", action="store_true", help="into demo/README.md")
    wish = parser.parse_args()
    seeing, cutouts = eye(), sprites(wish.cache, [emoji for thing in things() for emoji in thing.emoji])
    films = [film(seeing, crowd, seed, cutouts, wish.cache) for crowd, seed in seeds(REPORTING, wish.films)]
    found = table(asked(films))
    print(found)
    if wish.write:
        put("likening", f"Measured on {wish.films} films of each kind.\n\n{found}")


if __name__ == "__main__":
    main()
