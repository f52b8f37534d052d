"""A real library and a real media folder for each test, and makers of videos and postings."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pytest

from core.model.video import FrameIndex, IndexedVideo, Posting, Preprocess, Recipe, Sampling, Scope, Thumbnail, Video
from storage.library import SqliteLibrary
from storage.media import MediaFolder

if TYPE_CHECKING:
    from pathlib import Path

VideoMaker: TypeAlias = Callable[..., IndexedVideo]
PostingMaker: TypeAlias = Callable[..., Posting]


@pytest.fixture
def recipe() -> Recipe:
    preprocess = Preprocess(224, "shortest", "bicubic", (0.48, 0.46, 0.41), (0.27, 0.26, 0.28))
    return Recipe("ViT-B-32", "laion2b_s34b_b79k", preprocess, Sampling(), "fp32")


@pytest.fixture
def other_recipe(recipe: Recipe) -> Recipe:
    return Recipe("RN50", "openai", recipe.preprocess, recipe.sampling, recipe.precision)


@pytest.fixture
def channel() -> Scope:
    return Scope("discord", "guild", "general")


@pytest.fixture
def make_video(recipe: Recipe) -> VideoMaker:
    def make(
        video_id: str = "youtube:buster",
        *,
        frames: int = 20,
        dim: int = 64,
        seed: int = 1,
        title: str = "The General",
        recipe: Recipe = recipe,
        thumbnails: int = 3,
        jpeg: bytes = b"\xff\xd8 small picture",
    ) -> IndexedVideo:
        vectors = np.random.default_rng(seed).standard_normal((frames, dim)).astype(np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return IndexedVideo(
            video=Video(video_id, "https://films.test/watch", title, frames / 2, 640, 360),
            recipe=recipe,
            index=FrameIndex(np.arange(frames, dtype=np.float64) / 3, vectors),
            thumbnails=tuple(Thumbnail(n / 3, jpeg + str(n).encode()) for n in range(thumbnails)),
        )

    return make


@pytest.fixture
def make_posting(channel: Scope) -> PostingMaker:
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def make(
        video_id: str = "youtube:buster",
        *,
        scope: Scope = channel,
        user_id: str = "u1",
        message: str = "m1",
        minute: int = 0,
        title: str = "The General",
    ) -> Posting:
        at, url = noon + timedelta(minutes=minute, microseconds=7), "https://films.test/watch"
        return Posting(video_id, scope, user_id, "Ada", message, at, title=title, url=url)

    return make


@pytest.fixture
async def library(tmp_path: Path) -> AsyncIterator[SqliteLibrary]:
    opened = await SqliteLibrary.open(tmp_path / "keaton.db")
    yield opened
    await opened.close()


@pytest.fixture
async def media(tmp_path: Path) -> AsyncIterator[MediaFolder]:
    opened = await MediaFolder.open(tmp_path / "media", quota_bytes=1000)
    yield opened
    await opened.close()
