"""A model's weights on the disk and on the Hugging Face hub: which file, is it here, and downloading it.

The hub's own client begins a broken download anew (huggingface_hub 2, pull request 4228). Here what has arrived stays
beside the hub's cache until it is whole and checked; then the client puts it into the cache, where others find it too.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from filelock import FileLock
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    get_session,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import build_hf_headers, hf_raise_for_status  # type: ignore[attr-defined] # documented

if TYPE_CHECKING:
    from collections.abc import Callable

    from huggingface_hub.file_download import HfFileMetadata

    Report = Callable[[int, int], None]
    """Hears how many bytes are here, and of how many."""

HALVES = ("open_clip_model_fp16.safetensors", "open_clip_model.fp16.safetensors")
"""Weights in half precision, for half the download; a processor computes with them in float32 all the same."""
WHOLES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
PATIENCE_S = 5.0
"""For the hub's first answer: the client's own takes most of a minute where packets are dropped."""
PAUSES_S = (1.0, 3.0, 10.0, 30.0)
"""Before a download that broke off is resumed."""
_PART = re.compile(r"(?P<etag>[A-Za-z0-9-]{6,128})\.(?P<size>\d+)\.part")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_READ_BYTES = 1 << 22
_SERVERS_FAULT = 500
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
"""The hub asks for patience with these."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HubWeights:
    """Where the hub has a model's weights."""

    repo: str
    files: tuple[str, ...] = (*HALVES, *WHOLES)
    """Names to look for, the best first."""

    @classmethod
    def of(cls, place: str) -> HubWeights:
        """Return them by open_clip's "org/repo/" or "org/repo/file"."""
        repo, _, name = place.rpartition("/")
        if not name:
            return cls(repo)
        path = Path(name)
        return cls(repo, (path.with_suffix(".safetensors").name, name) if path.suffix in {".bin", ".pth"} else (name,))

    def here(self, cache_dir: Path | None) -> Path | None:
        """Return the file on this disk, or None."""
        for name in self.files:
            found = try_to_load_from_cache(self.repo, name, cache_dir)
            if isinstance(found, str):
                return Path(found)
        return None

    def begun(self, cache_dir: Path | None) -> tuple[int, int] | None:
        """Return how many bytes of a download are here and of how many; None where none has begun."""
        parts = sorted(self._blobs(cache_dir).glob("*.part"), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in parts:  # the newest: an older one may be left of another file or revision
            if known := _PART.fullmatch(path.name):
                return path.stat().st_size, int(known["size"])
        return None

    def trouble(self) -> str:
        """Return why nothing can be downloaded, or ""; asks the hub."""
        try:
            self._file()
        except Exception as error:  # noqa: BLE001 - whatever the client raises, it is the reason
            return reason_of(error)
        return ""

    def fetch(self, cache_dir: Path | None, report: Report, pauses_s: tuple[float, ...] = PAUSES_S) -> Path:
        """Download the best file there is, going on where an earlier download broke off; return where it lies.

        Raises what the client does, with the reason, where that fails for good.
        """
        file, before, pauses = self._file(), self.begun(cache_dir), list(pauses_s)
        while True:
            try:
                return self._brought(file, cache_dir, report)
            except Exception as error:
                now = self.begun(cache_dir)
                pauses = list(pauses_s) if now != before else pauses  # a poor line is used for as long as it brings any
                if not pauses or _is_final(error):
                    raise
                before, pause_s = now, pauses.pop(0)
                log.warning("The download broke off (%s); it goes on in %.0f s.", error, pause_s)
                time.sleep(pause_s)

    def _file(self) -> str:
        """Return the name of the best file on the hub; fails at once where the hub cannot be reached."""
        for name in self.files:
            try:
                self._about(name)
            except EntryNotFoundError:
                continue
            return name
        raise FileNotFoundError(f"{self.repo} has none of {', '.join(self.files)}")

    def _about(self, name: str) -> HfFileMetadata:
        return get_hf_file_metadata(hf_hub_url(self.repo, name), timeout=PATIENCE_S)

    def _blobs(self, cache_dir: Path | None) -> Path:
        folder = repo_folder_name(repo_id=self.repo, repo_type="model")
        return Path(cache_dir or constants.HF_HUB_CACHE) / folder / "blobs"

    def _brought(self, name: str, cache_dir: Path | None, report: Report) -> Path:
        about = self._about(name)
        if about.size is None or about.etag is None or not _PART.fullmatch(f"{about.etag}.{about.size}.part"):
            raise OSError(f"{constants.ENDPOINT} does not say how large {name} is")
        blobs = self._blobs(cache_dir)
        blobs.mkdir(parents=True, exist_ok=True)
        blob, part = blobs / about.etag, blobs / f"{about.etag}.{about.size}.part"
        with FileLock(part.with_suffix(".lock")):
            if not blob.exists():
                _download(about, part, report)
                _check(part, about)
                part.replace(blob)
        placed = hf_hub_download(self.repo, name, cache_dir=cache_dir)
        part.with_suffix(".lock").unlink(missing_ok=True)
        return Path(placed)


class _DamagedError(Exception):
    """What has arrived is not what the hub has."""


def reason_of(error: Exception) -> str:
    """Say in a few words why nothing could be downloaded."""
    if isinstance(error, HfHubHTTPError):
        return f"it answers {error.response.status_code}"
    first = next(iter(str(error).strip().splitlines()), "")
    return re.sub(r"^\[Errno -?\d+\] ", "", first) or type(error).__name__


def _download(about: HfFileMetadata, part: Path, report: Report) -> None:
    """Bring the rest of a file."""
    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if urlsplit(about.location).netloc != urlsplit(constants.ENDPOINT).netloc:
        headers.pop("authorization", None)  # a signed address of a store that is not the hub
    total = about.size or 0
    with part.open("ab") as file:
        if file.tell() > total:
            file.truncate(0)
        done = file.tell()
        report(done, total)
        if done == total:
            return
        headers |= {"Range": f"bytes={done}-"} if done else {}
        timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
        with get_session().stream("GET", about.location, headers=headers, timeout=timeout) as response:
            hf_raise_for_status(response)
            if done and response.status_code == HTTPStatus.OK:  # the range was not heeded, and all comes anew
                file.truncate(0)
            for block in response.iter_raw():
                file.write(block)
                report(file.tell(), total)
    if part.stat().st_size != total:
        raise ConnectionError("the connection broke off")


def _check(part: Path, about: HfFileMetadata) -> None:
    """Compare a whole file with its digest, where the hub says one; drops it and raises where it is another."""
    if not about.etag or not _SHA256.fullmatch(about.etag):
        return
    digest = hashlib.sha256()
    with part.open("rb") as file:
        for block in iter(partial(file.read, _READ_BYTES), b""):
            digest.update(block)
    if digest.hexdigest() != about.etag:
        part.unlink()
        raise _DamagedError("what has arrived is damaged")


def _is_final(error: Exception) -> bool:
    """Tell whether it is of no use to try again: the hub says no, there is no room, or no right to write."""
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return status < _SERVERS_FAULT and status not in _LATER
    known = isinstance(error, OSError) and error.errno is not None
    return isinstance(error, EntryNotFoundError) or (known and not isinstance(error, ConnectionError | TimeoutError))
