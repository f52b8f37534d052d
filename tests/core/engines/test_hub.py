"""Weights come from a hub that speaks the real one's HTTP: resumed where they broke off, and checked."""

from __future__ import annotations

import hashlib
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from core.engines.clip.hub import HubWeights
from core.engines.clip.open_clip_models import fetch, hub_weights, import_open_clip
from core.engines.clip.presets import PRESETS, choose
from core.errors import UnknownModel, WeightsUnavailable
from tests.fakes.hub import FakeHub
from tests.support.weights import REPO, point_to

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONTENT = hashlib.shake_128(b"weights").digest(3_000_000)
WHOLE = f"{REPO}/open_clip_model.safetensors"
NO_PAUSES = (0.0, 0.0, 0.0)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with FakeHub({WHOLE: CONTENT}) as made:
        point_to(made.url, monkeypatch)
        yield made


def unheard(_done: int, _total: int) -> None:
    pass


def test_given_weights_on_the_hub_when_fetched_then_they_are_asked_once(hub: FakeHub, tmp_path: Path) -> None:
    weights, told = HubWeights(REPO), list[tuple[int, int]]()
    assert weights.here(tmp_path) is None
    path = weights.fetch(tmp_path, lambda done, total: told.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert weights.here(tmp_path) == path
    assert told[0] == (0, len(CONTENT))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    asked = len(hub.asked)
    assert fetch(choose("base", tmp_path), tmp_path, unheard) == path
    assert len(hub.asked) == asked
    assert weights.begun(tmp_path) is None


def test_given_a_broken_download_when_it_goes_on_then_the_rest_is_sent(hub: FakeHub, tmp_path: Path) -> None:
    hub.break_after = 1_250_000
    assert HubWeights(REPO).fetch(tmp_path, unheard, NO_PAUSES).read_bytes() == CONTENT
    first, *others = hub.ranges()
    assert first == ""
    assert others
    assert all(range_.startswith("bytes=") for range_ in others)


def test_given_part_of_a_file_when_fetched_by_a_later_run_then_it_goes_on(hub: FakeHub, tmp_path: Path) -> None:
    blobs = tmp_path / f"models--{REPO.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    part = blobs / f"{hashlib.sha256(CONTENT).hexdigest()}.{len(CONTENT)}.part"
    part.write_bytes(CONTENT[:2_000_000])
    assert HubWeights(REPO).begun(tmp_path) == (2_000_000, 3_000_000)
    assert HubWeights(REPO).fetch(tmp_path, unheard).read_bytes() == CONTENT
    assert hub.ranges() == ["bytes=2000000-"]
    assert not part.exists()


def test_given_damage_on_the_way_when_fetched_then_it_is_not_kept(hub: FakeHub, tmp_path: Path) -> None:
    hub.damaged = True
    with pytest.raises(Exception, match="damaged"):
        HubWeights(REPO).fetch(tmp_path, unheard, NO_PAUSES)
    assert HubWeights(REPO).here(tmp_path) is None
    assert len(hub.ranges()) == len(NO_PAUSES) + 1
    hub.damaged = False
    assert HubWeights(REPO).fetch(tmp_path, unheard).read_bytes() == CONTENT


def test_given_a_file_in_half_precision_when_fetched_then_it_is_that_one(hub: FakeHub, tmp_path: Path) -> None:
    hub.files[f"{REPO}/open_clip_model_fp16.safetensors"] = CONTENT[:1000]
    assert HubWeights(REPO).fetch(tmp_path, unheard).name == "open_clip_model_fp16.safetensors"
    assert HubWeights(REPO).here(tmp_path) is not None
    shutil.rmtree(tmp_path / f"models--{REPO.replace('/', '--')}")
    hub.files[f"{REPO}/open_clip_pytorch_model.bin"] = CONTENT[:10]
    del hub.files[f"{REPO}/open_clip_model_fp16.safetensors"], hub.files[WHOLE]
    assert HubWeights(REPO).fetch(tmp_path, unheard).name == "open_clip_pytorch_model.bin"


def test_given_no_hub_when_fetched_then_the_reason_is_told_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    point_to("http://127.0.0.1:9", monkeypatch)
    began_s = time.monotonic()
    assert "refused" in HubWeights(REPO).trouble()
    with pytest.raises(WeightsUnavailable, match=r".*") as caught:
        fetch(choose("base", tmp_path), tmp_path, unheard)
    assert "http://127.0.0.1:9 cannot be used" in caught.value.reason
    assert time.monotonic() - began_s < 5


def test_given_no_such_file_or_no_hub_when_fetched_then_that_is_told(hub: FakeHub, tmp_path: Path) -> None:
    hub.files.clear()
    with pytest.raises(WeightsUnavailable) as caught:
        fetch(choose("base", tmp_path), tmp_path, unheard)
    assert "has none of" in caught.value.reason
    hub.down = True
    assert "503" in HubWeights(REPO).trouble()


@pytest.mark.slow
@pytest.mark.parametrize("preset", list(PRESETS))
def test_given_a_preset_then_open_clip_has_its_weights_in_the_same_place(preset: str, tmp_path: Path) -> None:
    choice, known = choose(preset, tmp_path), PRESETS[preset]
    assert import_open_clip().get_pretrained_cfg(choice.name, choice.tag)["hf_hub"] == known.hub
    assert hub_weights(choose(f"{choice.name}/{choice.tag}", tmp_path)) == hub_weights(choice)


@pytest.mark.slow
def test_given_other_names_when_weights_are_sought_then_open_clips_count(tmp_path: Path) -> None:
    assert hub_weights(choose(f"local-dir:{tmp_path}", tmp_path)) is None
    with pytest.raises(UnknownModel):
        hub_weights(choose("ViT-B-32/nonsense", tmp_path))
    assert HubWeights.of("org/repo/file.bin").files == ("file.safetensors", "file.bin")
