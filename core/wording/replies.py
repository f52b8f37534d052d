"""What is said of indexing, forgetting, switching, status and help."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from core.errors import JobCancelled
from core.formatting import clock, roughly
from core.limits import INVITED_S
from core.links import at_second
from core.model.actions import Cancel
from core.model.reply import Button, Link, Picture, Progress, Reply
from core.wording.errors import sentence

if TYPE_CHECKING:
    from core.errors import AppError
    from core.model.events import Door, LeftOut, Status, Turn
    from core.model.requests import JobRef
    from core.model.video import Indexed, Posting, Video

_STAGES = {
    "waiting": "Waiting for my turn",
    "fetching": "Fetching the video",
    "looking": "Looking at its frames",
    "saving": "Writing it down",
    "loading": "Loading the model",
    "retrying": "I shall try again",
}
_MOST_NAMED, _MOST_NAME = 10, 150
"""So many videos are named that are left alone, with so many characters of each."""
WELCOME = "Hello! This is my demo video. Once it is indexed, ask for anything that you can see in it."
SUGGESTIONS = (
    "/find a woman swimming in water",
    "/find a steam train in the snow",
    "/find a dog at night",
    "/help",
)
ASKING = """/find a woman in water: the best frame, a plot over time, the other moments
/find a woman in water -boat -"red car": without these
/find a man in a "red car": what stands in quotes weighs more
/find a car > an explosion: one thing, then another within 30 s; >5m for five minutes
/find a dog | a cat | a horse: side by side, with the probabilities among them
/find a dog from:ada after:yesterday before:2026-11-20 in:clips video:holiday: only videos posted like that
/find +at night: refines your last question"""
HELP = f"""Post a link to a video, or drop a file here, and I index it. Then ask me for anything you can see in it.

{ASKING}

Drop or paste a picture, with words or without: I look for what it shows. Under an answer, “Refine” adds to its \
question, “More like this” finds similar frames, 👍 and 👎 rank it for everybody (press again to undo).
/videos: the videos that can be searched here
/forget TITLE: forget a video
/help: this list"""
SHARED_HELP = """Post a link to a video, or a file, and I index it. Then ask me for anything that can be seen in it.

{asking}

{picture} “Refine” under an answer takes your next reply \
to it as words to add to its question; so does a reply that mentions me. Other replies are yours. \
👍 and 👎 rank an answer for everybody; the same again takes that back. Anybody may press the buttons.
{videos}: the videos here; {index} LINK: index a video; {forget} TITLE: forget one
/keaton on, /keaton off, {status}: whether I look at what is posted here; how things stand
{help}: this list

Mention me with what you look for, and I search too. When a message is deleted, I forget the video that it brought."""
PICTURES = {
    "discord": "/find-picture looks for what a picture shows; so do “Find this picture” in a message's menu and "
    "mentioning me beside one.",
    "slack": "Mention me beside a picture, or use “Find a moment” in its message's menu: I look for what it shows.",
}
BLIND = (
    "I cannot see what messages say here, so I miss posted links. Mention me beside a link, "
    "use {index}, or open a message's menu and choose “Index this video”."
)


def problem(error: AppError, *, updates: bool = False) -> Reply:
    """Say what went wrong, to the asker alone."""
    return Reply(sentence(error), tone="error", private=True, updates=updates)


def working(progress: Progress, job: JobRef | None = None) -> Reply:
    """Say how far a video is; one that was written down can be cancelled."""
    text = _STAGES.get(progress.stage, progress.stage)
    if progress.trouble is not None:
        text = f"{sentence(progress.trouble)} {text}"
    if progress.ahead:
        text += f": {_videos(progress.ahead)} before yours"
    if progress.fraction is not None:
        text += f": {progress.fraction:.0%}"
    if progress.eta_s is not None and progress.eta_s >= 1:
        text += f" in {roughly(progress.eta_s)}" if progress.trouble else f", {roughly(progress.eta_s)} left"
    buttons = (Button(Cancel(job.id).id, "Cancel"),) if job else ()
    return Reply(text + "…", progress=progress, buttons=buttons)


def cancelled() -> Reply:
    """Say to the canceller of a video that it is cancelled, in the words that its own answer has."""
    return problem(JobCancelled())


def refining() -> Reply:
    """Say what to do next after *Refine* was pressed."""
    text = (
        f"Reply to this answer within {roughly(INVITED_S)} with what to add to its question, such as: at night -boat. "
        "I take that one reply. /find +at night adds to your own last question."
    )
    return Reply(text, private=True)


def parked(reply: Reply) -> Reply:
    """Say of work that it goes on after a restart."""
    text = "I am being restarted. What I had begun here goes on as soon as I am back."
    return replace(reply, text=text, progress=None, buttons=())


def renewing(video: Video, progress: Progress) -> Reply:
    """Say that a video is indexed once more, since the model has changed."""
    reply = working(progress)
    return replace(reply, text=f"The model has changed, so I look at {video.title} once more. {reply.text}")


def indexed(result: Indexed, sheet: bytes | None, turn: Turn) -> Reply:
    """Say that a video can be searched now."""
    video, door = result.video, turn.door
    facts = f"{clock(video.duration_s)} long"
    if video.uploader:
        facts += f", by {video.uploader}"
    if result.frames:
        facts += f", {_frames(result.frames)}"
    first = "Ready to search" if result.frames else "I know this video already"
    text = f"{first}: {facts}. Try /find and what you want to see."
    if result.several:
        text += " There are several videos behind that link; this is the first."
    if video.truncated:
        text += f" The file breaks off at {clock(video.duration_s)}; I looked at all that could be read."
    if door.shared:
        text += f"\nPosted by {turn.user_name}."
    return Reply(
        text, title=video.title, pictures=_sheet(video, sheet, door), links=video_links(video, 0.0), videos=(video.id,)
    )


def forgotten(title: str, others: Posting | None) -> Reply:
    """Say that a video went, or that only the asker's own postings did, since others posted it here too.

    Whether it stays in other channels is nobody's business here.
    """
    if others is None:
        return Reply(f"Forgotten: {title}. Its frames, pictures and file are gone from here.")
    return Reply(f"I took your post of {title} back. {others.user_name} posted it here too, so it stays.")


def taken_back() -> Reply:
    """Say in the place of an answer that what it showed was forgotten."""
    return Reply("The video that was shown here was forgotten, so this answer is gone.")


def help_text(door: Door) -> Reply:
    """Say what Keaton can do."""
    names = {name: door.command(name) for name in ("videos", "index", "forget", "status", "help")}
    shared = SHARED_HELP.format(**names, asking=ASKING, picture=PICTURES.get(door.platform, ""))
    return Reply(shared if door.shared else HELP, title="What I can do", private=True)


def switched(*, on: bool, since: bool = False) -> Reply:
    """Say how a channel stands that was switched, or that was switched otherwise since."""
    if on:
        first = "This channel was switched on since:" if since else "On: from now"
        return Reply(f"{first} I look at every video that is posted in this channel.")
    first = "This channel was switched off since" if since else "Off"
    return Reply(f"{first}: I leave what is posted in this channel alone. /find still searches the videos that I know.")


def status(event: Status, videos: int, model: str, *, on: bool) -> Reply:
    """Say how things stand in a channel."""
    lines = [
        "I look at every video that is posted in this channel." if on else "I am switched off in this channel.",
        f"{_videos(videos)} can be searched here.",
        f"Model: {model}." if model else "The model is still loading.",
    ]
    if event.blind:
        lines.append(BLIND.format(index=event.turn.door.command("index")))
    if event.missing:
        lines.append(f"I lack permissions here: {', '.join(event.missing)}.")
    return Reply("\n".join(lines), title="How things stand", private=True)


def unclear(door: Door, text: str = "") -> Reply:
    """Say how to talk to Keaton, and which command may have been meant."""
    said = text.strip().removeprefix("/keaton").strip().removeprefix("/").partition(" ")[0].lower()
    known = {name: door.command(name) for name in ("find", "videos", "index", "forget", "help")}
    if door.shared:
        known |= {name: f"/keaton {name}" for name in ("on", "off")} | {"status": door.command("status")}
    meant = [known[name] for name in get_close_matches(said, known, 1, 0.7)]
    first = f"Did you mean {meant[0]}? " if meant else ""
    return Reply(
        f"{first}To search, write /find and what you want to see. {door.command('help')} shows everything I can do.",
        private=True,
    )


def left_out(event: LeftOut) -> Reply:
    """Name what a message holds beyond what is indexed."""
    named = "\n".join(f"• {name[:_MOST_NAME]}" for name in event.names[:_MOST_NAMED])
    more = len(event.names) - _MOST_NAMED
    others = f"\n… and {more} more" if more > 0 else ""
    first = f"I look at {event.most} videos of a message. Left alone; post them in another:"
    return Reply(f"{first}\n{named}{others}", private=True)


def _frames(count: int) -> str:
    return "1 frame" if count == 1 else f"{count} frames"


def _videos(count: int) -> str:
    return "1 video" if count == 1 else f"{count} videos"


def so_far(video: Video, share: float) -> str:
    """Say that a video is still being indexed."""
    return f"{video.title}: {share:.0%} indexed so far."


def not_indexed_yet() -> Reply:
    """Say why a press under a moment of a video under way does nothing, to the presser alone."""
    text = "That video is still being indexed. Press again when it is ready to search."
    return Reply(text, tone="error", private=True)


def still_renewing(count: int) -> str:
    """Say that some videos are left out, since the present model has not indexed them yet."""
    videos = "1 more video is" if count == 1 else f"{count} more videos are"
    return f"{videos} being looked at with the new model, and not in this answer yet."


def from_storage(count: int) -> str:
    """Say that some videos do not fit into memory, so that the search took longer."""
    videos = "1 video does" if count == 1 else f"{count} videos do"
    return f"{videos} not fit into memory and had to be read from the disk, so this took longer."


def _sheet(video: Video, sheet: bytes | None, door: Door) -> tuple[Picture, ...]:
    if sheet is None:
        return ()
    alt = f"Contact sheet of {video.title}: frames from start to end"
    return (Picture("sheet", "sheet.jpg", alt, dict.fromkeys(door.themes, sheet)),)


def video_links(video: Video, time_s: float) -> tuple[Link, ...]:
    """Return where people watch a video: at that time, where its site has such links."""
    if not video.url:
        return ()
    place = at_second(video.url, time_s) if time_s else None
    return (Link(place, f"Open at {clock(time_s)}") if place else Link(video.url, "Open the video"),)
