"""Makes the README's picture of what can be asked, by the product itself on the demo video.

python -m bench.asking [FOLDER]      writes asking-light.png and asking-dark.png, into docs/ unless told otherwise
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from bench.drawing import GAP_PX, PANEL_PX, PAPER, draw_into_docs, grid
from bench.known import SCOPE
from bot.settings import Settings
from bot.wiring.app import open_core
from core.model.answer import Ballot, term_keys
from core.model.query import Query, Stretch
from core.model.requests import Poster
from core.model.video import View

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.drawing import Panel
    from bot.wiring.app import Product
    from core.model.answer import AnswerView
    from core.model.reply import Theme

ROOT = Path(__file__).parent.parent
_THEMES: tuple[Theme, ...] = ("light", "dark")


async def draw(folder: Path) -> None:
    """Ask the demo video in each way, and put what comes into a grid."""
    with tempfile.TemporaryDirectory(prefix="keaton-asking-") as home:
        async with open_core(Settings(model_name="demo", data_dir=Path(home))) as core:
            video = ROOT / "demo" / "film.mp4"
            await core.parts.indexer.file(
                video, "demo video.mp4", "", Poster(SCOPE, "u", "you", ""), lambda _progress: None
            )
            panels = await _panels(core)
    for theme in _THEMES:
        grid(panels, theme).save(folder / f"asking-{theme}.png", optimize=True)


async def _panels(core: Product) -> list[Panel]:
    view = View.of(SCOPE)
    order = await _shown(core, Query("a woman swimming > a camel", view))
    beside = await _shown(core, Query(_BESIDE, view))
    without = await _shown(core, Query("water -woman", view))
    water = Query("water", view)
    camel = await _shown(core, Query("a camel", view))
    alike = await _alike(core, camel)
    await _vote(core, water, 2)
    return [
        ("side by side", _plot(beside)),
        ("one thing, then another", _plot(order)),
        ("more like this: the frame that was shown, and what came", _frames(camel.still, alike.still)),
        ("one thing, then another: both frames", _frames(order.still, order.second)),
        ("without the swimmer", _plot(without)),
        ("after a thumb up for the swimmer, whose moment came second", _plot(await _shown(core, water))),
    ]


_BESIDE = "a dog | a cat | a steam train"


async def _shown(core: Product, query: Query) -> AnswerView:
    result = await core.parts.searcher.search(query, 5)
    return await core.parts.answerer.show(query, result.moments, 1, "similarity", _THEMES, PANEL_PX[0], result.curve)


async def _alike(core: Product, shown: AnswerView) -> AnswerView:
    moment = shown.moment
    source = Stretch(moment.video_id, moment.start_s, moment.end_s)
    query = Query("", View.of(SCOPE))
    example = await core.parts.examples.at(query.view, source, moment.peak_s)
    return await _shown(core, replace(query, picture=example))


async def _vote(core: Product, query: Query, number: int) -> None:
    before = (await core.parts.searcher.search(query, 5)).moments
    moment = before[number - 1]
    stretch = Stretch(moment.video_id, moment.start_s, moment.end_s)
    await core.kept.library.vote(query.view, [Ballot(term_keys(query)[0], stretch, moment.peak_s, "u", 1)])
    after = (await core.parts.searcher.search(query, 5)).moments
    told = ", then ".join(str([round(one.peak_s) for one in moments]) for moments in (before, after))
    print(f"moments of “{query.text}” in seconds before and after a vote for the second: {told}")


def _plot(shown: AnswerView) -> dict[Theme, Image.Image]:
    return {theme: Image.open(io.BytesIO(png)).convert("RGB") for theme, png in shown.plots.items()}


def _frames(*stills: object) -> dict[Theme, Image.Image]:
    pictures = [Image.open(io.BytesIO(one.jpeg)).convert("RGB") for one in stills if one is not None]  # type: ignore[attr-defined]
    return {theme: _side_by_side(pictures, theme) for theme in _THEMES}


def _side_by_side(pictures: Sequence[Image.Image], theme: Theme) -> Image.Image:
    width, height = PANEL_PX
    room = (width - GAP_PX * (len(pictures) - 1)) // len(pictures)
    fitted = [ImageOps.contain(picture, (room, height)) for picture in pictures]
    panel = Image.new("RGB", (width, max(one.height for one in fitted)), PAPER[theme])
    for number, one in enumerate(fitted):
        panel.paste(one, (number * (room + GAP_PX), 0))
    return panel


if __name__ == "__main__":
    draw_into_docs(__doc__, draw)
