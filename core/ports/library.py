"""The library, the kept media files, the blob cache and the encoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from core.model.answer import Answer, Ballot, Vote
    from core.model.query import Posted
    from core.model.requests import JobRef
    from core.model.results import Curve, KeptCurves
    from core.model.video import (
        EncoderInfo,
        Floats,
        FrameIndex,
        IndexedVideo,
        Pixels,
        PostedVideo,
        Posting,
        Scope,
        Thumbnail,
        Video,
        View,
    )
    from core.ports.jobs import Partial
    from core.site_ids import Led


class Library(Protocol):
    """All that is kept. Every method may raise OperatorError (StorageUnusable) when the disk does not play along."""

    async def save(
        self, video: IndexedVideo, posting: Posting, links: Sequence[str], job: JobRef | None = None, site_id: str = ""
    ) -> None:
        """Keep a video, its posting, that these links led to it in that space, and that a job brought it, or nothing.

        `site_id`: see `core.site_ids`. Raises what `why_ended` gives.
        """
        ...

    async def refresh(self, video: IndexedVideo) -> None:
        """Keep what was seen anew of a video that is kept already, posting it nowhere: all of it, or nothing.

        Raises UnknownVideo when it was forgotten meanwhile.
        """
        ...

    async def post(
        self, posting: Posting, job: JobRef | None = None, frames: int = 0, links: Sequence[str] = (), site_id: str = ""
    ) -> None:
        """Make a video that is already kept visible in one more channel. The same posting twice counts once.

        A job brought it with so many frames, and these links led to it. Raises UnknownVideo when the video went
        meanwhile, and as `save` does.
        """
        ...

    async def video_at(self, link: str, scope: Scope) -> Led | None:
        """Return the video that a canonical link or a file's key leads to for who posts it there; see `site_ids`."""
        ...

    async def video(self, video_id: str) -> Video | None:
        """Return a video by its id, visible or not, without title, address and uploader: those belong to postings."""
        ...

    async def has_index(self, video_id: str, recipe_key: str) -> bool:
        """Tell whether the video was indexed with this recipe."""
        ...

    async def frame_count(self, video_id: str, recipe_key: str) -> int:
        """Count the frames of a video with this recipe."""
        ...

    async def videos(self, view: View) -> tuple[PostedVideo, ...]:
        """Return the videos in view, each with its newest posting there and as that one names it, newest first."""
        ...

    async def count(self, view: View) -> int:
        """Return how many videos are in view."""
        ...

    async def matching(self, view: View, typed: str, most: int) -> tuple[Video, ...]:
        """Return the videos in view whose titles there hold each word that was typed; of all of them, at most so many.

        First those whose title is that, or begins so, then those one of whose words does; of equals the newest first.
        """
        ...

    async def indexes(
        self, view: View, recipe_key: str, video_id: str | None = None
    ) -> tuple[tuple[Video, FrameIndex], ...]:
        """Return the videos in view that were indexed with this recipe, oldest first; only one where it is named.

        They bear the names of their newest postings in view.
        """
        ...

    async def partials(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[Partial, ...]:
        """Return the videos that open jobs of this view are about, as far as they were indexed with this recipe.

        They are in no list, and in no answer of the other methods, until they were indexed to their end.
        """
        ...

    async def shares(self, view: View, recipe_key: str, video_id: str | None = None) -> tuple[tuple[Video, float], ...]:
        """Return those videos without what was seen of them, each with the share (0 to 1) that was indexed."""
        ...

    async def any_index(self, view: View, recipe_key: str, video_id: str | None = None) -> bool:
        """Tell whether any video in view, or the one that is named, was indexed with this recipe."""
        ...

    async def stale(self, view: View, recipe_key: str) -> tuple[PostedVideo, ...]:
        """Return the videos in view that are indexed, but none with this recipe."""
        ...

    async def posting(self, video_id: str, view: View, user_id: str | None = None) -> Posting | None:
        """Return a video's newest posting in view, of one person where that is named."""
        ...

    async def thumbnails(self, video_id: str) -> tuple[Thumbnail, ...]:
        """Return a video's small pictures in the order of time."""
        ...

    async def forget(self, video_id: str, view: View, user_id: str | None = None, job: JobRef | None = None) -> bool:
        """Take back the video's postings in view, of one person where that is named, and answers that showed it.

        Their open jobs for it end. Tell whether no posting is left anywhere, so that the video itself went. For a job
        this is done once: what was posted after it stays.
        """
        ...

    async def unless_needed(self, video_id: str, forget: Callable[[str], Awaitable[None]]) -> None:
        """Delete a video's file unless it is needed by now; nothing can be written down until it is deleted."""
        ...

    async def has_loss(self) -> bool:
        """Tell whether videos may be missing that were kept, so that files which none leads to must not be deleted.

        That is so where there was no database, or another one, or where its newest changes were lost.
        """
        ...

    async def settle_losses(self) -> None:
        """Note that such files were set aside."""
        ...

    async def save_answer(self, answer: Answer, curves: KeptCurves | None = None) -> None:
        """Remember an answer, so that its buttons work later, with the curves that it was made of.

        Of the curves the first are kept that fit into the room for one answer, and none of a video that is not indexed
        to its end.
        """
        ...

    async def answer(self, answer_id: str) -> Answer | None:
        """Return a remembered answer."""
        ...

    async def amend_answer(
        self, answer_id: str, change: Callable[[Answer], Answer], curves: KeptCurves | None = None
    ) -> Answer | None:
        """Change a remembered answer in one transaction; return it as it is then, or None where it is gone.

        Its kept curves are replaced where new ones are given.
        """
        ...

    async def kept_curve(self, answer_id: str, video_id: str, recipe_key: str) -> Curve | None:
        """Return the curve of a video that an answer was made of; None where it has to be computed again.

        That is so where it was not kept, or where the video has other embeddings with this recipe by now. Its scores
        are rounded to float16, but no verdict on them changes. Its video has no title, address and uploader, as that
        of `video`; it has no vectors.
        """
        ...

    async def last_answer(self, scope: Scope, user_id: str) -> Answer | None:
        """Return the newest answer that was shown there to a question of that person's."""
        ...

    async def vote(self, view: View, ballots: Sequence[Ballot], job: JobRef | None = None) -> None:
        """Put one person's votes in the place of those that they cast on the moments before.

        Where all of them stood already they are taken back. Votes count in the view's whole space. For a job this
        is done once: a later call changes nothing. Presses come to the same in whatever order they are counted.
        Raises AnswerGone where a video is not posted in that space, which leaves the job to be done.
        """
        ...

    async def votes(self, view: View, terms: Sequence[str]) -> tuple[Vote, ...]:
        """Return the votes for these terms (see `answer.term_keys`) on videos in view."""
        ...

    async def posted(self, view: View, how: Posted) -> frozenset[str]:
        """Return the ids of the videos that were posted so within the view."""
        ...

    async def posters(self, view: View) -> tuple[tuple[str, str], ...]:
        """Return id and name of everybody who posted a video in view; who changed names comes with each."""
        ...


class Media(Protocol):
    """The kept media files, under a quota. Methods raise StorageUnusable."""

    def workshop(self) -> AbstractAsyncContextManager[Path]:
        """Return an empty folder on the same disk that is gone afterwards, whatever happens."""
        ...

    async def keep(self, path: Path, video_id: str) -> Path:
        """Take a file from a workshop into the store; return its new place. When full, the longest unused go."""
        ...

    async def copy_in(self, path: Path, folder: Path) -> Path:
        """Bring a user's own file into a workshop folder; the original stays, and may be written over later.

        Raises FileMissing.
        """
        ...

    async def path(self, video_id: str) -> Path | None:
        """Return the kept file and count it as used, or None when it was never kept or had to go."""
        ...

    async def forget(self, video_id: str) -> None:
        """Delete the kept file, if there is one, also where it was set aside."""
        ...

    @property
    def inbox(self) -> Path:
        """Return the folder where posted files lie until their job has ended."""
        ...

    async def take_posted(self, path: Path, data: bytes) -> None:
        """Write a small file into the inbox."""
        ...

    async def posted(self, path: Path) -> bytes | None:
        """Return a small file of the inbox, or None where there is none."""
        ...

    async def drop_posted(self, path: Path) -> None:
        """Delete a file, if it lies in the inbox: a user's own stays."""
        ...

    async def set_aside(self, needed: Callable[[], Awaitable[tuple[frozenset[str], frozenset[str]]]]) -> Path | None:
        """Move files that nothing leads to into a folder of their own; return it, or None where there are none.

        Of the inbox, too. They come back by `bring_back`.
        """
        ...

    async def bring_back(self, needed: Callable[[], Awaitable[tuple[frozenset[str], frozenset[str]]]]) -> int:
        """Move files back that were set aside, and that videos lead to again; count them."""
        ...

    async def sweep(self, needed: Callable[[], Awaitable[tuple[frozenset[str], frozenset[str]]]]) -> int:
        """Delete files that nothing leads to; count them.

        `needed` is asked after the files were listed, and gives the videos by id and files of the inbox by path.
        """
        ...


class BlobCache(Protocol):
    """Small things that were dear to make and can be made again. Methods raise StorageUnusable."""

    async def get(self, name: str) -> bytes | None:
        """Return what is kept under a file name, or None."""
        ...

    async def put(self, name: str, data: bytes) -> None:
        """Keep something, in the place of what had this name."""
        ...


class Encoder(Protocol):
    """CLIP, or something like it. Computes on a bounded thread pool of its own; never blocks the event loop."""

    @property
    def loaded(self) -> bool:
        """Tell whether the model stands ready, so that nobody need wait."""
        ...

    async def ready(self) -> EncoderInfo:
        """Wait until the model is loaded and tested.

        Raises WeightsUnavailable, UnknownModel, EncoderBroken, BadSetting.
        """
        ...

    async def images(self, pixels: Pixels) -> Floats:
        """Return (N, D) float32 unit vectors for (N, S, S, 3) uint8 RGB inputs as `SampledFrame.pixels` holds them."""
        ...

    async def frames(self, pixels: Pixels) -> Floats:
        """Return the same for frames of a video, and let those go first who wait for an answer."""
        ...

    async def texts(self, texts: Sequence[str]) -> Floats:
        """Return (N, D) float32 unit vectors."""
        ...
