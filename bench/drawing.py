"""The command line of the programs that draw the README's pictures, and how panels stand in a grid.

Must not know what they draw.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from core.model.reply import Theme

DOCS = Path(__file__).parent.parent / "docs"
PAPER: dict[Theme, str] = {"light": "#ffffff", "dark": "#1e1f24"}
PANEL_PX = (800, 450)
GAP_PX = 14
_INK: dict[Theme, str] = {"light": "#6a7280", "dark": "#9aa1ad"}
_CAPTION_PX = 44

Panel: TypeAlias = "tuple[str, dict[Theme, Image.Image]]"
"""A picture of PANEL_PX or less high in each theme, with its caption."""


def draw_into_docs(about: str | None, draw: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    """Draw into the folder that the command line names, or else into the project's own."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DOCS)
    asyncio.run(draw(parser.parse_args().folder))


def grid(panels: Sequence[Panel], theme: Theme) -> Image.Image:
    """Put panels with their captions in rows of two."""
    rows = [_row(panels[start : start + 2], theme) for start in range(0, len(panels), 2)]
    sheet = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), PAPER[theme])
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def _row(panels: Sequence[Panel], theme: Theme) -> Image.Image:
    width, height = PANEL_PX[0] + GAP_PX, max(pictures[theme].height for _, pictures in panels)
    row = Image.new("RGB", (2 * width - GAP_PX, height + _CAPTION_PX + 2 * GAP_PX), PAPER[theme])
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 22)
    for number, (caption, pictures) in enumerate(panels):
        ImageDraw.Draw(row).text((number * width + 14, 10), caption, fill=_INK[theme], font=font)
        row.paste(pictures[theme], (number * width, _CAPTION_PX))
    return row
