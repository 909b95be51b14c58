"""Fresh messages go before late ones, and neither waits for ever."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from server.ingest import waiting
from server.ingest.waiting import LATE_AT_ONCE, PLENTY, Incoming, Waiting, is_late
from tests.server.world import START, reading
from vitals.clock import ManualClock
from vitals.wire import render_reading

LATE = timedelta(hours=70)


def incoming(number: int, **changed: Any) -> Incoming:
    body = render_reading(reading(number=number, **changed))
    return Incoming(topic="varde/v1/gw-one/readings", payload=b"0" * 64 + b"\n" + body, mid=number, connection=1)


def never() -> bool:
    return False


def filled(fresh: int, late: int) -> Waiting:
    """Late ones first, as a backlog that was sent before somebody fell ill."""
    queue = Waiting(ManualClock(START))
    for number in range(late):
        queue.put([incoming(number, taken_at=START - LATE)], never)
    for number in range(fresh):
        queue.put([incoming(10_000 + number, taken_at=START)], never)
    return queue


def test_a_fresh_one_overtakes_everything_of_long_ago() -> None:
    queue = filled(fresh=2, late=600)
    first, second, third = (queue.take(1000, 0.0, 0.0) for _ in range(3))
    assert [each.mid for each in first[:3]] == [10_000, 10_001, 0]
    assert [len(first), len(second), len(third)] == [LATE_AT_ONCE + 2, LATE_AT_ONCE, 600 - 2 * LATE_AT_ONCE]
    assert [each.mid for each in second] == list(range(LATE_AT_ONCE, 2 * LATE_AT_ONCE))  # each lane in its order


def test_late_ones_move_on_under_any_load() -> None:
    batch = filled(fresh=200, late=200).take(100, 0.0, 0.0)
    assert [sum(each.mid < 10_000 for each in batch), len(batch)] == [50, 100]


def test_nothing_is_taken_from_nothing() -> None:
    assert filled(0, 0).take(10, 0.0, 0.01) == []


def told(number: int) -> Incoming:
    return Incoming(topic="varde/v1/gw-one/status", payload=b"{}", mid=number, connection=1)


def test_a_second_loop_gets_readings_and_only_where_there_is_plenty() -> None:
    queue = filled(fresh=PLENTY - 1, late=0)
    assert queue.take_plenty(1000, 0.01) == []
    queue.put([told(1), incoming(7), told(2)], never)
    assert [each.mid for each in queue.take_plenty(1000, 0.0)] == [*range(10_000, 10_000 + PLENTY - 1), 7]
    assert [each.mid for each in queue.take(1000, 0.0, 0.0)] == [1, 2]  # in their order, by the first loop


def test_a_second_loop_is_woken_by_plenty() -> None:
    queue, taken = filled(fresh=0, late=0), []
    waiting_for_it = threading.Thread(target=lambda: taken.extend(queue.take_plenty(1000, 10.0)))
    waiting_for_it.start()
    queue.put([incoming(number) for number in range(PLENTY)], never)
    waiting_for_it.join(5)
    assert len(taken) == PLENTY


def test_what_gateways_say_of_themselves_leaves_room_for_readings() -> None:
    queue = filled(fresh=20, late=0)
    queue.put([told(number) for number in range(2000)], never)
    assert sum(each.mid >= 10_000 for each in queue.take(1000, 0.0, 0.0)) == 20


def test_who_brings_more_than_there_is_room_for_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MESSAGES_MAX", 2)
    queue = filled(fresh=1, late=1)
    bringing = threading.Thread(target=queue.put, args=([incoming(7)], never))
    bringing.start()
    bringing.join(0.1)
    assert bringing.is_alive()
    taken = queue.take(10, 0.0, 0.0)
    bringing.join(10)
    assert [each.mid for each in taken + queue.take(10, 0.0, 0.0)] == [10_000, 0, 7]


def test_whoever_closes_is_not_held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "BYTES_MAX", 1)
    queue = filled(fresh=1, late=0)
    queue.put([incoming(7)], lambda: True)
    assert len(queue.take(10, 0.0, 0.0)) == 1


def test_what_an_earlier_connection_brought_makes_room_for_what_comes_again() -> None:
    queue = filled(fresh=3, late=3)
    again = replace(incoming(7), connection=2)
    queue.put([again], never)
    assert queue.take(10, 0.0, 0.0) == [again]


@pytest.mark.parametrize(
    ("payload", "late"),
    [
        (b'{"taken_at":"2026-03-02T06:44:59Z"}', True),
        (b'{"taken_at": "2026-03-02T07:44:59+01:00"}', True),
        (b'{"taken_at":"2026-03-02T06:45:00Z"}', False),
        (b'{"taken_at":"2026-03-02T06:44:59.00"}', False),
        (b'{"taken_at":"0001-01-01T00:00:00+14:00"}', True),
        (b'{"taken_at":"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"}', False),
        (b"", False),
    ],
)
def test_what_is_late_is_read_from_anything(payload: bytes, late: bool) -> None:
    assert is_late(payload, START) is late
