"""Puts measured figures into demo/README.md, between markers."""

from __future__ import annotations

from pathlib import Path

README = Path(__file__).parent.parent / "demo" / "README.md"


def put(name: str, figures: str) -> None:
    """Replace what stands between this benchmark's markers."""
    begin, end = f"<!-- {name}: written by bench.{name} -->", f"<!-- end of {name} -->"
    before, rest = README.read_text(encoding="utf-8").split(begin)
    after = rest.split(end)[1]
    README.write_text(f"{before}{begin}\n{figures}\n{end}{after}", encoding="utf-8")
