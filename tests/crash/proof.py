"""What must hold after all those deaths: each film once, each answer once, and nothing left behind."""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.engines import decoder
from core.limits import FilmLimits
from core.model import Preprocess, Sampling
from tests.bot.discord.looking import EYES, READY, cards_below
from tests.crash.town import LOOK_EVERY_S, is_final
from tests.engines.conftest import _messages
from tests.fakes.discord_world import BOT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from core.engines.wire import Message as WireMessage
    from tests.crash.town import Town
    from tests.fakes.discord_world import Message

_SMALL = Preprocess(16, "squash", "bilinear", (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


@dataclass(frozen=True)
class Figures:
    """What was counted."""

    kills: int
    films: int
    answers: int
    lost: list[str]
    doubled: list[str]
    wrong: list[str]
    orphans: list[str]
    gone_on: int
    """Films that went on after their last written look."""

    @property
    def fine(self) -> bool:
        """Tell whether all holds."""
        return not (self.lost or self.doubled or self.wrong or self.orphans)


def judge(town: Town) -> Figures:
    """Look at the platform, the database and the folder."""
    data = town.folder / "data"
    with closing(sqlite3.connect(data / "keaton.sqlite3")) as db:
        kept = _kept(db)
        jobs = dict(db.execute("SELECT state, count(*) FROM jobs GROUP BY state"))
        films = _count(db, "videos")
        votes = Counter(user for (user,) in db.execute("SELECT user_id FROM votes"))
        leftovers = [name for name in ("works", "work_chunks", "work_thumbnails") if _count(db, name)]
    lost: list[str] = []
    doubled: list[str] = []
    wrong: list[str] = []
    for message in town.posted:
        cards = cards_below(message)
        (lost if not cards else doubled if len(cards) > 1 else []).append(message.content or str(message.id))
    ours = [one for one in town.square.messages.values() if one.author.id == BOT_ID]
    shown = {one.id: one for one in ours if not one.reply_to and not one.only_for}
    told = {str(one.only_for) for one in ours}  # a press under an answer that was drawn anew meanwhile is told so
    answers = [one.shown.id for one in town.promised if one.shown]
    lost += [str(one.data) for one in town.promised if one.shown is None]
    doubled += [f"a message that answers nothing: {it.text!r}" for one, it in shown.items() if one not in answers]
    promised = {*town.films.values(), *(film for it, film in town.indexed if it.ack_s is not None)}
    for film in [*town.films.values(), *(film for _, film in town.indexed)]:
        times = kept.pop(film.stem, [])
        if len(times) > 1:
            doubled.append(film.name)
        elif not times:
            lost += [film.name] if film in promised else []
        elif times[0] != _expected(film):
            expected = _expected(film)
            odd = sorted(set(times[0]) ^ set(expected))[:5]
            wrong.append(f"{film.name}: {len(times[0])} looks, not {len(expected)} as in one reading; first {odd}")
    for press in town.presses:
        counted = votes[str(press.it.user.id)] if press.is_vote else 1
        lost += (
            [f"the vote {press.label} of {press.it.user.id}"]
            if press.is_promised and not (counted or str(press.it.user.id) in told)
            else []
        )
        doubled += [f"the vote {press.label} of {press.it.user.id}"] if counted > 1 else []
    lost_asked, doubled_asked = _alike(town)
    lost, doubled = lost + lost_asked, doubled + doubled_asked
    wrong += [f"stuck: {one.text!r}" for one in town.square.messages.values() if _is_stuck(one)]
    wrong += [f"a film that nobody posted: {one}" for one in kept]
    wrong += [f"no film's card: {text!r}" for text in _film_cards(town) if READY not in text]
    wrong += [f"{count} jobs are {state}" for state, count in jobs.items() if state != "done"]
    wrong += [f"{one.content} keeps its reaction" for one in town.posted if EYES in one.reactions]
    wrong += town.fake.wrongs
    orphans = [*leftovers, *_strays(data / "media", films)]
    requests = len(town.posted) + len(town.promised) + sum(one.is_promised for one in town.presses)
    return Figures(len(town.kills), films, requests, lost, doubled, wrong, orphans, _gone_on(town))


def _is_stuck(message: Message) -> bool:
    return message.author.id == BOT_ID and not message.only_for and not is_final(message.text)


def _alike(town: Town) -> tuple[list[str], list[str]]:
    """Tell which searches for more of the same have no answer, and which have several."""
    lost, doubled = [], []
    asked = [one for one in town.presses if one.label == "More like this"]
    for card in {one.card.id: one.card for one in asked}.values():
        presses = [one for one in asked if one.card is card]
        told = sum(bool(one.it.whispers) for one in presses)
        found = len(cards_below(card)) + told
        name = f"more like {card.id}: {found} answers for {len(presses)}"
        lost += [name] if found < sum(one.is_promised for one in presses) else []
        doubled += [name] if len(cards_below(card)) > len(presses) else []
    return lost, doubled


def _film_cards(town: Town) -> list[str]:
    below = [card.text for one in town.posted if one.id in town.films for card in cards_below(one)]
    return below + [it.shown.text for it, _ in town.indexed if it.ack_s is not None and it.shown]


def _kept(db: sqlite3.Connection) -> dict[str, list[list[float]]]:
    """Give by title the times of each film, once for each time that it was posted."""
    found: dict[str, list[list[float]]] = {}
    for title, indexing in db.execute(
        "SELECT title, indexings.id FROM postings JOIN indexings USING (video_id)"
    ).fetchall():
        chunks = db.execute("SELECT times_s FROM chunks WHERE indexing_id = ? ORDER BY number", (indexing,))
        times = np.concatenate([np.frombuffer(blob, "<f8") for (blob,) in chunks])
        found.setdefault(title, []).append(times.tolist())
    return found


def _expected(film: Path) -> list[float]:
    """Give the times of one reading."""
    out = io.BytesIO()
    how = {"sampling": asdict(Sampling(LOOK_EVERY_S)), "preprocess": asdict(_SMALL), "limits": asdict(FilmLimits())}
    decoder.send_looks(film, how, out)
    messages: list[WireMessage] = _messages(out.getvalue())
    return [one.number("time_s") for one in messages if one.kind == "look"]


def _count(db: sqlite3.Connection, table: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608 - our own names


def _strays(media: Path, films: int) -> list[str]:
    """Give files that no film leads to, and what is left of unfinished work."""
    kept = [path for path in media.iterdir() if path.is_file()]
    strays = [f"{len(kept)} files for {films} films"] if len(kept) != films else []
    hidden = [path for name in (".work", ".inbox") for path in (media / name).iterdir() if path.name != ".lock"]
    return strays + [str(path.relative_to(media)) for path in hidden]


def _gone_on(town: Town) -> int:
    return sum(" looked at before" in line for line in town.program.log.splitlines())
