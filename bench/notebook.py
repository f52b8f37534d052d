"""The speed of the published loop, to compare with.

python -m bench.notebook VIDEO [--model KEATON_MODEL] [--frames N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from bot.wiring.engines import DEMO_FOLDER
from core.engines.clip.presets import choose
from core.engines.notebook import Notebook


def notebook(model: str) -> Notebook:
    """Return the loop with a model as KEATON_MODEL names it."""
    return Notebook(choose(model, DEMO_FOLDER / "model"))


def main() -> None:
    """Run the loop and print its speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default="demo")
    parser.add_argument("--frames", type=int)
    wish = parser.parse_args()
    seen = notebook(wish.model).run(wish.video, most=wish.frames)
    taken_s = (seen.read_s + seen.encode_s) * len(seen.vectors)
    print(f"{len(seen.vectors) / taken_s:.1f} frames/s; the whole video: {seen.whole_video_s:.1f} s")


if __name__ == "__main__":
    main()
