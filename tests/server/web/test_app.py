"""No route without an action, and pages that follow what is committed."""

import asyncio
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import APIRouter
from sqlalchemy.exc import OperationalError

from server.watch.beat import last, stamp
from server.watch.silence import Part, Silent
from server.web.app import UndeclaredRouteError, build_web
from server.web.frame import changes as changing
from server.web.frame.changes import Changes, fingerprint
from server.web.frame.silence import told
from server.web.living import beat
from server.web.routes import live as living
from tests.server.web.hamlet import Hamlet
from vitals.clock import ManualClock

WALL = datetime.fromisoformat("2026-11-22T12:00:00+00:00")


def test_a_route_that_declares_nothing_is_refused_at_start(lia: Hamlet) -> None:
    forgotten = APIRouter()
    forgotten.add_api_route("/forgotten", lambda: None)
    with pytest.raises(UndeclaredRouteError, match="/forgotten"):
        build_web(lia.parts, others=(forgotten,))


async def test_a_listener_hears_a_reading_and_nothing_else(lia: Hamlet) -> None:
    changes = Changes(lia.parts.database, lia.clock, poll_s=60)
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


def test_a_reading_that_raises_nothing_is_no_news(lia: Hamlet) -> None:
    lia.hear("gunnar", spo2=96, pulse=80)
    urgent, rest = fingerprint(lia.parts.database, lia.clock.now())
    lia.hear("gunnar", spo2=97, pulse=80)
    calm, later = fingerprint(lia.parts.database, lia.clock.now())
    assert calm == urgent
    assert later != rest  # a page brings its lines up to date when it has time
    lia.hear("gunnar", spo2=87, pulse=80)
    assert fingerprint(lia.parts.database, lia.clock.now())[0] != urgent


def test_a_listener_hears_at_once_that_nothing_comes_in(lia: Hamlet) -> None:
    parts = replace(lia.parts, wall=ManualClock(WALL))
    wall: Any = parts.wall
    with parts.database.write() as connection:
        for role in ("ingest", "broker"):
            stamp(connection, role, WALL)
    assert told(parts) == (False, ())
    wall.advance(timedelta(seconds=9))
    assert told(parts) == (False, ("ingest",))
    with parts.database.write() as connection:
        stamp(connection, "ingest", wall.now())
    assert told(parts) == (False, ("broker",))
    parts.findings.put((Silent(part=Part.BROKER, why="not connected"),))
    assert told(parts) == (False, ("broker",))


async def test_a_listener_hears_that_the_rules_stand_still(lia: Hamlet) -> None:
    parts = replace(lia.parts, wall=ManualClock(WALL))
    wall: Any = parts.wall
    with parts.database.write() as connection:
        stamp(connection, "watch", WALL)
    changes = Changes(parts.database, lia.clock, poll_s=0.01, told=partial(told, parts))
    watching = asyncio.create_task(changes.watch())
    async with changes.listening():
        first = await changes.after(0, 10)
        assert await changes.after(first, 0.2) == first
        wall.advance(timedelta(seconds=9))
        assert await changes.after(first, 10) == first + 1
        parts.findings.put((Silent(part=Part.DISK, why="96% of the disk is in use"),))
        assert await changes.after(first + 1, 10) == first + 2
    watching.cancel()


async def test_the_loop_that_answers_says_that_it_lives(lia: Hamlet) -> None:
    living = asyncio.create_task(beat(lia.parts))
    for _ in range(500):
        with lia.parts.database.read() as connection:
            if last(connection, "web") is not None:
                break
        await asyncio.sleep(0.01)
    else:
        raise AssertionError("no sign of life")
    living.cancel()


async def test_a_closing_server_lets_its_listeners_go(lia: Hamlet) -> None:
    changes = Changes(lia.parts.database, lia.clock, poll_s=60)
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
    changes = Changes(lia.parts.database, lia.clock)
    changes.nudge()
    changes.let_go()
    assert changes.number == 0


async def test_a_look_that_fails_is_not_the_last_and_the_stream_is_silent_meanwhile(
    lia: Hamlet, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, is_locked, refused = changing.fingerprint, threading.Event(), threading.Semaphore(0)

    def look(*given: Any) -> tuple[object, ...]:
        if is_locked.is_set():
            refused.release()
            raise OperationalError("select", {}, Exception("database is locked"))
        return real(*given)

    monkeypatch.setattr(changing, "fingerprint", look)
    monkeypatch.setattr(living, "_BEAT_S", 0.02)
    changes = Changes(lia.parts.database, lia.clock, poll_s=0.01)
    watching = asyncio.create_task(changes.watch())
    visit: Any = SimpleNamespace(web=SimpleNamespace(changes=changes, parts=lia.parts))
    stream: Any = living.live(visit)
    await anext(stream)
    is_locked.set()
    for _ in range(2):  # at the second one the first is known
        assert await asyncio.to_thread(refused.acquire, timeout=10)
    beat = asyncio.ensure_future(anext(stream))
    assert not (await asyncio.wait([beat], timeout=0.3))[0]  # some fifteen beats that are not sent
    is_locked.clear()
    await asyncio.wait_for(beat, 10)
    assert not watching.done()
    await stream.aclose()
    watching.cancel()
