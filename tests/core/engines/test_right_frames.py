"""Whatever a video is like, what is shown of a time is the frame that stands there, as a plain decode tells it."""

from __future__ import annotations

import io
import random
from bisect import bisect_right
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import av
import cv2
import numpy as np
import pytest
from av.stream import Disposition

from core.engines.video import clip as clipping
from core.engines.video import worker
from core.model.video import Sampling
from tests.core.engines.conftest import LIMITS, PREPROCESS
from tests.support import clips, odd_videos
from tests.support.clips import Shape, numbered, plain, read_number, write_video
from tests.support.odd_videos import Part, put_together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from core.model.video import Pixels
    from tests.core.engines.conftest import CutStill, ReadMessages, ReadSamples

pytestmark = pytest.mark.slow

FPS = 25
TIMES = 20
ROUNDING_S = 2e-3
"""Matroska, Flash and MPEG keep times in units of up to a millisecond."""

Shown = list[tuple[float, int]]
"""Each frame's time and number."""


@dataclass(frozen=True)
class MadeVideo:
    path: Path
    shown: Shown


def pictures(seconds: float, first: int = 0) -> Iterator[Pixels]:
    for number in range(round(seconds * FPS)):
        yield numbered(plain((160, 96), (128, 128, 128)), first + number)


def silent(path: Path, seconds: float = 8, first: int = 0, **shape: object) -> Path:
    """Write pictures that are numbered from `first` on, at 25 a second."""
    made = Shape(**{"size": (160, 96), "gop": 25, "b_frames": 2, **shape})  # type: ignore[arg-type]
    return write_video(path, pictures(seconds, first), made)


def rgb(frame: av.VideoFrame) -> Pixels:
    return np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def decoded(path: Path, video: int = 0) -> Shown:
    """Decode all of a stream in order; times count from the start of the container."""
    with av.open(path) as container:
        start_s = (container.start_time or 0) / av.time_base
        frames = list(container.decode(container.streams.video[video]))
    return [(float(frame.time) - start_s, read_number(rgb(frame))) for frame in frames]


def counted(path: Path) -> Shown:
    """Decode all of it; the n-th frame stands at n / 25 s."""
    with av.open(path) as container:
        frames = list(container.decode(video=0))
    return [(index / FPS, read_number(rgb(frame))) for index, frame in enumerate(frames)]


def one_after_the_other(*paths: Path) -> Shown:
    """Give what is shown of parts that each begin when the one before has ended."""
    shown: Shown = []
    for path in paths:
        first_s = decoded(path)[0][0]
        begins_s = shown[-1][0] + 1 / FPS if shown else first_s
        shown += [(time_s - first_s + begins_s, number) for time_s, number in decoded(path)]
    return shown


def sound(folder: Path, seconds: float = 8) -> Path:
    return clips.make_sound(folder / "sound.m4a", seconds)


def usual(name: str, **shape: object) -> Callable[[Path], MadeVideo]:
    def make(folder: Path) -> MadeVideo:
        path = silent(folder / name, **shape)  # type: ignore[arg-type]
        return MadeVideo(path, decoded(path))

    return make


def by_count(name: str, **shape: object) -> Callable[[Path], MadeVideo]:
    def make(folder: Path) -> MadeVideo:
        path = silent(folder / name, **shape)  # type: ignore[arg-type]
        return MadeVideo(path, counted(path))

    return make


def sound_first(name: str) -> Callable[[Path], MadeVideo]:
    def make(folder: Path) -> MadeVideo:
        path = put_together(folder / name, [Part(sound(folder)), Part(silent(folder / "silent.mp4"))])
        return MadeVideo(path, decoded(path))

    return make


def late(name: str) -> Callable[[Path], MadeVideo]:
    def make(folder: Path) -> MadeVideo:
        parts = [Part(silent(folder / "silent.mp4"), shift_s=3.0), Part(sound(folder, 11))]
        path = put_together(folder / name, parts)
        return MadeVideo(path, decoded(path))

    return make


def trimmed(name: str) -> Callable[[Path], MadeVideo]:
    def make(folder: Path) -> MadeVideo:
        path = put_together(folder / name, [Part(silent(folder / "silent.mp4"), from_s=2.5)])
        return MadeVideo(path, decoded(path))

    return make


def several(folder: Path) -> MadeVideo:
    large = write_video(folder / "large.mp4", iter([plain((320, 192), (9, 9, 200))] * 50), Shape((320, 192)))
    silent_path = silent(folder / "silent.mp4")
    parts = [Part(large, disposition=Disposition(0)), Part(silent_path, disposition=Disposition.default)]
    path = put_together(folder / "several.mp4", parts)
    return MadeVideo(path, decoded(path, 1))


def broadcast(name: str, first_s: float, second_s: float) -> Callable[[Path], MadeVideo]:
    """Join two recordings whose clocks begin at these times."""

    def make(folder: Path) -> MadeVideo:
        codec = "mpeg2video" if name.endswith("mpg") else "libx264"
        parts = [silent(folder / f"{n}.mp4", 6, 1000 * n, codec=codec) for n in (0, 1)]
        ends = ["".join((str(n), name[name.rindex(".") :])) for n in (0, 1)]
        shifts = (first_s, second_s)
        container = "vob" if name.endswith("mpg") else None
        made = [
            put_together(folder / end, [Part(part, shift_s=shift_s)], container)
            for end, part, shift_s in zip(ends, parts, shifts, strict=True)
        ]
        return MadeVideo(odd_videos.joined(folder / name, made), one_after_the_other(*made))

    return make


def animated_webp(folder: Path) -> MadeVideo:
    from PIL import Image  # noqa: PLC0415 - for this video alone

    drawn = [Image.fromarray(picture) for picture in pictures(2)]
    path = folder / "moving.webp"
    drawn[0].save(path, save_all=True, append_images=drawn[1:], duration=40, lossless=True)
    return MadeVideo(path, [(index / FPS, index) for index in range(len(drawn))])


VIDEOS: dict[str, Callable[[Path], MadeVideo]] = {
    "plain mp4": usual("plain.mp4"),
    "plain mkv": usual("plain.mkv"),
    "plain ts": usual("plain.ts"),
    "plain flv": usual("plain.flv"),
    "long groups mp4": usual("long.mp4", gop=500, b_frames=3),
    "hevc mp4": usual("hevc.mp4", codec="libx265"),
    "vp9 webm": usual("web.webm", codec="libvpx-vp9", b_frames=None),
    "mpeg-2 in mpg": usual("dvd.mpg", codec="mpeg2video", container="vob", gop=15),
    "mpeg-2 in ts": usual("dvd.ts", codec="mpeg2video", gop=15),
    "mpeg-2 alone": by_count("alone.m2v", codec="mpeg2video", gop=15),
    "mpeg-2 in mxf": usual("studio.mxf", codec="mpeg2video", gop=15),
    "h264 alone": by_count("alone.h264"),
    "apng": usual("moving.apng", codec="apng", pixel_format="rgb24", seconds=2, b_frames=None),
    "gif": usual("moving.gif", codec="gif", pixel_format="rgb8", seconds=2, b_frames=None),
    "animated webp": animated_webp,
    "h264 in avi": by_count("h264.avi", b_frames=3),
    "mpeg-4 in avi": by_count("mpeg4.avi", codec="mpeg4", b_frames=0),
    "mpeg-4 with b-frames in avi": by_count("mpeg4b.avi", codec="mpeg4"),
    "motion jpeg in avi": by_count("mjpeg.avi", codec="mjpeg", pixel_format="yuvj420p", b_frames=None),
    **{f"sound first {kind}": sound_first(f"first.{kind}") for kind in ("mp4", "mov", "mkv", "ts", "flv")},
    **{f"pictures late {kind}": late(f"late.{kind}") for kind in ("mp4", "mov", "mkv", "ts", "flv")},
    **{f"trimmed {kind}": trimmed(f"trimmed.{kind}") for kind in ("mp4", "mov")},
    "several tracks": several,
    "joined ts": broadcast("joined.ts", 0, 0),
    "an hour on ts": broadcast("on.ts", 0, 3600),
    "an hour back ts": broadcast("back.ts", 3600, 0),
    "past the end of the clock ts": broadcast("wrap.ts", 95440, 0),
    "joined mpg": broadcast("joined.mpg", 0, 0),
}


@pytest.fixture(params=VIDEOS, scope="module")
def video(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> MadeVideo:
    """One video of each kind."""
    return VIDEOS[request.param](tmp_path_factory.mktemp("video"))


def standing_at(shown: Shown, time_s: float) -> tuple[float, int]:
    """Give the frame that stands at a time; the first one before it."""
    return shown[max(0, bisect_right([at_s for at_s, _ in shown], time_s + ROUNDING_S) - 1)]


def random_times_s(video: MadeVideo) -> list[float]:
    """Give times within frames, not at their very edges, which containers round."""
    dice = random.Random(video.path.name)  # noqa: S311 - chance, not secrets
    first_s, last_s = video.shown[0][0], video.shown[-1][0]
    middles = [time_s + dice.uniform(0.005, 0.035) for time_s, _ in dice.choices(video.shown, k=TIMES - 2)]
    return [max(0.0, first_s - 1), last_s + 5, *middles]


def test_given_any_video_when_a_still_is_cut_then_the_frame_of_its_time(video: MadeVideo, cut_still: CutStill) -> None:
    for time_s in random_times_s(video):
        at_s, number = standing_at(video.shown, time_s)
        still, pixels = cut_still(video.path, time_s)
        assert (read_number(pixels), round(still.time_s - at_s, 2)) == (number, 0.0), f"at {time_s}"


def test_given_any_video_when_it_is_read_then_its_frames_bear_their_times(
    video: MadeVideo, read_samples: ReadSamples
) -> None:
    for keyframe_gap in (0.0, 2.1):
        seen = read_samples(video.path, Sampling(0.61, 1, keyframe_gap))
        assert len(seen.frames) >= len(video.shown) / FPS / (2.1 * 0.61) - 2
        for sample in seen.frames:
            at_s, number = standing_at(video.shown, sample.time_s)
            assert (read_number(sample.pixels), round(sample.time_s - at_s, 2)) == (number, 0.0)
        assert not seen.ended.truncated
        assert seen.ended.reached_s == pytest.approx(video.shown[-1][0], abs=0.1)
        assert seen.opened.duration_s == pytest.approx(video.shown[-1][0] + 1 / FPS, abs=0.3)


def test_given_any_video_when_cut_then_it_begins_with_its_start(video: MadeVideo, messages: ReadMessages) -> None:
    for time_s in random_times_s(video)[2:5]:
        numbers = [number for at_s, number in video.shown if time_s < at_s < time_s + 0.25]
        first = standing_at(video.shown, time_s)[1]
        assert numbers_in_cut(video.path, time_s, time_s + 0.3, messages)[: len(numbers) + 1] == [first, *numbers]


def test_given_any_video_when_frames_are_sought_then_the_same_are_met(video: MadeVideo, messages: ReadMessages) -> None:
    times_s = sorted(random_times_s(video)[2:8])
    out = io.BytesIO()
    request = {"times_s": times_s, "preprocess": asdict(PREPROCESS), "limits": LIMITS}
    worker.send_frames_at(video.path, request, out)
    seen = {
        round(float(message.header["time_s"]), 2): read_number(  # type: ignore[arg-type]
            np.frombuffer(message.part(0), np.uint8).reshape(64, 64, 3)
        )
        for message in messages(out.getvalue())
        if message.kind == "frame"
    }
    expected = {round(at_s, 2): number for at_s, number in (standing_at(video.shown, time_s) for time_s in times_s)}
    if video.path.suffix not in {".m2v", ".h264"}:  # nothing tells where a time is
        assert list(seen.values()) == list(expected.values())


def numbers_in_cut(path: Path, start_s: float, end_s: float, messages: ReadMessages) -> list[int]:
    out = io.BytesIO()
    wish = {"start_s": start_s, "end_s": end_s, "form": "mp4", "max_px": 640, "max_fps": 60, "sound": False}
    clipping.send_clip(path, {"wish": {**wish, "max_bytes": 10_000_000}, "limits": LIMITS}, out)
    made = messages(out.getvalue())[-1].part(0)
    with av.open(io.BytesIO(made), "r") as container:
        return [read_number(rgb(frame)) for frame in container.decode(video=0)]


def test_given_a_cover_beside_a_video_when_read_then_the_video(tmp_path: Path, cut_still: CutStill) -> None:
    shape = Shape((640, 480), codec="mjpeg", pixel_format="yuvj420p")
    cover = write_video(tmp_path / "cover.mkv", iter([plain((640, 480), (200, 9, 9))]), shape)
    parts = [Part(cover, disposition=Disposition.attached_pic), Part(silent(tmp_path / "silent.mp4"))]
    path = put_together(tmp_path / "covered.mp4", parts)
    assert read_number(cut_still(path, 2.01)[1]) == 50


def test_given_default_tracks_when_one_is_much_longer_then_that_one(tmp_path: Path, cut_still: CutStill) -> None:
    short = write_video(tmp_path / "short.mp4", iter([plain((320, 192), (9, 9, 200))] * 25), Shape((320, 192)))
    long = silent(tmp_path / "silent.mp4")
    path = put_together(tmp_path / "motion.mp4", [Part(one, disposition=Disposition.default) for one in (short, long)])
    assert read_number(cut_still(path, 2.01)[1]) == 50


@pytest.mark.parametrize(
    "name", ["one.mp4", "one.mov", "one.m4v", "one.mkv", "one.ts", "one.avi", "one.flv", "one.webm"]
)
def test_given_one_frame_behind_sound_when_a_video_is_read_then_it_is_seen(
    tmp_path: Path, read_samples: ReadSamples, cut_still: CutStill, name: str
) -> None:
    codec = {"webm": "libvpx-vp9", "avi": "mpeg4"}.get(name.removeprefix("one."), "libx264")
    frame = silent(tmp_path / "frame.mkv", 1 / FPS, 77, codec=codec)
    parts = [] if name.endswith(("avi", "webm")) else [Part(sound(tmp_path, 1))]
    path = put_together(tmp_path / name, [*parts, Part(frame)])
    assert [read_number(sample.pixels) for sample in read_samples(path).frames] == [77]
    assert read_number(cut_still(path, 0.5)[1]) == 77


def test_given_a_changing_size_when_cut_then_each_has_its_own_shape(
    tmp_path: Path, cut_still: CutStill, messages: ReadMessages
) -> None:
    wide = write_video(tmp_path / "wide.ts", iter([plain((320, 96), (200, 20, 20))] * 100), Shape((320, 96)))
    high = write_video(tmp_path / "high.ts", iter([plain((96, 192), (20, 20, 200))] * 100), Shape((96, 192)))
    path = odd_videos.joined(tmp_path / "turns.ts", [wide, high])
    assert cut_still(path, 1.0)[1].shape == (96, 320, 3)
    assert cut_still(path, 6.0)[1].shape == (192, 96, 3)
    assert cut_pictures(path, 5.0, 6.0, messages)[0].shape == (192, 96, 3)
    mixed = cut_pictures(path, 3.0, 5.0, messages)[-1]
    assert mixed.shape == (96, 320, 3)
    assert mixed[48, 160, 2] > 150, "the second part, in the middle"
    assert mixed[48, 20].max() < 30, "black beside it"


def test_given_joined_videos_when_stills_are_cut_then_of_both(
    tmp_path: Path, read_samples: ReadSamples, cut_still: CutStill, messages: ReadMessages
) -> None:
    path = odd_videos.joined(tmp_path / "joined.mkv", [silent(tmp_path / f"{n}.mkv", 6, 1000 * n) for n in (0, 1)])
    samples = read_samples(path, Sampling(0.73, 1, 0.0)).frames
    assert samples[-1].time_s > 11
    for sample in samples:
        number = read_number(sample.pixels)
        assert number // 1000 == int(sample.time_s > 5.99)
        assert read_number(cut_still(path, sample.time_s)[1]) == number
        assert numbers_in_cut(path, sample.time_s, sample.time_s + 0.1, messages)[0] == number


def test_given_pixels_that_widen_when_stills_are_cut_then_their_own_shape(tmp_path: Path, cut_still: CutStill) -> None:
    parts = []
    for name, aspect in (("square.ts", Fraction(1)), ("wide.ts", Fraction(4, 3))):
        shape = Shape((192, 144), codec="mpeg2video", gop=12, pixel_aspect=aspect)
        parts.append(write_video(tmp_path / name, iter([plain((192, 144), (200, 20, 20))] * 100), shape))
    path = odd_videos.joined(tmp_path / "aspects.ts", parts)
    assert cut_still(path, 1.0)[1].shape == (144, 192, 3)
    assert cut_still(path, 6.0)[1].shape == (144, 256, 3)


def cut_pictures(path: Path, start_s: float, end_s: float, messages: ReadMessages) -> list[Pixels]:
    out = io.BytesIO()
    wish = {"start_s": start_s, "end_s": end_s, "form": "mp4", "max_px": 640, "max_fps": 60, "sound": False}
    clipping.send_clip(path, {"wish": {**wish, "max_bytes": 10_000_000}, "limits": LIMITS}, out)
    made = messages(out.getvalue())[-1].part(0)
    with av.open(io.BytesIO(made), "r") as container:
        return [rgb(frame) for frame in container.decode(video=0)]


def test_given_jpeg_when_it_is_read_back_then_numbers_are_legible() -> None:
    drawn = numbered(plain((160, 96), (128, 128, 128)), 1234)
    done, data = cv2.imencode(".jpg", drawn)
    assert done
    read = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert read is not None
    assert read_number(np.asarray(read, np.uint8)) == 1234


def loudness(path: Path, start_s: float, end_s: float, messages: ReadMessages) -> float:
    """Give how loud the sound of a cut is, 0 to 1."""
    out = io.BytesIO()
    wish = {"start_s": start_s, "end_s": end_s, "form": "mp4", "max_px": 160, "max_fps": 60, "sound": True}
    clipping.send_clip(path, {"wish": {**wish, "max_bytes": 10_000_000}, "limits": LIMITS}, out)
    with av.open(io.BytesIO(messages(out.getvalue())[-1].part(0)), "r") as container:
        return max(float(np.abs(frame.to_ndarray()).max()) for frame in container.decode(audio=0))


def tone(path: Path, seconds: float) -> Path:
    """Write a sound that is heard all the time."""
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        for index in range(round(seconds * 48_000 / 1024)):
            places = np.arange(index * 1024, (index + 1) * 1024)
            samples = (0.3 * np.sin(places * 2 * np.pi * 440 / 48_000)).astype(np.float32)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 48_000, index * 1024, Fraction(1, 48_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts", "late.flv"])
def test_given_late_pictures_when_the_start_is_cut_then_its_sound(
    tmp_path: Path, messages: ReadMessages, name: str
) -> None:
    parts = [Part(silent(tmp_path / "silent.mp4", 4), shift_s=3.0), Part(tone(tmp_path / "tone.m4a", 7))]
    path = put_together(tmp_path / name, parts)
    for start_s in (0.0, 1.5, 4.0):
        assert loudness(path, start_s, start_s + 1, messages) > 0.2


def test_given_joined_recordings_when_the_second_is_cut_then_its_sound(tmp_path: Path, messages: ReadMessages) -> None:
    made = []
    for number, make in enumerate((sound_of_nothing, tone)):
        parts = [Part(silent(tmp_path / f"{number}.mp4", 5)), Part(make(tmp_path / f"{number}.m4a", 5))]
        made.append(put_together(tmp_path / f"{number}.ts", parts))
    path = odd_videos.joined(tmp_path / "joined.ts", made)
    assert loudness(path, 2.0, 3.0, messages) < 0.01
    assert loudness(path, 7.0, 8.0, messages) > 0.2


def sound_of_nothing(path: Path, seconds: float) -> Path:
    return clips.make_sound(path, seconds)
