"""No route without an action, and pages that follow what is committed."""

import asyncio

import pytest
from fastapi import APIRouter

from server.web.app import UndeclaredRouteError, build_web
from server.web.changes import Changes
from tests.server.web.hamlet import Hamlet


def test_a_route_that_declares_nothing_is_refused_at_start(lia: Hamlet) -> None:
    forgotten = APIRouter()
    forgotten.add_api_route("/forgotten", lambda: None)
    with pytest.raises(UndeclaredRouteError, match="/forgotten"):
        build_web(lia.parts, others=(forgotten,))


async def test_a_listener_hears_a_reading_and_nothing_else(lia: Hamlet) -> None:
    changes = Changes(lia.parts.database, poll_s=60)
    watching = asyncio.create_task(changes.watch())
    async with changes.listening():
        first = await changes.after(0, 10)
        assert first == 1  # the first look
        changes.nudge()
        assert await changes.after(first, 0.3) == first  # looked, and nothing had changed
        await asyncio.to_thread(lia.hear, "gunnar", spo2=87, pulse=80)
        changes.nudge()
        assert await changes.after(first, 10) > first
    watching.cancel()


async def test_a_closing_server_lets_its_listeners_go(lia: Hamlet) -> None:
    changes = Changes(lia.parts.database, poll_s=60)
    watching = asyncio.create_task(changes.watch())
    async with changes.listening():
        number = await changes.after(0, 10)
        waiting = asyncio.create_task(changes.after(number, 60))
        await asyncio.sleep(0)
        await asyncio.to_thread(changes.let_go)
        await asyncio.wait_for(waiting, 10)
    assert changes.is_closed
    watching.cancel()


def test_a_nudge_before_anybody_listens_is_harmless(lia: Hamlet) -> None:
    changes = Changes(lia.parts.database)
    changes.nudge()
    changes.let_go()
    assert changes.number == 0
