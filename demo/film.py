"""Makes the demo video from its script, and the list of its scenes.

`python -m demo.film CACHE` writes film.mp4 and film.json; CACHE holds the emoji.
"""

from __future__ import annotations

import argparse
import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av

from demo.camera import seen
from demo.emoji import Sprite, sprites
from demo.paint import Canvas
from demo.reel import Shot, shots
from demo.scenes import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from io import BytesIO

    import numpy as np
    from numpy.typing import NDArray

VIDEO = Path(__file__).with_name("film.mp4")
SCENES = Path(__file__).with_name("film.json")
FPS = 24
SIZE_PX = (640, 360)
"""Width and height of the video."""
_STAGE_PX = (704, 396)
"""What is drawn: a little more than is shown, so that the camera has room to move."""
_OPTIONS = {"crf": "27", "preset": "slow", "tune": "animation", "threads": "2"}


def frames(shot: Shot, cutouts: Mapping[str, Sprite]) -> Iterator[NDArray[np.uint8]]:
    """Every frame of a shot, (360, 640, 3) uint8 RGB."""
    count = round(shot.length_s * FPS)
    for index in range(count):
        yield picture(shot, cutouts, index / FPS)


def picture(shot: Shot, cutouts: Mapping[str, Sprite], t: float) -> NDArray[np.uint8]:
    """Return a shot at `t` seconds after its beginning, (360, 640, 3) uint8 RGB."""
    stage = Canvas(*_STAGE_PX)
    draw(stage, shot.scene, cutouts, t)
    return seen(stage, shot.camera, SIZE_PX, t / shot.length_s)


def encode(
    target: Path | BytesIO, pictures: Iterable[NDArray[np.uint8]], options: Mapping[str, str], fps: int = FPS
) -> None:
    """Write pictures as an H.264 video of `fps` frames a second, with a key frame every 2 s."""
    to_disk = isinstance(target, Path)
    moved = {"movflags": "+faststart"} if to_disk else {}
    with av.open(str(target) if to_disk else target, "w", format="mp4", options=moved) as container:
        stream = container.add_stream("libx264", rate=fps, options=dict(options))
        stream.width, stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        stream.gop_size = 2 * fps
        for index, pixels in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def listed(reel: Sequence[Shot]) -> dict[str, list[dict[str, object]]]:
    """Return what film.json says: each scene's half-open interval [start_s, end_s) and its queries."""
    scenes: list[dict[str, object]] = []
    start_s = 0.0
    for shot in reel:
        end_s = start_s + round(shot.length_s * FPS) / FPS
        scenes.append({"start_s": start_s, "end_s": end_s, "queries": list(shot.queries)})
        start_s = end_s
    return {"scenes": scenes}


def main() -> None:
    """Draw and encode the video, and list its scenes."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("cache", type=Path, help="folder of the emoji font; fetched into it if missing")
    reel = shots()
    cutouts = sprites(parser.parse_args().cache, [actor.emoji for shot in reel for actor in shot.scene.actors])
    encode(VIDEO, (pixels for shot in reel for pixels in frames(shot, cutouts)), _OPTIONS)
    SCENES.write_text(json.dumps(listed(reel), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
