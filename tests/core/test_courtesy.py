"""Films let those go first who wait for an answer, but not for ever."""

from __future__ import annotations

import asyncio

from core.courtesy import Courtesy

LONG_S, SHORT_S = 60.0, 0.01


async def test_a_film_begins_at_once_where_nobody_asks() -> None:
    await asyncio.wait_for(Courtesy().after_you(LONG_S), 1)


async def test_a_film_waits_until_all_have_their_answers_also_those_who_ask_meanwhile() -> None:
    courtesy = Courtesy()
    with courtesy.asking():
        film = asyncio.create_task(courtesy.after_you(LONG_S))
        await asyncio.sleep(0)
        with courtesy.asking():
            pass
    with courtesy.asking():  # before the film has noticed
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not film.done()
    await asyncio.wait_for(film, 1)


async def test_a_film_is_not_kept_out_by_people_who_never_stop() -> None:
    courtesy = Courtesy()
    with courtesy.asking():
        await asyncio.wait_for(courtesy.after_you(SHORT_S), 1)
