"""Makes the README's pictures of what answers look like, by the product itself on the demo video.

python -m bench.pictures [FOLDER]      writes verdict-light.png and verdict-dark.png, into docs/ unless told otherwise
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from bench.drawing import draw_into_docs, grid
from bench.known import SCOPE
from bot.settings import Settings
from bot.wiring.app import open_core
from core.model.query import Query, Stretch
from core.model.requests import Poster
from core.model.video import View
from core.wording.answers import LEVELS, head

if TYPE_CHECKING:
    from bench.drawing import Panel
    from bot.wiring.app import Product
    from core.model.query import Example
    from core.model.reply import Theme

ROOT = Path(__file__).parent.parent
QUERIES = ("a woman swimming in water", "a hedgehog")
"""The first is in the demo video, the second is not."""
SHOT, BESIDE = "a camel", ("a camel in the desert", "a hedgehog")
"""A frame of the first is the picture; with the first of the others the video shows both, with the second not."""
_THEMES: tuple[Theme, ...] = ("light", "dark")


async def draw(folder: Path) -> None:
    """Ask the demo video by words, and by words beside a picture, and put what comes into a grid."""
    view = View.of(SCOPE)
    with tempfile.TemporaryDirectory(prefix="keaton-pictures-") as home:
        async with open_core(Settings(model_name="demo", data_dir=Path(home))) as core:
            video = ROOT / "demo" / "film.mp4"
            await core.parts.indexer.file(
                video, "demo video.mp4", "", Poster(SCOPE, "u", "you", ""), lambda _progress: None
            )
            picture = await _frame(core, Query(SHOT, view))
            posted = replace(picture, source=None)
            asked = [Query(text, view) for text in QUERIES]
            asked += [Query(text, view, picture=posted) for text in BESIDE]
            asked += [Query("", view, picture=posted), Query("", view, picture=picture)]
            panels = [await _panel(core, query) for query in asked]
    for theme in _THEMES:
        grid(panels, theme).save(folder / f"verdict-{theme}.png", optimize=True)


async def _frame(core: Product, query: Query) -> Example:
    """Give the best frame for a question, as what more is wanted like."""
    best = (await core.parts.searcher.search(query, 1)).best
    source = Stretch(best.video_id, best.start_s, best.end_s)
    return await core.parts.examples.at(query.view, source, best.peak_s)


async def _panel(core: Product, query: Query) -> Panel:
    result = await core.parts.searcher.search(query, 3)
    said = head(query, result.curve)
    print(f"{said}: {result.verdict}")
    shown = await core.parts.answerer.show(query, result.moments, 1, "similarity", _THEMES, 100, result.curve)
    known = LEVELS[result.verdict or ""] if result.verdict != "absent" else said.split(": ", 1)[-1]
    return known, {theme: Image.open(io.BytesIO(png)).convert("RGB") for theme, png in shown.plots.items()}


if __name__ == "__main__":
    draw_into_docs(__doc__, draw)
