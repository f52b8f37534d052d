"""The command line of the programs that draw the README's pictures. Must not know what they draw."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

DOCS = Path(__file__).parent.parent / "docs"


def draw_into_docs(about: str | None, draw: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    """Draw into the folder that the command line names, or else into the project's own."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=DOCS)
    asyncio.run(draw(parser.parse_args().folder))
