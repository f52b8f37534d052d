"""Measures the demo's model on videos that it never saw, and writes the figures into README.md.

`python -m demo.evaluate CACHE` prints the table and writes it; CACHE holds the emoji.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from demo.emoji import Sprite, sprites
from demo.film import SCENES, SIZE_PX, VIDEO, encode
from demo.looking import Eye, best_times, eye, looks
from demo.paint import Canvas
from demo.scenes import Scene, draw, random_place, random_scene
from demo.things import places, things, things_called, with_article

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from demo.looking import Vectors

README = Path(__file__).with_name("README.md")
FIRST_SEED = 900_000
"""Training uses seeds below this one."""
SCENES_A_VIDEO = 20
_BEGIN, _END = "<!-- figures: written by demo.evaluate -->", "<!-- end of figures -->"
_KINDS = {1: ("thing and place", "thing alone"), 2: ("thing and place", "thing alone", "both things and place")}
_BARS = {(1, "thing and place"): 97, (1, "thing alone"): 90, (2, "thing and place"): 90, (2, "thing alone"): 80}


@dataclass(frozen=True)
class Posed:
    """A scene of an unseen video, for how long it is shown, and what is asked to find it."""

    scene: Scene
    length_s: int
    queries: tuple[str, ...]
    """One for each of `_KINDS`."""


@dataclass(frozen=True)
class Tally:
    """How many queries of one kind were answered with a frame of the right scene."""

    right: int
    asked: int

    def percent(self) -> float:
        """Return the share of right answers, in percent."""
        return 100 * self.right / self.asked


def random_video(seed: int, crowd: int) -> list[Posed]:
    """Twenty scenes of `crowd` things each; no name that is asked for is true of anything else in the video."""
    rng = np.random.default_rng(seed)
    cast = _cast(rng, SCENES_A_VIDEO * crowd)
    groups = [cast[i : i + crowd] for i in range(0, len(cast), crowd)]
    return [_posed(rng, group) for group in groups]


def _cast(rng: Generator, count: int) -> list[tuple[int, str]]:
    """Things, each with one of its names, such that every name fits its own thing alone."""
    cast: list[tuple[int, str]] = []
    for index in (int(i) for i in rng.permutation(len(things()))):
        name = str(rng.choice(things()[index].names))
        others = {other for other, _ in cast}
        clash = others & things_called()[name] or any(index in things_called()[known] for _, known in cast)
        if not clash and len(cast) < count:
            cast.append((index, name))
    return cast


def _posed(rng: Generator, group: Sequence[tuple[int, str]]) -> Posed:
    place = random_place(rng)
    scene = random_scene(rng, place, [index for index, _ in group])
    where = str(rng.choice(places()[place].phrases))
    names = [with_article(name) for _, name in group]
    asked = names[int(rng.integers(len(names)))]
    queries = (f"{asked} {where}", asked, f"{' and '.join(names)} {where}")
    return Posed(scene, int(rng.integers(3, 5)), queries[: len(_KINDS[len(group)])])


def filmed(video: Sequence[Posed], cutouts: Mapping[str, Sprite]) -> BytesIO:
    """Return the video as H.264, a frame a second: what a look a second would find in it."""
    video_file = BytesIO()
    encode(video_file, _pictures(video, cutouts), {"crf": "27", "preset": "veryfast", "threads": "1"}, fps=1)
    video_file.seek(0)
    return video_file


def _pictures(video: Sequence[Posed], cutouts: Mapping[str, Sprite]) -> Iterator[NDArray[np.uint8]]:
    for posed in video:
        for second in range(posed.length_s):
            canvas = Canvas(*SIZE_PX)
            draw(canvas, posed.scene, cutouts, second + 0.5)
            yield np.clip(canvas.pixels + 0.5, 0, 255).astype(np.uint8)


def answered(seeing: Eye, video: Sequence[Posed], video_file: BytesIO) -> NDArray[np.bool_]:
    """Which queries' best look lies in the right scene: (scenes, kinds) bool."""
    times, pictures = zip(*looks(video_file), strict=True)
    starts = np.cumsum([0, *(posed.length_s for posed in video)])
    queries = [query for posed in video for query in posed.queries]
    best = best_times(seeing, times, seeing.images(pictures), queries)
    found = np.searchsorted(starts, np.array(best) + 1e-6, side="right") - 1
    return np.asarray(found.reshape(len(video), -1) == np.arange(len(video))[:, None])


def tallies(seeing: Eye, cutouts: Mapping[str, Sprite], videos: int) -> dict[tuple[int, str], Tally]:
    """For scenes of one thing and of two, and each kind of query, how many were right."""
    found: dict[tuple[int, str], Tally] = {}
    for crowd, kinds in _KINDS.items():
        reels = [random_video(FIRST_SEED + 1000 * crowd + number, crowd) for number in range(videos)]
        right = np.concatenate([answered(seeing, reel, filmed(reel, cutouts)) for reel in reels])
        for column, kind in enumerate(kinds):
            found[crowd, kind] = Tally(int(right[:, column].sum()), len(right))
    return found


def missed(seeing: Eye, times: Sequence[float], pictures: Vectors) -> tuple[int, list[str]]:
    """How many queries film.json lists, and those whose best look at the video lies outside their scene."""
    scenes = json.loads(SCENES.read_text(encoding="utf-8"))["scenes"]
    asked = [(query, scene) for scene in scenes for query in scene["queries"]]
    best = best_times(seeing, times, pictures, [query for query, _ in asked])
    wrong = [q for (q, scene), t in zip(asked, best, strict=True) if not scene["start_s"] <= t < scene["end_s"]]
    return len(asked), wrong


def table(found: Mapping[tuple[int, str], Tally], videos: int, asked: int, wrong: Sequence[str]) -> str:
    """Return the figures as Markdown."""
    lines = [
        f"Measured on {videos} unseen videos of {SCENES_A_VIDEO} scenes for each number of things.",
        "",
        "| things in a scene | query names | best frame in the right scene | bar |",
        "|---|---|---|---|",
    ]
    for (crowd, kind), tally in found.items():
        bar = f"{_BARS[crowd, kind]} %" if (crowd, kind) in _BARS else "-"
        lines.append(f"| {crowd} | {kind} | {tally.percent():.1f} % ({tally.right} of {tally.asked}) | {bar} |")
    misses = f"; missed: {', '.join(wrong)}" if wrong else ""
    lines += ["", f"`film.mp4`: {asked - len(wrong)} of the {asked} queries in `film.json` find their scene{misses}."]
    return "\n".join(lines)


def write_figures(figures: str) -> None:
    """Put the figures between their markers in README.md."""
    before, rest = README.read_text(encoding="utf-8").split(_BEGIN)
    after = rest.split(_END)[1]
    README.write_text(f"{before}{_BEGIN}\n{figures}\n{_END}{after}", encoding="utf-8")


def main() -> None:
    """Measure, print, and write the figures into README.md."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cache", type=Path, help="folder of the emoji font; fetched into it if missing")
    parser.add_argument("--videos", type=int, default=20)
    parser.add_argument("--dry", action="store_true", help="print only")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    seeing = eye()
    cutouts = sprites(args.cache, [emoji for thing in things() for emoji in thing.emoji])
    times, pictures = zip(*looks(VIDEO), strict=True)
    misses = missed(seeing, times, seeing.images(pictures))
    figures = table(tallies(seeing, cutouts, args.videos), args.videos, *misses)
    print(figures)
    if not args.dry:
        write_figures(figures)


if __name__ == "__main__":
    main()
