"""A conversation that knows no videos: it gives replies like the real one's, and waits where a test wants to look."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import av
import numpy as np

from bot.doors.requests import AcceptedRequest
from core.model.events import Action, FilePosted, Find, Help, Incoming, LinkPosted, ListVideos, Turn, Unclear
from core.model.reply import Button, Link, ListEntry, Picture, Progress, Reply
from tests.support.drawings import PEAKS_S, draw_frame, draw_plot, encode
from tests.support.page import cards

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from core.model.requests import JobRef, MessageKey
    from core.model.video import Scope

HELP = "Post a link to a video, or drop a file here, and I look at it.\n\n/find a woman in water: the best frame"

VOTED = "0:12 in Coast and harbour\n👍 and 👎 rank it: https://e.org/👍"


class Unwritten:
    """Takes everything up, as what was written down or not."""

    def __init__(self, job: JobRef | None = None) -> None:
        self.job = job
        self.ended: list[Incoming] = []

    async def take(self, key: MessageKey, event: Incoming, place: str = "") -> AcceptedRequest | None:  # noqa: ARG002 - the port's
        return AcceptedRequest(event, key, self.job)

    async def is_outdone(self, taken: AcceptedRequest, message: str) -> bool:  # noqa: ARG002 - the port's
        return False

    async def note_taken_back(self, scope: Scope, message: str) -> None:
        pass

    async def end(self, taken: AcceptedRequest) -> None:
        self.ended.append(taken.event)


class ScriptedConversation:
    """Answers at once, except that the middle of an indexing waits for `go_on`."""

    def __init__(self) -> None:
        self.events: list[Incoming] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.cancelled = 0
        self.posted: list[bytes] = []
        self.is_rich = False
        """Presses are answered as the product does, with all that a card has."""

    async def handle(self, event: Incoming) -> AsyncIterator[Reply]:  # noqa: C901, PLR0912 - a line each
        self.events.append(event)
        match event:
            case LinkPosted() | FilePosted():
                async for reply in self._index(event):
                    yield reply
            case Find(text="a preview"):
                yield replace(found("a preview", 1), pictures=(moving(),))
            case Find(text="a rich answer"):
                yield cards.answer()
            case Find(text="a tall answer"):
                yield cards.tall()
            case Find(text="an absent answer"):
                yield cards.answer(level="absent")
            case Find(text="a long name"):
                yield cards.answer(title=cards.LONG)
            case Find(text="a list"):
                yield listed()
            case Find(text="a bug"):
                raise RuntimeError("a secret of the program")
            case Find(text="a dog"):
                yield replace(found("a dog", 1), buttons=(Button("show:an-answer:1:m", "1 · 0:12"),))
            case Find(text=text):
                yield voted() if text == "a vote" else found(text, 1)
            case Action(id=id_):
                if self.is_rich:
                    yield cards.answer(int(id_.split(":")[2]), updates=True)
                    return
                number = id_.split(":")[2 if id_.startswith("show:") else 0]
                yield found("a woman swimming in water", int(number), updates=True)
            case Help():
                yield Reply(HELP, title="What I can do", private=True)
            case ListVideos():
                yield Reply("• Coast and harbour (1:34), posted by you, 3 Nov 2026", title="1 video")
            case _:
                yield Reply("There is no video by that name here.", tone="error", private=True)

    async def _index(self, event: LinkPosted | FilePosted) -> AsyncIterator[Reply]:
        yield working("Fetching the video: 8%…", Progress("fetching", 0.08))
        yield working("Looking at its frames: 42%, about 12 s left…", Progress("looking", 0.42, 12.0))
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(event, FilePosted):
            self.posted.append(event.path.read_bytes())
        text = "Ready to search: 1:34 long, 94 frames. Try /find and what you want to see."
        yield Reply(
            text, title="Coast and harbour", pictures=(sheet(),), links=(Link("https://e.org/v", "Open the video"),)
        )


def working(text: str, progress: Progress) -> Reply:
    return Reply(text, progress=progress)


def voted() -> Reply:
    return replace(found("a vote", 1), text=VOTED, buttons=(Button("up", "👍 2"), Button("down", "👎")))


def found(query: str, number: int, *, updates: bool = False) -> Reply:
    peak_s = PEAKS_S[number - 1]
    at = f"{peak_s // 60}:{peak_s % 60:02}"
    usual = f"Moment {number} of 5, from {at} to 1:41, similarity 0.31 (usual for this video: 0.19)"
    frame_alt = f"Frame at {at} of Coast and harbour, found for “{query}”"
    frame = Picture("frame", "frame.jpg", frame_alt, dict.fromkeys(("light", "dark"), draw_frame(number)))
    plots: dict[Literal["light", "dark"], bytes] = {"light": draw_plot(number, 255), "dark": draw_plot(number, 34)}
    plot = Picture("plot", "plot.png", f"Similarity of Coast and harbour to “{query}” over time", plots)
    return Reply(
        f"{at} in Coast and harbour\n{usual}",
        title=f"“{query}”",
        pictures=(frame, plot),
        buttons=buttons(number),
        links=(Link(f"https://example.org/watch?t={peak_s}", f"Open at {at}"), Link("javascript:alert(1)", "Evil")),
        updates=updates,
    )


def buttons(number: int) -> tuple[Button, ...]:
    return (
        Button(f"{number - 1}:p", "Previous", enabled=number > 1),
        *(Button(f"{n}:", f"{n} · {s // 60}:{s % 60:02}", active=n == number) for n, s in enumerate(PEAKS_S, 1)),
        Button(f"{number + 1}:n", "Next", enabled=number < len(PEAKS_S)),
        Button(f"{number}:s", "As softmax"),
    )


def sheet() -> Picture:
    row = np.hstack([np.full((90, 160, 3), (40 * n, 120, 220 - 40 * n), np.uint8) for n in range(5)])
    data = encode(".jpg", np.vstack([row, row[:, ::-1]]))
    alt = "Contact sheet of Coast and harbour: frames from start to end"
    return Picture("sheet", "sheet.jpg", alt, {"light": data, "dark": data})


def listed() -> Reply:
    """Give a page of a list, whose entries have pictures and say where they come from."""
    pictures, entries = [], []
    for number in (1, 2):
        jpeg = draw_frame(number)
        name, alt = f"video-{number}.jpg", f"A frame of video {number}"
        picture = Picture("thumb", name, alt, {"light": jpeg, "dark": jpeg})
        link = Link(f"https://example.org/{number}", "Posted by Ada")
        pictures.append(picture)
        entries.append(ListEntry(f"video {number} <b>", "0:09", link, picture.name))
    said = Reply("• video 1\n• video 2", title="2 videos", buttons=(Button("list:2:", "Next page"),))
    return replace(said, entries=tuple(entries), pictures=tuple(pictures))


def moving() -> Picture:
    """Give a second of video."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for shade in range(10):
            grey = av.VideoFrame.from_ndarray(np.full((120, 160), 20 * shade, np.uint8), "gray8")
            container.mux(stream.encode(grey.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    data = buffer.getvalue()
    return Picture("preview", "preview.mp4", "Preview of Coast and harbour", {"light": data, "dark": data})


def parse(turn: Turn, text: str) -> tuple[Incoming, ...]:
    """Spell commands roughly as the real parser does."""
    name, _, rest = text.partition(" ")
    links = tuple(LinkPosted(turn, word) for word in text.split() if word.startswith("http"))
    match name:
        case "/find":
            return (Find(turn, rest),)
        case "/help":
            return (Help(turn),)
        case "/videos":
            return (ListVideos(turn),)
        case _:
            return links or (Unclear(turn, text),)
