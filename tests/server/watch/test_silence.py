"""What counts as silent: a pure question, asked at every moment."""

from datetime import datetime, timedelta

import pytest

from server.watch.silence import (
    BROKER,
    OUTBOX_STUCK,
    ROLE_SILENT,
    ROLES,
    RULES_STILL,
    Home,
    Part,
    Silent,
    State,
    rules_stand_still,
    silences,
)

WALL = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
NOW = datetime.fromisoformat("2026-03-02T07:00:00+00:00")  # a demo's own time
LONG_AGO = WALL - timedelta(hours=1)
ALIVE = dict.fromkeys((*ROLES, BROKER), WALL)
TOO_LONG = ROLE_SILENT + timedelta(seconds=1)


def parts(state: State) -> list[Part]:
    return [each.part for each in silences(state, WALL, NOW)]


def test_where_everything_beats_nothing_is_silent() -> None:
    assert parts(State(began=LONG_AGO, beats=ALIVE)) == []


@pytest.mark.parametrize("role", [*ROLES, BROKER])
def test_whoever_stops_beating_is_silent_since_the_last_beat(role: str) -> None:
    late = WALL - ROLE_SILENT
    assert parts(State(began=LONG_AGO, beats=ALIVE | {role: late})) == []
    late = WALL - TOO_LONG
    (found,) = silences(State(began=LONG_AGO, beats=ALIVE | {role: late}), WALL, NOW)
    assert (found.part, found.since, found.part.is_ours) == (role, late, True)


def test_whoever_never_beat_has_its_time_from_when_we_began_to_look() -> None:
    nobody = dict.fromkeys((*ROLES, BROKER), LONG_AGO)  # from before this process
    assert parts(State(began=WALL - ROLE_SILENT, beats=nobody)) == []
    assert parts(State(began=WALL - TOO_LONG)) == [Part.INGEST, Part.WATCH, Part.NOTIFY, Part.WEB]


def test_a_broker_is_not_blamed_for_a_dead_ingest() -> None:
    dead = WALL - TOO_LONG
    assert parts(State(began=LONG_AGO, beats=ALIVE | {"ingest": dead, BROKER: dead})) == [Part.INGEST]


def test_a_database_that_refuses_hides_no_disk_and_accuses_nobody_else() -> None:
    state = State(began=LONG_AGO, failing="cannot be written", failing_since=WALL, disk=0.95)
    assert parts(state) == [Part.DISK, Part.DATABASE]
    assert parts(State(began=LONG_AGO, beats=ALIVE, disk=0.949)) == []


def test_a_notice_that_nobody_takes_and_a_channel_that_fails() -> None:
    state = State(began=LONG_AGO, beats=ALIVE, due_since=WALL - OUTBOX_STUCK, failed_attempts=3)
    assert parts(state) == [Part.OUTBOX, Part.CHANNEL]
    waits = State(began=LONG_AGO, beats=ALIVE, due_since=WALL - OUTBOX_STUCK + timedelta(seconds=1), failed_attempts=2)
    assert parts(waits) == []


def test_homes_are_judged_on_the_installations_clock() -> None:
    day = timedelta(days=1)
    homes = (
        Home(part=Part.GATEWAY, subject="gw-1", heard=NOW - day),
        Home(part=Part.DEVICE, subject="due", heard=NOW - day, expected=day),
        Home(part=Part.DEVICE, subject="late", heard=NOW - day - timedelta(seconds=1), expected=day),
    )
    found = silences(State(began=LONG_AGO, beats=ALIVE, homes=homes), WALL, NOW)
    assert [each.key for each in found] == [(Part.GATEWAY, "gw-1"), (Part.DEVICE, "late")]
    assert not any(each.part.is_ours for each in found)
    assert found[0] == Silent(part=Part.GATEWAY, why="not heard", since=NOW - day, subject="gw-1")


def test_a_reader_hears_of_rules_that_stand_still_within_ten_seconds() -> None:
    assert RULES_STILL + timedelta(seconds=1) < timedelta(seconds=10)  # and a second until a page looks
    assert rules_stand_still(None, WALL) is None
    assert rules_stand_still(WALL - RULES_STILL, WALL) is None
    assert rules_stand_still(WALL - timedelta(seconds=9), WALL) == timedelta(seconds=9)
