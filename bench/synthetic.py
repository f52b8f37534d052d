"""Made-up looks for measurements: as alike as CLIP's are, in videos of scenes, in a library of any size.

All frames share a mean, those of a video have more in common, and those of a scene are nearly the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.model.video import Preprocess as _Preprocess
from core.model.video import Recipe, Sampling, Scope, View

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from core.model.video import Floats
    from core.ports.index import Halves

DIM = 512
FRAMES_A_VIDEO = 1000
SCENE_FRAMES = 8
MOST_VIDEOS = 8
"""An answer's best videos."""
SCOPE = Scope("local", "bench", "main")
VIEW = View.of(SCOPE)
RECIPE = Recipe("made up", "none", _Preprocess(224, "shortest", "bicubic", (0.5,) * 3, (0.5,) * 3), Sampling(), "fp32")
_CHUNK_FRAMES = 512


def videos(frames: int, frames_a_video: int = FRAMES_A_VIDEO, seed: int = 7) -> Iterator[Halves]:
    """Return videos of (n, DIM) float16 unit rows until there are so many frames in all."""
    chance = np.random.default_rng(seed)
    mean = chance.standard_normal(DIM, np.float32)
    for start in range(0, frames, frames_a_video):
        count = min(frames_a_video, frames - start)
        topic = chance.standard_normal(DIM, np.float32)
        scenes = chance.standard_normal((-(-count // SCENE_FRAMES), DIM), np.float32).repeat(SCENE_FRAMES, axis=0)
        rows = 1.2 * mean + 0.6 * topic + 0.9 * scenes[:count] + 0.35 * chance.standard_normal((count, DIM), np.float32)
        yield (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def written(made: Iterator[Halves], file: BinaryIO) -> Iterator[Halves]:
    """Return videos on, and write their rows into a file one after the other."""
    for rows in made:
        file.write(rows.tobytes())
        yield rows


def questions(rows: Halves, count: int, seed: int = 8) -> Floats:
    """Return (count, DIM) unit vectors that lie as far from the frames they are about as words lie from pictures."""
    chance = np.random.default_rng(seed)
    about = rows[chance.integers(0, len(rows), count)].astype(np.float32)
    away = chance.standard_normal((count, DIM), np.float32)
    mixed = 0.35 * about + away / np.linalg.norm(away, axis=1, keepdims=True)
    unit: Floats = (mixed / np.linalg.norm(mixed, axis=1, keepdims=True)).astype(np.float32)
    return unit


def write(file: sqlite3.Connection, made: Iterator[Halves], recipe_key: str = RECIPE.key) -> int:
    """Write videos into a library's file; give how many frames they have."""
    written = 0
    file.execute("INSERT INTO recipes VALUES (?, '{}') ON CONFLICT DO NOTHING", (recipe_key,))
    for number, rows in enumerate(made):
        name = f"bench:{number}"
        file.execute(
            """INSERT INTO videos (id, url, title, duration_s, width_px, height_px, truncated)
            VALUES (?, '', ?, ?, 640, 360, 0)""",
            (name, f"Video {number}", float(len(rows))),
        )
        _post(file, name)
        indexing = file.execute(
            "INSERT INTO indexings (video_id, recipe_key) VALUES (?, ?)", (name, recipe_key)
        ).lastrowid
        times_s = np.arange(len(rows), dtype="<f8")
        for chunk, start in enumerate(range(0, len(rows), _CHUNK_FRAMES)):
            part = slice(start, start + _CHUNK_FRAMES)
            blobs = times_s[part].tobytes(), rows[part].tobytes()
            file.execute(
                "INSERT INTO chunks (indexing_id, number, times_s, vectors) VALUES (?, ?, ?, ?)",
                (indexing, chunk, *blobs),
            )
        written += len(rows)
    file.commit()
    return written


def _post(file: sqlite3.Connection, name: str) -> None:
    columns = {row[1] for row in file.execute("PRAGMA table_info(postings)")}
    values: dict[str, object] = {
        "video_id": name, "platform": SCOPE.platform, "space": SCOPE.space, "channel": SCOPE.channel, "user_id": "u1",
        "user_name": "Ada", "message": name, "posted_at": "2026-11-22T12:00:00.000000+00:00",
        "message_url": "", "title": name.replace("bench:", "Video "), "url": "", "uploader": "",
    }  # fmt: skip
    kept = {key: value for key, value in values.items() if key in columns}
    marks = ", ".join(f":{key}" for key in kept)
    file.execute(f"INSERT INTO postings ({', '.join(kept)}) VALUES ({marks})", kept)  # noqa: S608 - our own names
