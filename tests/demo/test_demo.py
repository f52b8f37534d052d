"""The demo's model and video as they ship: they load, agree with each other, and answer."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from demo.captions import Caption, truth
from demo.engine import MODEL_DIR
from demo.evaluate import missed, random_video
from demo.film import SCENES, VIDEO
from demo.looking import Eye, best_times, eye, looks
from demo.reel import shots
from demo.scenes import random_scene
from demo.things import places, places_called, things, things_called
from demo.worlds import layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from demo.looking import Vectors

_WEIGHTS = MODEL_DIR / "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def seeing() -> Eye:
    return eye()


@pytest.fixture(scope="module")
def seen(seeing: Eye) -> tuple[Sequence[float], Vectors]:
    times, pictures = zip(*looks(VIDEO), strict=True)
    return times, seeing.images(pictures)


def _scenes() -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(SCENES.read_text(encoding="utf-8"))["scenes"]
    return found


def test_given_the_demo_model_then_it_is_small_enough_to_ship() -> None:
    assert _WEIGHTS.stat().st_size <= 8_000_000


def test_given_the_demo_video_then_it_is_short_h264_at_24_frames_a_second() -> None:
    assert VIDEO.stat().st_size <= 3_000_000
    with av.open(str(VIDEO)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 640, 360)
        assert stream.average_rate == 24
        assert stream.pix_fmt == "yuv420p"
        assert 60 <= (container.duration or 0) / av.time_base <= 90


def test_given_the_scenes_then_they_cover_the_video_without_gaps() -> None:
    scenes = _scenes()
    assert len(scenes) >= 15
    assert scenes[0]["start_s"] == 0
    assert all(one["end_s"] == after["start_s"] for one, after in pairwise(scenes))
    with av.open(str(VIDEO)) as container:
        assert (container.duration or 0) / av.time_base == pytest.approx(scenes[-1]["end_s"], abs=0.05)


def test_given_the_list_of_scenes_then_it_is_that_of_the_script() -> None:
    assert [scene["queries"] for scene in _scenes()] == [list(shot.queries) for shot in shots()]


def test_given_the_promised_scenes_then_they_are_in_the_video() -> None:
    asked = {query for shot in shots() for query in shot.queries}
    assert {"a woman swimming in water", "a steam train in the snow", "a dog at night"} <= asked


@pytest.mark.slow
def test_given_the_videos_queries_when_searched_then_nearly_all_are_right(
    seeing: Eye, seen: tuple[Sequence[float], Vectors]
) -> None:
    asked, wrong = missed(seeing, *seen)
    assert asked >= 40
    assert len(wrong) <= 2, wrong


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "a woman swimming in water",
        "a steam train in the snow",
        "a dog at night",
        "dog",
        "a train",
        "woman in water",
        "fire",
        "car",
    ],
)
def test_given_a_strangers_query_when_searched_then_it_is_found(
    query: str, seeing: Eye, seen: tuple[Sequence[float], Vectors]
) -> None:
    told = {
        "dog": "a dog at night",
        "a train": "a steam train in the snow",
        "woman in water": "a woman swimming in water",
    }
    told |= {"fire": "a firefighter in the fire", "car": "a blue car in the street"}
    scene = next(scene for scene in _scenes() if told.get(query, query) in str(scene["queries"]))
    (time_s,) = best_times(seeing, *seen, [query])
    assert float(str(scene["start_s"])) <= time_s < float(str(scene["end_s"]))


@pytest.mark.slow
def test_given_a_wide_frame_when_prepared_then_it_is_squashed_not_cropped(seeing: Eye) -> None:
    (_, picture), *_ = looks(VIDEO)
    assert seeing.preprocess(picture).shape == (3, 64, 64)
    config = json.loads((MODEL_DIR / "open_clip_config.json").read_text(encoding="utf-8"))
    assert config["preprocess_cfg"]["resize_mode"] == "squash"


def test_given_a_place_when_painted_twice_then_it_is_the_same() -> None:
    for place in places():
        (back, front), (again, _) = (layers(place, 7, 1.5, (64, 36)) for _ in range(2))
        assert np.array_equal(back, again)
        assert front.shape == (36, 64, 4)


def test_given_a_caption_then_it_is_true_of_each_scene_with_what_it_names() -> None:
    rng = np.random.default_rng(3)
    woman = next(i for i, thing in enumerate(things()) if "woman swimming" in thing.names)
    scenes = [random_scene(rng, "water", [woman]), random_scene(rng, "snow", [woman])]
    in_water = Caption("a woman in water", (things_called()["woman"],), places_called()["in water"])
    anywhere = Caption("swimming", (things_called()["swimming"],), None)
    assert truth([in_water, anywhere], scenes).tolist() == [[True, False], [True, True]]


@pytest.mark.parametrize("crowd", [1, 2])
def test_given_an_unseen_video_when_made_then_no_thing_is_in_it_twice(crowd: int) -> None:
    video = random_video(900_123, crowd)
    shown = [actor.thing for posed in video for actor in posed.scene.actors]
    assert len(video) == 20
    assert len(shown) == len(set(shown)) == 20 * crowd


def test_given_the_demo_then_its_vocabulary_is_broad() -> None:
    assert len(things()) >= 150
    assert len(places()) >= 10
    assert all(Path(_WEIGHTS).parent.joinpath(name).exists() for name in ("open_clip_config.json", _WEIGHTS.name))
