"""What must hold after all those deaths: each video once, each answer once, and nothing left behind."""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from core.engines.video import worker
from core.limits import VideoLimits
from core.model import actions
from core.model.video import Preprocess, Sampling
from tests.core.engines.conftest import messages_in
from tests.crash.regrets import FORGOTTEN, is_taken_back
from tests.crash.town import LOOK_EVERY_S, is_final
from tests.fakes.discord_world import BOT_ID
from tests.support.discord.looking import EYES, READY, cards_below

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.sandbox.protocol import ChildMessage as WireMessage
    from tests.crash.presses import Press
    from tests.crash.town import Town
    from tests.fakes.discord_world import Message

_SMALL = Preprocess(16, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Figures:
    """What was counted."""

    kills: int
    videos: int
    answers: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str]
    orphans: list[str]
    gone_on: int
    """Videos that went on after their last saved frame."""

    @property
    def fine(self) -> bool:
        """Tell whether all holds."""
        return not (self.lost or self.doubled or self.wrong or self.orphans)


@dataclass(frozen=True)
class _Data:
    """What the data folder holds."""

    kept: dict[str, list[list[float]]]
    """By title the times of each video's frames, once for each time that it was posted."""
    jobs: Counter[tuple[str, str, str]]
    """By state, kind and reason."""
    videos: int
    votes: Counter[str]
    leftovers: list[str]


@dataclass(frozen=True)
class _Found:
    """What is not as it should be."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def judge(town: Town) -> Figures:
    """Examine the platform, the database and the folder."""
    data, found = _data(town), _Found()
    _judge_answers(town, found)
    _judge_videos(town, data, found)
    _judge_votes(town, data, found)
    _judge_alike(town, found)
    _judge_presses(town, found)
    _judge_ends(town, data, found)
    orphans = [*data.leftovers, *_strays(town.folder / "data" / "media", data.videos)]
    requests = len(town.posted) + len(town.promised) + sum(one.is_promised for one in town.presses)
    counted = len(town.kills), data.videos, requests
    return Figures(*counted, found.lost, found.doubled, found.wrong, orphans, _gone_on(town))


def _data(town: Town) -> _Data:
    with closing(sqlite3.connect(town.folder / "data" / "keaton.sqlite3")) as db:
        return _Data(
            _kept(db),
            Counter(map(tuple, db.execute("SELECT state, kind, reason FROM jobs"))),
            _count(db, "videos"),
            Counter(user for (user,) in db.execute("SELECT user_id FROM votes")),
            [name for name in ("works", "work_chunks", "work_thumbnails") if _count(db, name)],
        )


def _judge_answers(town: Town, found: _Found) -> None:
    """Each message and each command has one answer, and each answer was asked for."""
    for message in town.posted:
        cards = cards_below(message)
        (found.lost if not cards else found.doubled if len(cards) > 1 else []).append(
            message.content or str(message.id)
        )
    found.lost.extend(str(one.data) for one in town.promised if one.shown is None)
    answers = [one.shown.id for one in town.promised if one.shown]
    shown = {one.id: one for one in _ours(town) if not one.reply_to and not one.only_for}
    found.doubled.extend(
        f"a message that answers nothing: {it.text!r}" for one, it in shown.items() if one not in answers
    )


def _judge_videos(town: Town, data: _Data, found: _Found) -> None:
    """Each video is there once, with the frames of one reading; and no other is there."""
    promised = {
        *town.videos.values(),
        *(video for it, video in town.indexed if it.ack_s is not None),
    } - town.regrets.taken
    found.wrong.extend(town.regrets.wrongs(set(data.kept)))
    for video in [*town.videos.values(), *(video for _, video in town.indexed)]:
        times = data.kept.pop(video.stem, [])
        if len(times) > 1:
            found.doubled.append(video.name)
        elif not times and video in promised:
            found.lost.append(video.name)
        elif times and times[0] != (expected := _expected(video)):
            odd = sorted(set(times[0]) ^ set(expected))[:5]
            counts = f"{len(times[0])} frames, not {len(expected)} as in one reading"
            found.wrong.append(f"{video.name}: {counts}; first {odd}")
    found.wrong.extend(f"a video that nobody posted: {one}" for one in data.kept)


def _judge_votes(town: Town, data: _Data, found: _Found) -> None:
    """Each vote counts once; who pressed under an answer that was drawn anew meanwhile is told so instead."""
    told = {str(one.only_for) for one in _ours(town)}
    for press in filter(lambda press: press.is_vote, town.presses):
        user = str(press.it.user.id)
        name, counted = f"the vote {press.label} of {user}", data.votes[user]
        is_told = user in told or is_taken_back(press.card)
        found.lost.extend([name] if press.is_promised and not counted and not is_told else [])
        found.doubled.extend([name] if counted > 1 else [])


def _judge_ends(town: Town, data: _Data, found: _Found) -> None:
    """Nothing is left half done, and nothing was said that the platform does not take."""
    found.wrong.extend(f"stuck: {one.text!r}" for one in town.square.messages.values() if _is_stuck(one))
    found.wrong.extend(
        f"no video's card: {card.text!r}" for video, card in _video_cards(town) if not _is_fine(town, video, card)
    )
    ends = {"done", "cancelled"} if town.regrets.taken else {"done"}
    found.wrong.extend(f"{count} jobs are {job}" for job, count in data.jobs.items() if job[0] not in ends)
    found.wrong.extend(f"{one.content} keeps its reaction" for one in town.posted if EYES in one.reactions)
    found.wrong.extend(town.fake.wrongs)


def _ours(town: Town) -> list[Message]:
    return [one for one in town.square.messages.values() if one.author.id == BOT_ID]


def _is_stuck(message: Message) -> bool:
    return message.author.id == BOT_ID and not message.only_for and not is_final(message.text)


def _judge_alike(town: Town, found: _Found) -> None:
    """Each search for more of the same has one answer, or its asker was told why not."""
    asked = [one for one in town.presses if one.label == "More like this"]
    for card in {one.card.id: one.card for one in asked}.values():
        presses = [one for one in asked if one.card is card]
        answers = len(cards_below(card)) + sum(bool(one.it.whispers) for one in presses)
        name = f"more like {card.id}: {answers} answers for {len(presses)}"
        found.lost.extend([name] if answers < sum(one.is_promised for one in presses) else [])
        found.doubled.extend([name] if len(cards_below(card)) > len(presses) else [])


def _judge_presses(town: Town, found: _Found) -> None:
    """Each card shows what the last acknowledged press under it asked for, or one that came after and got no answer."""
    pressed: dict[int, list[Press]] = {}
    for press in town.presses:
        if actions.draws(press.action):
            pressed.setdefault(press.card.id, []).append(press)
    for presses in pressed.values():
        promised = [number for number, one in enumerate(presses) if one.is_promised]
        last = presses[promised[-1] :] if promised else []
        if last and not any(one.is_told or one.shows in one.card.text or is_taken_back(one.card) for one in last):
            labels = [one.label for one in last]
            found.lost.append(f"the press of {labels} under {presses[0].card.id}: {presses[0].card.text!r}")


def _video_cards(town: Town) -> list[tuple[Path, Message]]:
    posted = [(video, one) for one in town.posted if (video := town.videos.get(one.id))]
    below = [(video, card) for video, one in posted for card in cards_below(one)]
    return below + [(video, it.shown) for it, video in town.indexed if it.ack_s is not None and it.shown]


def _is_fine(town: Town, video: Path, card: Message) -> bool:
    """Tell whether a card shows its video, or tells that this was taken back."""
    return READY in card.text or is_taken_back(card) or (video in town.regrets.forgotten and FORGOTTEN in card.text)


def _kept(db: sqlite3.Connection) -> dict[str, list[list[float]]]:
    """Return by title the times of each video, once for each time that it was posted."""
    found: dict[str, list[list[float]]] = {}
    for title, indexing in db.execute(
        "SELECT title, indexings.id FROM postings JOIN indexings USING (video_id)"
    ).fetchall():
        chunks = db.execute("SELECT times_s FROM chunks WHERE indexing_id = ? ORDER BY number", (indexing,))
        times = np.concatenate([np.frombuffer(blob, "<f8") for (blob,) in chunks])
        found.setdefault(title, []).append(times.tolist())
    return found


def _expected(video: Path) -> list[float]:
    """Return the times of one reading."""
    out = io.BytesIO()
    how = {"sampling": asdict(Sampling(LOOK_EVERY_S)), "preprocess": asdict(_SMALL), "limits": asdict(VideoLimits())}
    worker.send_frames(video, how, out)
    messages: list[WireMessage] = messages_in(out.getvalue())
    return [one.number("time_s") for one in messages if one.kind == "frame"]


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names


def _strays(media: Path, videos: int) -> list[str]:
    """Return files that no video leads to, and what is left of unfinished work."""
    kept = [path for path in media.iterdir() if path.is_file()]
    strays = [f"{len(kept)} files for {videos} videos"] if len(kept) != videos else []
    hidden = [path for name in (".work", ".inbox") for path in (media / name).iterdir() if path.name != ".lock"]
    return strays + [str(path.relative_to(media)) for path in hidden]


def _gone_on(town: Town) -> int:
    return sum(" looked at before" in line for line in town.program.log.splitlines())
