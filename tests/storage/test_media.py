"""The media folder keeps each video's file once, within its quota, and never touches a user's own."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from core.errors import FileMissing, StorageUnusable
from storage.media import MediaFolder

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_kept_file_is_found_again_by_its_videos_id(media: MediaFolder) -> None:
    kept = await _keep(media, "youtube:a", b"video a", "a.MP4")
    assert await media.path("youtube:a") == kept
    assert kept.read_bytes() == b"video a"
    assert kept.suffix == ".mp4"
    assert await media.path("youtube:b") is None


async def test_a_kept_file_survives_closing_and_opening(media: MediaFolder, tmp_path: Path) -> None:
    kept = await _keep(media, "youtube:a", b"video a")
    other = await MediaFolder.open(tmp_path / "media", quota_bytes=1000)
    assert await other.path("youtube:a") == kept
    await other.close()


@pytest.mark.parametrize("name", ["video", "video.a strange suffix", "video." + "x" * 200, "film.mp4*"])
async def test_a_strange_file_name_does_not_reach_the_store(media: MediaFolder, name: str, tmp_path: Path) -> None:
    kept = await _keep(media, "../../etc/passwd", b"video", name)
    assert kept.parent == tmp_path / "media"
    assert kept.suffix == ""
    assert await media.path("../../etc/passwd") == kept


async def test_a_video_kept_again_has_one_file(media: MediaFolder, tmp_path: Path) -> None:
    await _keep(media, "youtube:a", b"old", "a.mp4")
    kept = await _keep(media, "youtube:a", b"new", "a.webm")
    assert _stored(tmp_path) == [kept.name]
    assert kept.read_bytes() == b"new"


async def test_the_least_recently_used_files_go_when_the_quota_is_reached(media: MediaFolder) -> None:
    for name in ("a", "b", "c"):
        await _keep(media, name, bytes(300))
    assert await media.path("a") is not None
    await _keep(media, "d", bytes(400))
    assert [await media.path(name) is not None for name in "abcd"] == [True, False, True, True]


async def test_a_file_that_is_replaced_frees_its_own_bytes(media: MediaFolder) -> None:
    await _keep(media, "a", bytes(500))
    await _keep(media, "b", bytes(500))
    await _keep(media, "b", bytes(400))
    assert await media.path("a") is not None


async def test_a_video_larger_than_the_quota_is_kept_alone(media: MediaFolder) -> None:
    await _keep(media, "a", bytes(300))
    await _keep(media, "large", bytes(2000))
    assert await media.path("large") is not None
    assert await media.path("a") is None


async def test_a_forgotten_file_is_gone(media: MediaFolder, tmp_path: Path) -> None:
    await _keep(media, "a", b"video")
    await media.forget("a")
    await media.forget("a")
    assert await media.path("a") is None
    assert _stored(tmp_path) == []


async def test_a_file_that_a_cancelled_task_keeps_does_not_come_after_forgetting(
    media: MediaFolder,
) -> None:
    async with media.workshop() as folder:
        path = folder / "film.mp4"
        path.write_bytes(b"video" * 1000)
        keeping = asyncio.create_task(media.keep(path, "sha256:x"))
        await asyncio.sleep(0)
        keeping.cancel()
        keeping.cancel()
        await asyncio.wait({keeping})
        assert keeping.cancelled()
        assert await media.path("sha256:x") is not None
        await media.forget("sha256:x")


async def test_a_users_own_file_stays_where_and_as_it_was(media: MediaFolder, tmp_path: Path) -> None:
    own = tmp_path / "holiday.mp4"
    own.write_bytes(b"my video")
    os.utime(own, (1_000_000_000, 1_000_000_000))
    async with media.workshop() as folder:
        copy = await media.copy_in(own, folder)
        assert (copy.parent, copy.name) == (folder, "holiday.mp4")
        kept = await media.keep(copy, "sha256:ab")
    assert await media.path("sha256:ab") == kept
    assert own.stat().st_mtime == 1_000_000_000
    await media.forget("sha256:ab")
    assert own.read_bytes() == b"my video"


async def test_the_same_own_file_can_be_kept_twice(media: MediaFolder, tmp_path: Path) -> None:
    own = tmp_path / "holiday.mp4"
    own.write_bytes(b"my video")
    for _ in range(2):
        async with media.workshop() as folder:
            await media.keep(await media.copy_in(own, folder), "sha256:ab")
    assert own.read_bytes() == b"my video"
    assert len(_stored(tmp_path)) == 1


async def test_a_link_to_a_users_file_is_followed(media: MediaFolder, tmp_path: Path) -> None:
    own, link = tmp_path / "holiday.mp4", tmp_path / "link.mp4"
    own.write_bytes(b"my video")
    link.symlink_to(own)
    async with media.workshop() as folder:
        copy = await media.copy_in(link, folder)
        assert not copy.is_symlink()
        assert copy.read_bytes() == b"my video"


async def test_writing_over_a_users_file_in_place_does_not_change_what_was_kept(
    media: MediaFolder, tmp_path: Path
) -> None:
    own = tmp_path / "holiday.mp4"
    own.write_bytes(b"my video")
    async with media.workshop() as folder:
        kept = await media.keep(await media.copy_in(own, folder), "sha256:ab")
    own.write_bytes(b"other!!")
    assert kept.read_bytes() == b"my video"


async def test_an_upload_that_lies_in_a_workshop_costs_no_copy(media: MediaFolder) -> None:
    async with media.workshop() as uploads, media.workshop() as folder:
        upload = uploads / "holiday.mp4"
        upload.write_bytes(b"my video")
        assert (await media.copy_in(upload, folder)).samefile(upload)


async def test_a_second_file_of_the_same_name_never_overwrites_the_first(media: MediaFolder, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "film.mp4").write_bytes(name.encode())
    async with media.workshop() as folder:
        await media.copy_in(tmp_path / "a" / "film.mp4", folder)
        with pytest.raises(StorageUnusable):
            await media.copy_in(tmp_path / "b" / "film.mp4", folder)
    assert (tmp_path / "a" / "film.mp4").read_bytes() == b"a"


@pytest.mark.parametrize("name", ["nothing.mp4", "."])
async def test_what_is_no_file_is_said_to_be_missing(media: MediaFolder, tmp_path: Path, name: str) -> None:
    async with media.workshop() as folder:
        with pytest.raises(FileMissing):
            await media.copy_in(tmp_path / name, folder)


async def test_a_media_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageUnusable) as caught:
        await MediaFolder.open(tmp_path / "file" / "media", 1000)
    assert isinstance(caught.value.__cause__, OSError)


async def test_a_disk_that_is_full_is_the_operators_to_mend(
    media: MediaFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageUnusable, match="No space left"):
        await _keep(media, "a", b"video")
    assert _stored(tmp_path) == []


async def _keep(media: MediaFolder, video_id: str, content: bytes, name: str = "film.mp4") -> Path:
    async with media.workshop() as folder:
        (folder / name).write_bytes(content)
        return await media.keep(folder / name, video_id)


def _stored(tmp_path: Path) -> list[str]:
    return [path.name for path in (tmp_path / "media").iterdir() if path.is_file()]


async def test_a_clock_that_jumps_back_does_not_change_which_file_was_used_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns = [2_000_000_000 * 10**9]
    monkeypatch.setattr("time.time_ns", lambda: now_ns[0])
    media = await MediaFolder.open(tmp_path / "media", quota_bytes=1000)
    await _keep(media, "first", bytes(400))
    await media.close()
    now_ns[0] -= 10**18
    media = await MediaFolder.open(tmp_path / "media", quota_bytes=1000)
    await _keep(media, "second", bytes(400))
    await media.path("first")
    await _keep(media, "third", bytes(400))
    assert await media.path("second") is None
    assert await media.path("first") is not None
    await media.close()
