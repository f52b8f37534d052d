"""What the command line prints and writes: progress, lists and answers, as text or JSON."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bot.cli.terminal_words import DOUBTFUL, NO_VIDEO
from core.answers.view import each_second, shares
from core.errors import FolderUnwritable
from core.formatting import clock
from core.wording import answers as telling
from core.wording import lists, replies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from core.model import reply
    from core.model.answer import AnswerView
    from core.model.results import Moment, SearchResult
    from core.model.video import Indexed, PostedVideo, Video
    from core.ports.retention import Holding


_LABEL, _LEAST_LABEL = 40, 10


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """Where the pictures of an answer were written, if they were."""

    image: Path | None
    plot: Path | None
    then: Path | None
    """The frame of what follows, in a sequence."""


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[reply.Progress], None]]:
    """Show a bar on stderr; give what to call with each report."""
    columns = (
        TextColumn("{task.fields[label]}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.description}", markup=False),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None, label=_short(label, console.width))

        def report(progress: reply.Progress) -> None:
            known = progress.fraction is not None
            bar.update(
                task, description=progress.stage, total=1.0 if known else None, completed=progress.fraction or 0.0
            )

        yield report


def _short(label: str, width: int) -> str:
    """Shorten what a bar is for, to a third of a narrow terminal."""
    most = max(_LEAST_LABEL, min(_LABEL, width // 3))
    return label if len(label) <= most else f"{label[: most - 1]}…"


def indexed(one: Indexed) -> None:
    """Print that a video can be searched."""
    news = f"{one.frames} frames" if one.frames else "known already"
    cut = ", breaks off early" if one.video.truncated else ""
    click.echo(f"{one.video.title} ({clock(one.video.duration_s)}{cut}): {news}.")


def summed_up(done: Sequence[Indexed], failed: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """Print how many videos were indexed, known and refused, where they are several; as JSON, each of them."""
    if as_json:
        videos = [{**_video(one.video), "frames": one.frames, "truncated": one.video.truncated} for one in done]
        _print_json({"videos": videos, "failed": [{"source": source, "error": why} for source, why in failed]})
        return
    count, fresh = len(done) + len(failed), sum(one.frames > 0 for one in done)
    if count > 1:
        known = len(done) - fresh
        click.echo(f"{count} videos: {fresh} indexed, {known} known already, {len(failed)} failed.", err=True)


def found(
    result: SearchResult,
    files: AnswerFiles,
    logit_scale: float,
    called: Mapping[str, str],
    *,
    as_json: bool,
    is_doubtful: bool,
) -> None:
    """Print an answer; `called` gives each video's name by its id."""
    among = shares(result.query, result.best.among, logit_scale)
    if as_json:
        _print_json({**_answer(result, files, among), "verdict_in_doubt": is_doubtful})
        return
    click.echo(telling.headline(result))
    if is_doubtful:
        click.echo(DOUBTFUL, err=True)
    for number, moment in enumerate(result.moments, 1):
        click.echo(f"{number:3}. {_moment(result, moment, called)}")
    for text, share in among:
        click.echo(f"     {share:.4f}  {text}")
    for path in (files.image, files.then, files.plot):
        if path:
            click.echo(str(path))
    if result.from_storage:
        click.echo(replies.from_storage(result.from_storage), err=True)


def _moment(result: SearchResult, moment: Moment, called: Mapping[str, str]) -> str:
    where = "" if moment.video_id == result.best.video_id else f"  in {called.get(moment.video_id, 'another video')}"
    span = f"{clock(moment.start_s)} to {clock(moment.end_s)}"
    then = f", then {clock(moment.then.peak_s)}" if moment.then else ""
    text = f"  {result.curve.lines[moment.part].text}" if result.curve.lines and not moment.then else ""
    is_lower = moment.video_id in result.absent and moment.score > result.best.score
    why = " (lower down, for that video probably does not show it)" if is_lower else ""
    return f"{clock(moment.peak_s):>7}{then}  {span}  similarity {moment.score:.3f}{text}{where}{why}"


def listed(posted: Sequence[PostedVideo], *, as_json: bool) -> None:
    """Print a list of videos."""
    if as_json:
        _print_json({"videos": [_posted(one) for one in posted]})
        return
    click.echo(lists.lines(posted) if posted else NO_VIDEO)


def forgotten(video: Video) -> None:
    """Print that a video went."""
    click.echo(replies.forgotten(video.title, None).text)


def spaces(holdings: Sequence[Holding], *, as_json: bool) -> None:
    """Print the spaces that videos are known from."""
    if as_json:
        made = [{**asdict(one.space), "channels": one.channels, "videos": one.videos} for one in holdings]
        _print_json({"spaces": made})
        return
    for one in holdings:
        videos, channels = _counted(one.videos, "video"), _counted(one.channels, "channel")
        click.echo(f"{one.space.platform:8} {one.space.name}  {videos} in {channels}")
    if not holdings:
        click.echo("No video was posted anywhere yet.")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def write(shown: AnswerView, folder: Path) -> AnswerFiles:
    """Write the frame and the plot; raises FolderUnwritable."""
    image = _put(folder / "frame.jpg", shown.still.jpeg) if shown.still else None
    then = _put(folder / "then.jpg", shown.second.jpeg) if shown.second else None
    (plot,) = (_put(folder / "plot.png", png) for png in shown.plots.values())
    return AnswerFiles(image, plot, then)


def save(path: Path, data: bytes) -> None:
    """Write one file; raises FolderUnwritable."""
    _put(path, data)


def prepare(folder: Path) -> None:
    """Make a folder for pictures, before the work begins; raises FolderUnwritable."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what goes wrong while something is written there into FolderUnwritable."""
    try:
        yield
    except OSError as error:
        raise FolderUnwritable(str(path), error.strerror or "") from error


def _put(path: Path, data: bytes) -> Path:
    with writing(path):
        path.write_bytes(data)
    return path


def _answer(result: SearchResult, files: AnswerFiles, among: Sequence[tuple[str, float]]) -> dict[str, object]:
    best, curve = result.best, each_second(result.curve, result.moments)
    several: dict[str, object] = {"form": result.query.asked.form}
    if curve.lines:
        several["curves"] = [{"text": line.text, "scores": line.scores.tolist()} for line in curve.lines]
    if among:
        several["probabilities"] = [{"text": text, "probability": share} for text, share in among]
    if files.then:
        several["then_image"] = str(files.then)
    return {
        **several,
        "query": result.query.text,
        "video": _video(curve.video),
        "best": {"time_s": best.peak_s, "score": best.score, "image": _text(files.image)},
        "moments": [{**asdict(one), "absent": one.video_id in result.absent} for one in result.moments],
        "curve": {"times_s": curve.times_s.tolist(), "scores": curve.scores.tolist()},
        "plot": _text(files.plot),
        "verdict": result.verdict,
        "baseline": asdict(curve.baseline) if curve.baseline else None,
    }


def _video(video: Video) -> dict[str, object]:
    return {"id": video.id, "title": video.title, "url": video.url, "duration_s": video.duration_s}


def _posted(one: PostedVideo) -> dict[str, object]:
    posting = one.posting
    return {**_video(one.video), "posted_by": posting.user_name, "posted_at": posting.posted_at.isoformat()}


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _print_json(document: dict[str, object]) -> None:
    click.echo(json.dumps(document, ensure_ascii=False))
