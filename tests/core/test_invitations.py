"""Who pressed Refine: how long that holds, for whom, and for how many replies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.conversation.channels import Invitations
from core.limits import INVITED_S
from core.model.video import Scope

if TYPE_CHECKING:
    from tests.core.conftest import ColourHouse

HERE, THERE = Scope("discord", "1", "2"), Scope("discord", "1", "3")


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def test_given_an_invitation_when_used_then_by_one_person_for_one_reply(house: ColourHouse) -> None:
    asked = Invitations(house.ledger, Clock())
    await asked.invite(HERE, "ada", "answer", "card")
    for scope, who, under in ((THERE, "ada", "card"), (HERE, "bob", "card"), (HERE, "ada", "another")):
        assert await asked.accept(scope, who, under, "m1", 1001.0) == ""
    assert await asked.accept(HERE, "ada", "card", "m1", 1001.0) == "answer"
    assert await asked.accept(HERE, "ada", "card", "m2", 1002.0) == ""
    assert await Invitations(house.ledger, Clock()).accept(HERE, "ada", "card", "m1", 1001.0) == "answer"


async def test_given_an_invitation_when_its_time_is_over_then_its_note_goes(house: ColourHouse) -> None:
    clock = Clock()
    asked = Invitations(house.ledger, clock)
    await asked.invite(HERE, "ada", "answer", "card")
    assert await asked.accept(HERE, "ada", "card", "m1", 1000.0 + INVITED_S + 1) == ""
    clock.now_s += INVITED_S + 100
    await asked.invite(HERE, "bob", "answer", "card")
    assert len(await house.ledger.notes("refine:")) == 1
