"""Random steps that move the walls: permissions, roles, members, Keaton's own coming and going, and restarts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from core.ports.retention import WHOLE
from tests.walls.eyes import scope_of
from tests.walls.ground import Ground, numbers
from tests.walls.spaces import ADMIN, CONNECT, HISTORY, MODERATE, SWITCHED, VIEW, Server
from tests.walls.town import GRACE_S

if TYPE_CHECKING:
    from core.model.video import Scope


class Changing(Ground):
    """People with rights to give and to take."""

    @rule(n=numbers, k=numbers, bit=st.sampled_from(SWITCHED), how=st.sampled_from(["allow", "deny", "neither"]))
    def change_exception(self, n: int, k: int, bit: int, how: str) -> None:
        servers = [one for one in self.town.spaces if isinstance(one, Server)]
        server = servers[n % len(servers)]
        rooms = [room for room in server.rooms if not room.parent]
        targets = [*server.roles, *(who.id for who in server.people)]
        room, target = rooms[k % len(rooms)], targets[(n // 7) % len(targets)]
        allow, deny = room.exceptions.get(target, (0, 0))
        allow, deny = allow & ~bit, deny & ~bit
        if bit != ADMIN:
            room.exceptions[target] = (allow | bit * (how == "allow"), deny | bit * (how == "deny"))

    @rule(n=numbers, k=numbers, bit=st.sampled_from([VIEW, HISTORY, CONNECT, MODERATE, ADMIN]))
    def change_role(self, n: int, k: int, bit: int) -> None:
        servers = [one for one in self.town.spaces if isinstance(one, Server)]
        server = servers[n % len(servers)]
        role = list(server.roles)[k % len(server.roles)]
        if bit != ADMIN or role != server.id:
            server.roles[role] ^= bit

    @rule(n=numbers, k=numbers)
    def join_or_leave(self, n: int, k: int) -> None:
        """Give a person a role or take it; let a person into a channel or thread, or out of it."""
        space = self.town.spaces[n % 4]
        who = space.people[k % len(space.people)]
        if isinstance(space, Server) and k % 3:
            role = [one for one in space.roles if one != space.id][(n // 4) % 3]
            who.roles ^= {role}
        else:
            room = space.rooms[-1 - (n // 4) % 2]
            room.inside ^= {who.id}

    @rule(n=numbers, is_whole=st.booleans())
    def remove_keaton(self, n: int, is_whole: bool) -> None:
        if (place := self._pick(n)) and place[0].platform != "local":
            scope = scope_of(place[0], place[1])
            scope = replace(scope, channel=WHOLE) if is_whole else scope
            self._do(self.town.grace.left(scope))
            self.town.away.setdefault(scope, self.town.clock_s)

    @precondition(lambda self: self.town.away)
    @rule(n=numbers)
    def add_keaton_again(self, n: int) -> None:
        scope = list(self.town.away)[n % len(self.town.away)]
        self._do(self.town.grace.back(scope))
        del self.town.away[scope]

    @rule(seconds=st.sampled_from([1.0, 30.0, GRACE_S]))
    def let_time_pass(self, seconds: float) -> None:
        self._do(self.town.finish_all())
        self.town.clock_s += seconds
        self._do(self.town.grace.purge())
        over = [scope for scope, since in self.town.away.items() if self.town.clock_s - since >= GRACE_S]
        for scope in over:
            self.town.gone([one for one in self.town.posted if _is_within(scope_of(one.space, one.room), scope)])
        known = self.loop.run_until_complete(self._known())
        assert known == {scope_of(one.space, one.room) for one in self.town.posted}, "purged early, late or elsewhere"
        self.town.away = {scope: since for scope, since in self.town.away.items() if scope not in over}

    async def _known(self) -> set[Scope]:
        return {one for kind in ("discord", "slack", "local") for one in await self.town.grace.places(kind)}

    @precondition(lambda self: not self.town.edition)
    @rule(n=numbers)
    def change_the_model(self, n: int) -> None:
        """Begin anew with another model, now and then: videos are indexed anew, from their files or their links."""
        if n % 4 == 0:
            self._do(self.town.finish_all())
            self.town.edition += 1
            self.restart()

    @rule()
    def restart(self) -> None:
        before = self.town.clock_s
        self._do(self.town.restart())
        lost = self.town.clock_s - before  # time that the program did not run does not count
        self.town.away = {scope: since + lost for scope, since in self.town.away.items()}


def _is_within(one: Scope, scope: Scope) -> bool:
    return (one.platform, one.space) == (scope.platform, scope.space) and scope.channel in {WHOLE, one.channel}
