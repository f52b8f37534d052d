"""A small Discord whose people post videos and ask for moments while Keaton is killed, again and again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

from tests.crash.presses import Press
from tests.crash.regrets import Regrets
from tests.fakes.discord_world import BOT_ID, Guild, User
from tests.support import clips
from tests.support.discord.looking import cards_below

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.crash.quick import QuickProgram
    from tests.fakes.discord import FakeDiscord
    from tests.fakes.discord_desk import Interaction
    from tests.fakes.discord_world import Channel, Message

LOOK_EVERY_S = 0.1
_SETTINGS = {
    "KEATON_FRAME_EVERY_S": str(LOOK_EVERY_S),
    "KEATON_SAVE_EVERY_S": "0.1",
    "KEATON_BATCH": "8",
    "KEATON_TURNS_A_MINUTE": "0",
    "KEATON_VIDEOS_PER_USER": "0",
}
_COLOURS = ("red", "green", "blue", "yellow", "purple", "grey")
_SIZE = (96, 64)
_MOST_OPEN = 4
_PRESSED = ("Next", "👍", "👎", "More like this", "Preview", "Whole video")
_READY = "is ready on"
_TO_DO = ("jobs WHERE ended_s IS NULL", "stale_showings", "stale_cards")
"""Requests that are not answered, and messages that are to be taken back."""


@dataclass
class Town:
    """What happened there."""

    fake: FakeDiscord
    program: QuickProgram
    folder: Path
    chance: random.Random
    guild: Guild = field(default_factory=lambda: Guild("A town"))
    ada: User = field(default_factory=lambda: User("Ada"))
    videos: dict[int, Path] = field(default_factory=dict)
    """Each message that brought a video, with it."""
    posted: list[Message] = field(default_factory=list)
    """All that is to be answered."""
    commands: list[Interaction] = field(default_factory=list)
    """Commands that were used; what Keaton did not acknowledge was never promised."""
    indexed: list[tuple[Interaction, Path]] = field(default_factory=list)
    """Those that brought a video, with it."""
    presses: list[Press] = field(default_factory=list)
    """Buttons that were pressed, each by a person who pressed no other."""
    kills: list[str] = field(default_factory=list)
    """What Keaton was killed at."""

    _made: int = 0
    _started_at: int = 0

    def __post_init__(self) -> None:
        self.square: Channel = self.guild.channel("square")
        self.regrets = Regrets(self)
        self.program.settings |= _SETTINGS

    @property
    def open(self) -> list[Message]:
        """Return the messages that are not answered for good."""
        return [one for one in self.posted if not any(is_final(card.text) for card in cards_below(one))]

    @property
    def promised(self) -> list[Interaction]:
        """Return the commands that were acknowledged."""
        return [one for one in self.commands if one.ack_s is not None]

    @property
    def unkept(self) -> list[Interaction]:
        """Return those that are not answered for good."""
        asked = [one for one in self.promised if one.shown is None or not is_final(one.shown.text)]
        return asked + self.regrets.unkept

    def make_video(self) -> Path:
        """Make a video that is like no other, some seconds long."""
        number = self._made
        self._made += 1
        scenes = [(self.chance.choice(_COLOURS), self.chance.uniform(2, 5)) for _ in range(3)]
        scenes.append(("white", (number + 2) / 25))
        shape = clips.Shape(size=_SIZE, gop=self.chance.choice((12, 50, 400)), patterned=True)
        return clips.make_clip(self.folder / f"video{number}.mp4", scenes, shape)

    async def post_video(self) -> None:
        """Post a video, as a link or as a file."""
        video = self.make_video()
        if self.chance.random() < 0.5:
            message = await self.fake.post(self.square, self.ada, self.fake.cdn.publish(video))
        else:
            message = await self.fake.post(self.square, self.ada, "", video)
        self.videos[message.id] = video
        self.posted.append(message)

    async def ask(self) -> None:
        """Ask for something."""
        words = f"<@{BOT_ID}> something {self.chance.choice(_COLOURS)}"
        self.posted.append(await self.fake.post(self.square, self.ada, words))

    async def use_index(self) -> None:
        """Use /index."""
        video = self.make_video()
        it = await self.fake.slash(self.square, self.ada, "index", url=self.fake.cdn.publish(video))
        self.commands.append(it)
        self.indexed.append((it, video))

    async def use_picture(self) -> None:
        """Use /find beside a picture."""
        path = self.folder / f"picture{len(self.commands)}.png"
        await asyncio.to_thread(Image.new("RGB", (32, 24), self.chance.choice(_COLOURS)).save, path)
        self.commands.append(await self.fake.slash(self.square, self.ada, "find-picture", picture=path))

    async def press(self) -> None:
        """Press a button under some answer, or several people press some at once."""
        cards = [one for one in self.square.messages.values() if one.author.id == BOT_ID and "👍" in str(one.buttons)]
        if cards:
            card = self.chance.choice(cards[-8:])
            for _ in range(self.chance.choice((1, 1, 3))):
                await self._press(card)

    async def _press(self, card: Message) -> None:
        labels = [
            label for label, one in card.buttons.items() if label.startswith(_PRESSED) and not one.get("disabled")
        ]
        if labels:
            label = self.chance.choice(labels)
            it = await self.fake.press(card, label, User("Somebody"))
            self.presses.append(Press(it, card, label))

    async def use_find(self) -> None:
        """Use /find."""
        self.commands.append(await self.fake.slash(self.square, self.ada, "find", text=self.chance.choice(_COLOURS)))

    async def live(self) -> None:
        """Post and ask, so that there is always something to do; for ever."""
        regrets = self.regrets
        does = (self.post_video, self.ask, self.use_index, self.use_find, self.use_picture, self.press)
        rues = (regrets.delete, regrets.forget, regrets.cancel)
        while True:
            if len(self.open) + len(self.unkept) < _MOST_OPEN:
                (what,) = self.chance.choices((*does, *rues), (6, 4, 4, 2, 4, 10, 1, 1, 2))
                await what()
            await asyncio.sleep(self.chance.uniform(0.02, 0.3))

    async def kill_once(self) -> None:
        """Start Keaton, and kill it at a moment that chance chooses: some time, or the very instant of some request."""
        before, self._started_at = self.fake.connections, len(self.program.log)
        await self.program.start()
        if self.chance.random() < 0.1:
            await self._after("starting", self.chance.uniform(0.2, 1.5))
            return
        await self.fake.until(lambda: self.fake.connections > before, "a connection", 240)
        if self.chance.random() < 0.7:
            await self._at_work()
        if self.chance.random() < 0.5:
            await self._after("some time", self.chance.uniform(0.0, 2.5))
        else:
            await self._at_a_request(self.chance.randint(1, 20))

    async def _at_work(self) -> None:
        """Wait until the model stands ready: before that no video is indexed, and no question answered."""
        async with asyncio.timeout(240):
            while _READY not in self.program.log[self._started_at :]:
                assert not self.fake.trouble, self.fake.trouble
                await asyncio.sleep(0.05)

    async def _after(self, why: str, wait_s: float) -> None:
        await asyncio.sleep(wait_s)  # the moment is what is being tried
        await self._kill(why)

    async def _at_a_request(self, number: int) -> None:
        counter, real, done = [0], self.fake.moved, asyncio.Event()

        def moved() -> None:
            counter[0] += 1
            if counter[0] == number:
                self.program.die()
                done.set()
            real()

        self.fake.moved = moved  # type: ignore[method-assign]
        try:
            async with asyncio.timeout(6):
                await done.wait()
        except TimeoutError:
            self.program.die()  # nothing was left to say
        finally:
            self.fake.moved = real  # type: ignore[method-assign]
        await self._kill("a request")

    async def _kill(self, why: str) -> None:
        self.kills.append(why)
        await self.program.kill()

    async def finish(self) -> None:
        """Let Keaton answer all that is left, and stop in order."""
        self._started_at = len(self.program.log)
        await self.program.start()
        await self._at_work()
        await self.fake.until(lambda: not self.open and not self.unkept, "all answered", 400)
        async with asyncio.timeout(60):
            while await asyncio.to_thread(self._count_open):  # noqa: ASYNC110 - another process does not say so
                await asyncio.sleep(0.1)
        assert await self.program.stop() == 0

    def _count_open(self) -> int:
        database = self.folder / "data" / "keaton.sqlite3"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
            return sum(int(db.execute(f"SELECT count(*) FROM {some}").fetchone()[0]) for some in _TO_DO)  # noqa: S608


def is_final(text: str) -> bool:
    """Tell whether a card is no progress any more."""
    return bool(text) and "…" not in text
