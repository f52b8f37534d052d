"""A child that a film has taken over, or that hangs, is not believed and not waited for."""

from __future__ import annotations

import struct
import sys
from typing import TYPE_CHECKING

import pytest

from core.engines.children import Children
from core.engines.frames import ChildFrameReader
from core.errors.films import DecoderDied
from core.model import Sampling
from tests.engines.conftest import PREPROCESS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def pretender(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Children:
    """Children that run a module of the test's own, which repeats what the file beside it holds."""
    (tmp_path / "pretender.py").write_text(
        "import sys, time, pathlib\n"
        "sys.stdin.buffer.readline()\n"
        "sys.stdout.buffer.write(pathlib.Path(__file__).with_name('says').read_bytes())\n"
        "sys.stdout.buffer.flush()\n"
        "time.sleep(600 if pathlib.Path(__file__).with_name('stays').exists() else 0)\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return Children("pretender")


@pytest.mark.parametrize(
    "said",
    [
        b"garbage" * 1000,
        struct.pack(">I", 1 << 30),
        struct.pack(">I", 2) + b"[]",
        struct.pack(">I", 36) + b'{"kind": "look", "parts": [99999999]}'[:36],
        struct.pack(">I", 60) + b'{"kind": "look", "time_s": NaN, "parts": []}'.ljust(60),
        struct.pack(">I", 60) + b'{"kind": "look", "time_s": 1, "parts": []}'.ljust(60),
        struct.pack(">I", 60) + b'{"kind": "surprise", "parts": []}'.ljust(60),
        b"",
    ],
    ids=["noise", "endless", "list", "cut", "nan", "empty", "unknown", "silent"],
)
async def test_a_child_taken_over_by_its_film_is_not_believed(pretender: Children, tmp_path: Path, said: bytes) -> None:
    (tmp_path / "says").write_bytes(said)
    with pytest.raises(DecoderDied):
        await anext(ChildFrameReader(pretender).looks(tmp_path, Sampling(), PREPROCESS))
    await pretender.close()


async def test_a_child_that_hangs_is_given_up(pretender: Children, tmp_path: Path) -> None:
    (tmp_path / "says").write_bytes(b"")
    (tmp_path / "stays").touch()
    with pytest.raises(DecoderDied) as raised:
        await ChildFrameReader(pretender, patience_s=0.3).still(tmp_path, 0.0, 100)
    assert "0.3 s" in raised.value.detail
    await pretender.close()
    assert not [child.process.pid for child in pretender._living]
