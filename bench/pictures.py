"""Makes the README's pictures of what answers look like, by the product itself on the demo film.

python -m bench.pictures [FOLDER]      writes verdict-light.png and verdict-dark.png, into docs/ unless told otherwise
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from bench.drawing import draw_into_docs
from bench.known import SCOPE
from bot.settings import Settings
from bot.wiring.product import open_core
from core.found import Query
from core.intake import Poster
from core.model import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.wiring.product import Core
    from core.plot_ports import Theme

ROOT = Path(__file__).parent.parent
QUERIES = ("a woman swimming in water", "a hedgehog")
"""The first is in the demo film, the second is not."""
_THEMES: tuple[Theme, ...] = ("light", "dark")
_GAP_PX = 12


async def draw(folder: Path) -> None:
    """Ask the demo film, and put the plots side by side."""
    with tempfile.TemporaryDirectory(prefix="keaton-pictures-") as home:
        async with open_core(Settings(model_name="demo", data_dir=Path(home))) as core:
            film = ROOT / "demo" / "film.mp4"
            await core.parts.indexer.file(
                film, "demo film.mp4", "", Poster(SCOPE, "u", "you", ""), lambda _progress: None
            )
            plots = [await _plots(core, text) for text in QUERIES]
    for theme in _THEMES:
        _beside([one[theme] for one in plots]).save(folder / f"verdict-{theme}.png", optimize=True)


async def _plots(core: Core, text: str) -> dict[Theme, bytes]:
    result = await core.parts.searcher.search(Query(text, View.of(SCOPE)), 3)
    print(f"{text}: {result.verdict}")
    shown = await core.parts.answerer.show(result.query, result.moments, 1, "similarity", _THEMES, 100, result.curve)
    return shown.plots


def _beside(pngs: Sequence[bytes]) -> Image.Image:
    """Put pictures of one size in a row."""
    pictures = [Image.open(io.BytesIO(png)).convert("RGB") for png in pngs]
    width, height = pictures[0].size
    row = Image.new("RGB", (len(pictures) * (width + _GAP_PX) - _GAP_PX, height), pictures[0].getpixel((0, 0)))
    for number, picture in enumerate(pictures):
        row.paste(picture, (number * (width + _GAP_PX), 0))
    return row


if __name__ == "__main__":
    draw_into_docs(__doc__, draw)
