"""The scheduler stands still across deadlines, and there are two of it: each step of a ladder is taken once, in order.

Two processes that watch, on PostgreSQL, with the clock held: what lasts 48 hours takes a moment. One process on the
embedded database, stopped for up to hours and with two watches in it, is what `tests/simulation` lives through.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from alerts import rulebook
from alerts.plan import Plan
from server.access import system
from server.db import tables
from server.reports.recorded import replayed
from tests.server.gateway_stub import wait_for
from tests.server.plans import activate
from tests.server.world import START, World, make_world
from vitals.clock import HeldClock

pytestmark = pytest.mark.parametrize("address", ["cluster"], indirect=True)

_ROOT = Path(__file__).parents[2]
_PROGRAM_S = 40.0
STOPS = [timedelta(seconds=1), timedelta(minutes=5), timedelta(minutes=16), timedelta(hours=1), timedelta(hours=12)]
STOPS.append(timedelta(hours=48))
_LATE = timedelta(minutes=2)
# The ladder of a high alert, written down once more: minutes after it began, and whom; then every 15 minutes the last.
_STEPS = ((0, "primary"), (5, "primary"), (10, "primary"), (15, "shift_lead"), (30, "backup"), (45, "duty_manager"))
_AGAIN = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A notice: whom, when, and when it should have been, if that is long ago."""

    to: str
    at: datetime
    due: datetime | None


def expected(began: datetime, asked: Sequence[datetime]) -> list[Told]:
    """What is told of an alert about which the rules could only be asked at these moments, the first one included."""
    due = [(began + timedelta(minutes=minutes), to) for minutes, to in _STEPS]
    while due[-1][0] <= asked[-1]:
        due.append((due[-1][0] + timedelta(minutes=_AGAIN), due[-1][1]))
    found, before = [], began - timedelta(days=1)
    for now in asked:
        missed: dict[str, datetime] = {}
        for moment, to in due:
            if before < moment <= now:
                missed.setdefault(to, moment)
        found += [Told(to=to, at=now, due=each if now - each >= _LATE else None) for to, each in missed.items()]
        before = now
    return found


@contextmanager
def watching(world: World, clock: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Two processes that do nothing but watch."""
    environment = {
        **os.environ,
        "VARDE_DATA": str(world.folder),
        "VARDE_DATABASE": world.database.address,
        "VARDE_CLOCK": str(clock),
    }
    command = [sys.executable, "-m", "varde", "server", "--role", "watch"]
    running = []
    try:
        for number in range(2):
            with (world.folder / f"watch-{number}.log").open("ab") as log:
                running.append(subprocess.Popen(command, cwd=_ROOT, stdout=log, stderr=log, env=environment))
        yield running
    finally:
        for each in running:
            each.send_signal(signal.SIGCONT)
            each.terminate()
        for each in running:
            each.wait(_PROGRAM_S)


def test_every_step_of_every_ladder_is_taken_once_and_a_late_one_says_so(world: World) -> None:
    people = [world] + [
        make_world(world.database, world.folder, name=f"Nabo {number}", number=f"999{number}", gateway=f"gw-{number}")
        for number in (3, 4, 5)
    ]
    for each in people:
        activate(each, _plan())
    clock = HeldClock.start(world.folder / "clock.json", START)
    for number, each in enumerate(people):
        each.record(each.reading(number=number, values={"spo2": Decimal(88)}, taken_at=START - timedelta(minutes=1)))

    def settled() -> bool:
        return all(row["evaluate_at"] > clock.now() for row in world.rows(tables.due))

    asked = [START]
    with watching(world, world.folder / "clock.json") as schedulers:
        wait_for(settled, _PROGRAM_S)
        for stop in STOPS:
            for scheduler in schedulers:
                assert scheduler.poll() is None
                scheduler.send_signal(signal.SIGSTOP)
            clock.move(asked[-1] + stop)
            asked.append(clock.now())
            for scheduler in schedulers:
                scheduler.send_signal(signal.SIGCONT)
            wait_for(settled, _PROGRAM_S)
    facts = world.rows(tables.fact)
    for each in people:
        (alert,) = [row for row in world.rows(tables.alert) if row["patient_id"] == each.patient]
        notices = [row for row in facts if row["alert_id"] == alert["id"] and "ladder" in row["why"]]
        told = [Told(to=row["to"], at=row["at"], due=_moment(row["why"].get("due_at"))) for row in notices]
        assert told == expected(START, asked)
        with world.database.read() as connection:
            assert replayed(connection, system(), each.patient).equal
    assert len(told) == 8  # not an empty list that equals an empty list
    assert sorted(row["fact_seq"] for row in world.rows(tables.outbox)) == [
        row["seq"] for row in facts if row["kind"] == "notice"
    ]


def _plan() -> Plan:
    """One rule, and somebody there at all hours."""
    book = rulebook.load("covid19")
    settings = {
        "plan_id": str(uuid4()),
        "facts": {"age": 71},
        "timezone": "Europe/Oslo",
        "starts_at": (START - timedelta(hours=12)).isoformat(),
        "outside": "full",
    }
    return rulebook.draft(replace(book, table={"spo2_low": book.table["spo2_low"]}), settings)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
