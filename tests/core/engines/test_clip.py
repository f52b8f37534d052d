"""The encoder is open_clip, loaded for real: either the right weights, or a sentence that says what to do."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image

from core.concurrency import ForegroundPriority
from core.engines.clip import model as clip
from core.engines.clip.encoder import ThreadedEncoder
from core.engines.clip.model import ClipModel, load
from core.engines.clip.open_clip_models import check_name
from core.engines.clip.presets import choose
from core.engines.video.frame import encoder_input
from core.errors import BadSetting, EncoderBroken, UnknownModel, WeightsUnavailable
from core.ports.metrics import Unwatched
from core.wording.errors import sentence
from tests.support.fakes import NotingWatch
from tests.support.models import SIZE_PX, folder, frames, model, options, write_model

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.concurrency import Leave


__all__ = ["folder", "model"]

pytestmark = pytest.mark.slow


def test_frames_and_texts_become_unit_vectors(model: ClipModel) -> None:
    for vectors, count in ((model.images(frames(5)), 5), (model.texts(["a", "b"]), 2)):
        assert vectors.shape == (count, 24)
        assert vectors.dtype == np.dtype(np.float32)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_a_batch_gives_what_single_frames_give(model: ClipModel) -> None:
    pictures = frames(6)
    np.testing.assert_allclose(
        model.images(pictures), np.concatenate([model.images(pictures[i : i + 1]) for i in range(6)]), atol=1e-5
    )


def test_every_score_is_the_notebooks_within_a_thousandth(model: ClipModel, folder: Path) -> None:
    import open_clip  # noqa: PLC0415 - importable once a model was loaded

    theirs: Any
    theirs, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    picture = np.random.default_rng(3).integers(0, 256, (90, 160, 3), dtype=np.uint8)
    ours = encoder_input(picture, model.info.preprocess)
    with torch.inference_mode():
        image = theirs.eval().encode_image(preprocess(Image.fromarray(picture)).unsqueeze(0))
        text = theirs.encode_text(open_clip.get_tokenizer(f"local-dir:{folder}")(["a woman in water"]))
        expected = float(torch.nn.functional.cosine_similarity(image, text))
    score = float((model.images(ours[None]) @ model.texts(["a woman in water"]).T)[0, 0])
    assert score == pytest.approx(expected, abs=1e-3)


def test_given_whole_frames_when_chosen_then_the_edges_are_seen(folder: Path) -> None:
    picture = np.zeros((SIZE_PX, 3 * SIZE_PX, 3), np.uint8)
    picture[:, :SIZE_PX] = 255
    whole = load(replace(options(choose(f"local-dir:{folder}", folder)), whole_frames=True)).info
    assert encoder_input(picture, whole.preprocess)[:, : SIZE_PX // 4].min() > 200
    assert encoder_input(picture, replace(whole.preprocess, resize_mode="shortest")).max() == 0


def test_the_model_describes_itself(model: ClipModel) -> None:
    info = model.info
    assert (info.dim, info.precision, info.device, info.logit_bias) == (24, "fp32", "cpu", 0.0)
    assert info.logit_scale == pytest.approx(1 / 0.07, rel=1e-3)
    assert (info.preprocess.size_px, info.preprocess.resize_mode) == (SIZE_PX, "shortest")
    assert info.preprocess.mean == (0.5, 0.4, 0.3)


def test_other_weights_in_the_same_folder_make_another_recipe(model: ClipModel, tmp_path: Path) -> None:
    torch.manual_seed(5)
    other = load(options(choose(f"local-dir:{write_model(tmp_path)}", tmp_path)))
    assert other.info.weights != model.info.weights


def test_a_model_that_sees_nothing_fails_its_self_test(tmp_path: Path) -> None:
    with pytest.raises(EncoderBroken):
        load(options(choose(f"local-dir:{write_model(tmp_path, blind=True)}", tmp_path)))


def test_given_images_later_when_loaded_then_the_first_picture_tests_it(
    tmp_path: Path,
) -> None:
    blind = options(choose(f"local-dir:{write_model(tmp_path, blind=True)}", tmp_path))
    model = load(replace(blind, images_later=True))
    assert model.texts(["a dog"]).shape == (1, model.info.dim)
    with pytest.raises(EncoderBroken):
        model.images(frames(1))


def test_a_model_that_cannot_read_says_so_before_its_first_answer(tmp_path: Path) -> None:
    illiterate = load(options(choose(f"local-dir:{write_model(tmp_path, illiterate=True)}", tmp_path)))
    for _ in range(2):
        with pytest.raises(EncoderBroken):
            illiterate.texts(["a dog"])


def test_weights_that_cannot_be_had_are_told_with_the_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://localhost:9")
    with pytest.raises(WeightsUnavailable) as caught:
        load(options(choose("base", tmp_path), tmp_path))
    said = sentence(caught.value)
    assert all(word in said for word in ("'base'", "localhost", "KEATON_MODEL_CACHE", "local-dir:", "demo"))


def test_given_a_missing_library_when_loaded_then_told_before_a_download(tmp_path: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        load(options(choose("accurate", tmp_path), tmp_path))
    assert '".[accurate]"' in sentence(caught.value)


def test_a_folder_without_weights_is_never_run_with_random_ones(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    with pytest.raises(WeightsUnavailable):
        load(options(choose(f"local-dir:{tmp_path}", tmp_path)))


@pytest.mark.parametrize(
    "setting", ["ViT-B-32/no_such_tag", "ViT-B-32/openai", "NoSuchModel/openai", "nonsense", "ViT-B-32/"]
)
def test_a_model_that_open_clip_cannot_give_as_named_is_said_to_be_unknown(setting: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownModel):
        load(options(choose(setting, tmp_path)))


@pytest.mark.parametrize(
    ("setting", "name", "tag"),
    [
        ("base", "ViT-B-32", "laion2b_s34b_b79k"),
        ("openai", "ViT-B-32-quickgelu", "openai"),
        ("accurate", "ViT-B-32-SigLIP2-256", "webli"),
        ("ViT-B-16/laion2b_s34b_b88k", "ViT-B-16", "laion2b_s34b_b88k"),
    ],
)
def test_presets_name_models_that_open_clip_publishes(setting: str, name: str, tag: str, tmp_path: Path) -> None:
    choice = choose(setting, tmp_path)
    check_name(choice)
    assert (choice.name, choice.tag) == (name, tag)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", "cpu:x"])
def test_a_device_that_is_not_there_is_named_with_those_that_are(device: str) -> None:
    with pytest.raises(BadSetting) as caught:
        clip.pick_device(device)
    assert "there is cpu" in sentence(caught.value)


def priority() -> ForegroundPriority:
    return ForegroundPriority(0.0, time.monotonic)


async def test_queries_do_not_wait_behind_a_videos_batches(model: ClipModel) -> None:
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as videos_pool:
        encoder = ThreadedEncoder(lambda: model, pool, videos_pool, priority(), Unwatched())
        videos = [asyncio.create_task(encoder.frames(frames(256))) for _ in range(8)]
        await asyncio.wait(videos, return_when=asyncio.FIRST_COMPLETED)
        await encoder.texts(["now"])
        assert sum(video.done() for video in videos) < len(videos)
        await asyncio.gather(*videos)


async def test_given_a_metrics_port_when_it_encodes_then_each_is_timed(model: ClipModel) -> None:
    watch = NotingWatch()
    with ThreadPoolExecutor(2) as pool:
        encoder = ThreadedEncoder(lambda: model, pool, pool, priority(), watch)
        await encoder.texts(["now"])
        await encoder.frames(frames(2))
    assert watch.stages == ["words", "encode"]


class Patient(ForegroundPriority):
    """Lets who asks go first for as long as it takes."""

    def leave(self, patience_s: float) -> Leave:
        return super().leave(60 * patience_s)


async def test_a_videos_batch_stands_still_while_somebody_waits_for_an_answer(model: ClipModel) -> None:
    ours = Patient(0.0, time.monotonic)
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as videos_pool:
        encoder = ThreadedEncoder(lambda: model, pool, videos_pool, ours, Unwatched())
        with ours.asking():
            video = asyncio.create_task(encoder.frames(frames(1)))
            asked = await encoder.images(frames(1))
            await encoder.texts(["now"])
            assert not video.done()
        np.testing.assert_array_equal(await video, asked)


def test_a_batch_can_stand_still_in_its_midst_and_comes_to_the_same(model: ClipModel) -> None:
    stops = 0

    def leave() -> None:
        nonlocal stops
        stops += 1
        if stops == 3:
            model.images(frames(2))  # what others compute meanwhile changes nothing, and has no stops

    expected = model.images(frames(5))
    np.testing.assert_array_equal(model.frames(frames(5), leave), expected)
    assert stops > 3


async def test_a_videos_batches_leave_the_processor_to_queries(model: ClipModel) -> None:
    with ThreadPoolExecutor(1) as pool, ThreadPoolExecutor(1) as videos_pool:
        encoder = ThreadedEncoder(lambda: model, pool, videos_pool, priority(), Unwatched())
        await encoder.frames(frames(2))
        await encoder.texts(["now"])
        niceness = [
            one.submit(lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            for one in (pool, videos_pool)
        ]
        assert niceness[0].result() < niceness[1].result()


async def test_a_load_that_failed_is_tried_again_when_next_needed(model: ClipModel) -> None:
    attempts: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        encoder = ThreadedEncoder(_failing_once(model, attempts), pool, pool, priority(), Unwatched())
        with pytest.raises(WeightsUnavailable):
            await encoder.ready()
        assert not encoder.loaded
        assert (await encoder.ready()).dim == 24
        assert encoder.loaded


def _failing_once(model: ClipModel, attempts: list[int]) -> Callable[[], ClipModel]:
    def load_model() -> ClipModel:
        attempts.append(1)
        if len(attempts) == 1:
            raise WeightsUnavailable("base", "no network")
        return model

    return load_model


def test_given_texts_of_any_length_when_encoded_then_as_open_clip_does(model: ClipModel, folder: Path) -> None:
    import open_clip  # noqa: PLC0415 - importable once a model was loaded

    texts = ["", "a", "a dog", "a steam train in the snow " * 3, "word " * 90]
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")(texts)
    vectors = open_clip.create_model(f"local-dir:{folder}").eval().encode_text(tokens)
    theirs = torch.nn.functional.normalize(vectors, dim=-1).detach().numpy()
    np.testing.assert_allclose(model.texts(texts), theirs, atol=1e-6)
    np.testing.assert_allclose(model.texts(texts[2:3]), theirs[2:3], atol=1e-6)
