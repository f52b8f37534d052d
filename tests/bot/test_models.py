"""`keaton model`, and that the demo model stands in only where nobody chose and no token is set."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.command_line import Keaton
from tests.support.weights import cached, point_to

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("token", ["DISCORD_TOKEN", "SLACK_BOT_TOKEN"])
def test_given_a_token_when_the_weights_cannot_be_had_then_no_demo_answers(
    tmp_path: Path, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    settings = {token: "secret", "KEATON_MODEL_CACHE": str(tmp_path)}
    done = Keaton(tmp_path, "")("find", "red", settings=settings)
    assert done.returncode == 3
    assert "cannot be had" in done.stderr
    assert "Trial" not in done.stderr


def test_given_models_when_one_is_chosen_then_the_env_file_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keaton = Keaton(tmp_path, "")
    unset = {"KEATON_MODEL": "", "KEATON_MODEL_CACHE": str(tmp_path / "cache")}
    cached(tmp_path / "cache", b"weights")

    def listed() -> dict[str, tuple[str, bool]]:
        done = keaton("model", "list", "--json", settings=unset)
        return {one["name"]: (one["state"], one["in_use"]) for one in json.loads(done.stdout)["models"]}

    assert listed()["base"] == ("here", True)
    assert listed()["openai"] == ("not downloaded", False)
    assert "here" in keaton("model", "fetch", settings=unset).stdout
    assert keaton("model", "use", "demo", settings=unset).returncode == 0
    assert listed()["demo"] == ("here", True)
    assert keaton("model", "use", "nonsense", settings=unset).returncode == 3
    missing = keaton("model", "use", f"local-dir:{tmp_path / 'missing'}", settings=unset)
    assert missing.returncode == 3
    assert "no such folder" in missing.stderr
    overruled = keaton("model", "use", "demo", settings={**unset, "KEATON_MODEL": "base"})
    assert overruled.returncode == 1
    assert "counts more" in overruled.stderr
    shutil.rmtree(tmp_path / "cache")
    point_to("http://127.0.0.1:9", monkeypatch)
    assert keaton("model", "fetch", "base", settings=unset).returncode == 3
