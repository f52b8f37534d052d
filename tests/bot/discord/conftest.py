"""A small Discord on loopback and the shipped program against it; each story has a server of its own.

All live on one event loop for the whole run: `pytestmark = pytest.mark.asyncio(loop_scope="session")`.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot.wiring.engines import DEMO_FOLDER
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_world import BOT_ID, MANAGE_CHANNELS, Guild, User
from tests.support import clips
from tests.support.discord.program import Program

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.fakes.discord_world import Channel

_serial = itertools.count(1)


@dataclass
class Scene:
    """One server with a channel and some people."""

    fake: FakeDiscord
    program: Program
    folder: Path
    guild: Guild = field(default_factory=lambda: Guild("A server"))
    ada: User = field(default_factory=lambda: User("Ada"))
    bob: User = field(default_factory=lambda: User("Bob"))

    bot_id: int = BOT_ID

    def __post_init__(self) -> None:
        self.guild.extra[self.ada.id] = MANAGE_CHANNELS
        self.general: Channel = self.guild.channel("general")

    def video(self, name: str = "") -> Path:
        """Make a video that no other test has."""
        number = next(_serial)
        path = self.folder / (name or f"video{number}.mp4")
        scenes = [("red", 2 + number / 25), ("green", 2), ("blue", 2), ("green", 2), ("yellow", 2), ("green", 2)]
        return clips.make_clip(path, scenes, clips.Shape(patterned=True))

    def reel(self) -> str:
        """Put the demo video onto the site: it has many moments, and each run looks at it once only."""
        return self.fake.cdn.publish(DEMO_FOLDER / "film.mp4")

    def link(self, name: str = "") -> str:
        """Put such a video onto the site."""
        return self.fake.cdn.publish(self.video(name))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as fake:
        yield fake


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Show the program's log beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    scene = getattr(item, "funcargs", {}).get("scene")
    if report.failed and isinstance(scene, Scene):
        report.sections.append(("the program's log", "\n".join(scene.program.log.splitlines()[-60:])))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def program(fake: FakeDiscord, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Program]:
    """`python -m bot run`, pointed at the small Discord."""
    program = Program(fake, tmp_path_factory.mktemp("keaton"))
    yield program
    await program.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def scene(fake: FakeDiscord, program: Program, tmp_path: Path) -> AsyncIterator[Scene]:
    """A server of one's own, which the running program has joined; nothing may go wrong in it unseen."""
    await program.ensure_running()
    scene = Scene(fake, program, tmp_path)
    await fake.join(scene.guild)
    yield scene
    wrongs, fake.wrongs[:] = list(fake.wrongs), []
    assert not wrongs
    assert (fake.late_acks, fake.double_acks) == (0, 0)
