"""The product, with its real model, finds in its demo video what the video shows."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import pytest_asyncio
import torch
from PIL import Image

from core.concurrency import ForegroundPriority
from core.engines.clip.encoder import ThreadedEncoder
from core.engines.clip.model import ClipModel, ClipOptions, load
from core.engines.clip.presets import choose
from core.engines.sandbox.pool import ChildPool
from core.engines.video import open_video as decode
from core.engines.video.reader import ChildFrameReader
from core.limits import VideoLimits
from core.model.events import FilePosted
from core.model.query import Query
from core.ports.metrics import Unwatched
from storage.library import SqliteLibrary
from storage.media import MediaFolder
from tests.core.conftest import QUOTA_BYTES, House, build, looking, turn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

DEMO = Path(__file__).parents[2] / "demo"
VIDEO = DEMO / "film.mp4"
SCENES: list[dict[str, Any]] = json.loads((DEMO / "film.json").read_text())["scenes"]
ASKED = [(query, scene["start_s"], scene["end_s"]) for scene in SCENES for query in scene["queries"]]


@pytest.fixture(scope="module")
def clip() -> ClipModel:
    return load(ClipOptions(choose("demo", DEMO / "model"), "cpu", None))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house(clip: ClipModel, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House[ThreadedEncoder]]:
    """The product with the demo video taken in."""
    home = tmp_path_factory.mktemp("home")
    async with AsyncExitStack() as stack:
        library = await SqliteLibrary.open(home / "keaton.sqlite3")
        stack.push_async_callback(library.close)
        media = await MediaFolder.open(home / "media", QUOTA_BYTES)
        stack.push_async_callback(media.close)
        children = ChildPool("core.engines.video.worker")
        stack.push_async_callback(children.close)
        queries, videos = (stack.enter_context(ThreadPoolExecutor(1)) for _ in range(2))
        encoder = ThreadedEncoder(lambda: clip, queries, videos, ForegroundPriority(0.0, time.monotonic), Unwatched())
        looks = await stack.enter_async_context(looking(library))
        house = build(library, media, ChildFrameReader(children, watch=Unwatched()), encoder, looks)
        assert (await house.last(FilePosted(turn(), VIDEO, VIDEO.name))).tone == "plain"
        yield house


async def test_given_the_videos_queries_when_searched_then_nearly_all_are_right(house: House[ThreadedEncoder]) -> None:
    missed = []
    for query, start_s, end_s in ASKED:
        result = await house.searcher.search(Query(query, turn().view), 5)
        if not start_s <= result.best.peak_s < end_s:
            missed.append((query, result.best.peak_s, start_s))
    assert len(missed) <= 0.05 * len(ASKED), missed


async def test_given_a_woman_who_swims_when_searched_then_she_is_found(house: House[ThreadedEncoder]) -> None:
    result = await house.searcher.search(Query("a woman swimming in water", turn().view), 5)
    (scene,) = [scene for scene in SCENES if "a woman swimming in water" in scene["queries"]]
    assert scene["start_s"] <= result.best.peak_s < scene["end_s"]


async def test_given_an_unwanted_thing_not_in_the_video_then_hits_stay(house: House[ThreadedEncoder]) -> None:
    plain = await house.searcher.search(Query("a woman in water", turn().view), 1)
    without = await house.searcher.search(Query('a woman in water -boat -"red car"', turn().view), 1)
    assert plain.verdict == without.verdict == "strong"
    assert without.best.peak_s == plain.best.peak_s
    np.testing.assert_allclose(without.curve.scores, plain.curve.scores, atol=1e-6)


async def test_given_an_unwanted_thing_in_the_video_then_it_leaves_the_answer(house: House[ThreadedEncoder]) -> None:
    stayed = []
    for scene in SCENES:
        wanted, unwanted = scene["queries"][:2]
        result = await house.searcher.search(Query(f'{wanted} -"{unwanted}"', turn().view), 1)
        if result.verdict != "absent" and scene["start_s"] <= result.best.peak_s < scene["end_s"]:
            stayed.append(wanted)
    assert len(stayed) <= 0.05 * len(SCENES), stayed


async def test_given_a_frame_when_scored_then_it_is_the_notebooks_figure(
    house: House[ThreadedEncoder], clip: ClipModel
) -> None:
    import open_clip  # noqa: PLC0415 - importable once a model was loaded

    (curve,) = await house.searcher.curves(Query("a dog at night", turn().view))
    model: Any
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{DEMO / 'model'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{DEMO / 'model'}")(["a dog at night"])
    with torch.inference_mode():
        text = model.eval().encode_text(tokens)
        images = torch.stack([preprocess(picture) for picture in frames_at(curve.times_s.tolist())])
        expected = torch.nn.functional.cosine_similarity(model.encode_image(images), text).numpy()
    np.testing.assert_allclose(curve.scores, expected, atol=1e-3)
    assert clip.info.dim == text.shape[1]


def frames_at(times_s: list[float]) -> Iterator[Image.Image]:
    """Give the frames of the video with these very times, in the RGB that others make of them."""
    wanted = set(times_s)
    with decode.opened(VIDEO, VideoLimits()) as video:
        for time_s, frame in video.frames():
            if time_s in wanted:
                yield Image.fromarray(frame.to_ndarray(format="rgb24"))
