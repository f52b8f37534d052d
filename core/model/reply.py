"""What a door shows: a reply with its text, pictures, buttons, links and progress."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.errors import AppError

Theme: TypeAlias = Literal["light", "dark"]
PlotStyle: TypeAlias = Literal["similarity", "softmax"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture in a reply, still or moving."""

    kind: Literal["frame", "plot", "sheet", "preview", "ends", "cut", "thumb"]
    name: str
    """File name, with its suffix: .jpg, .png, .gif or .mp4."""
    alt: str
    """Says what is seen."""
    data: dict[Theme, bytes]
    """Encoded image for each theme of the door; pictures without themes hold the same bytes for each."""

    @property
    def is_video(self) -> bool:
        """Tell whether it needs a player."""
        return self.name.endswith(".mp4")


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a reply."""

    id: str
    """At most 100 characters; holds no state but ids."""
    label: str
    active: bool = False
    """It stands for what is being shown."""
    enabled: bool = True
    row: int = 0
    """Buttons of one row stand together; a smaller number stands above."""
    more: bool = False
    """It stands behind *More*."""


Level: TypeAlias = Literal["", "strong", "weak", "absent", "checking"]
"""How surely something is there; "" where nobody can tell."""


@dataclass(frozen=True, slots=True)
class StripMoment:
    """One moment of an answer, small."""

    number: int
    """From 1."""
    video_id: str
    title: str
    """Of its video."""
    at_s: float
    span_s: tuple[float, float]
    label: str
    """Its time, as its button says it."""
    level: Level
    words: str
    """What the level is in words."""
    id: str
    """That of the button which shows it."""
    active: bool
    """It is the one that is shown."""


@dataclass(frozen=True, slots=True)
class SourceFrame:
    """The frame that more is wanted like."""

    video_id: str
    title: str
    """Of its video."""
    at_s: float


@dataclass(frozen=True, slots=True)
class PlotLine:
    """One curve of a plot."""

    text: str
    """What it is the curve of, where there are several; else ""."""
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlotMark:
    """A numbered moment of a plot."""

    number: int
    part: int
    """The line that it lies on, from 0."""
    start_s: float
    end_s: float
    peak_s: float
    score: float
    current: bool
    """It is the one that is shown."""


@dataclass(frozen=True, slots=True)
class LivePlot:
    """A plot as figures, for doors that draw it themselves and let people point at it."""

    video_id: str
    duration_s: float
    style: PlotStyle
    times_s: tuple[float, ...]
    lines: tuple[PlotLine, ...]
    band: tuple[float, float] | None
    """From where to where a score means nothing, where that is known."""
    marks: tuple[PlotMark, ...]
    label: str = ""
    """Says what is seen."""
    at_s: float = 0.0
    """Of the frame that is shown."""
    cut_s: tuple[float, float] | None = None
    """The ends of a cut that is being trimmed."""
    go_id: str = ""
    """The id of a button that shows the frame at `{at}`, in milliseconds."""
    cut_id: str = ""
    """That of one that begins a cut from `{start}` to `{end}`, in milliseconds; "" where the file is gone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a long work is."""

    stage: str
    """"waiting", "loading", "fetching", "looking", "saving", "cutting" or "retrying"."""
    fraction: float | None
    """0 to 1, or None where nobody can tell."""
    eta_s: float | None = None
    ahead: int = 0
    """While "waiting": how many videos are before this one."""
    trouble: AppError | None = None
    """While "retrying": what went wrong."""


@dataclass(frozen=True, slots=True)
class Link:
    """A place to go."""

    url: str
    label: str


@dataclass(frozen=True, slots=True)
class ListEntry:
    """One thing of a list."""

    title: str
    text: str
    link: Link | None = None
    """Where it comes from."""
    picture: str = ""
    """Name of the reply's picture that stands beside it, or ""."""


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """Something that Keaton says. Each reply of a turn replaces the one before it."""

    text: str
    """Plain text: front doors escape it, and let it ping nobody."""
    title: str = ""
    entries: tuple[ListEntry, ...] = ()
    """A list: where it can be laid out it stands in the place of the text, which says the same."""
    pictures: tuple[Picture, ...] = ()
    buttons: tuple[Button, ...] = ()
    links: tuple[Link, ...] = ()
    progress: Progress | None = None
    tone: Literal["plain", "error"] = "plain"
    private: bool = False
    """For the asker's eyes alone (errors, help)."""
    updates: bool = False
    """Answers a button: it replaces the message that the button stands under."""
    repeats: bool = False
    """The asker was told it a moment ago: where all would read it once more, it is left away."""
    videos: tuple[str, ...] = ()
    """Ids of the videos that it shows or leads to."""
    commands: Mapping[str, str] = field(default_factory=dict)
    """How the platform spells commands that can be clicked: by name, without the slash. A door fills this in."""
    level: Level = ""
    """Of an answer: how surely its moment shows what was asked for. The text says it in words."""
    details: str = ""
    """The figures behind an answer, for who asks for them."""
    strip: tuple[StripMoment, ...] = ()
    """The moments of an answer, where there are several."""
    like: SourceFrame | None = None
    """Of "more like this"."""
    plot: LivePlot | None = None
    """The plot among the pictures, as figures."""
    provisional: bool = False
    """It says that it may change, and another reply follows for sure: a request is not answered with this one."""
