import random
from uuid import UUID

import pytest

from gateway.flights import Flights, Patience, Span, backoff
from gateway.spool import Message
from vitals.reading import ReadingId
from vitals.topics import Lane

PATIENCE = Patience(resend_first=5, resend_max=60, window=3)


def message(number: int) -> Message:
    return Message(id=ReadingId(str(UUID(int=number))), lane=Lane.READINGS, body=b"{}", seq=number)


@pytest.fixture
def flights() -> Flights:
    return Flights(PATIENCE, random.Random(1))


def test_the_window_bounds_what_is_sent_fresh(flights: Flights) -> None:
    assert flights.room() == 3
    for number in (1, 2, 3):
        flights.launch(message(number), now=0)
    assert list(flights.spans()) == [Span(after=3, until=None, limit=0)]
    flights.land([message(2).id, message(77).id])
    assert list(flights.spans()) == [Span(after=3, until=None, limit=1)]


def test_what_is_kept_now_overtakes_what_has_waited_and_always_finds_a_place() -> None:
    flights = Flights(Patience(window=10), random.Random(1), backlog=500)
    spans = flights.spans()
    assert next(spans) == Span(after=500, until=None, limit=10)
    flights.launch(message(501), now=0)
    assert list(spans) == [Span(after=0, until=500, limit=7)]
    for number in range(1, 8):
        flights.launch(message(number), now=0)
    assert list(flights.spans()) == [Span(after=501, until=None, limit=2)]
    assert [seq for seq in (1, 7, 8, 500, 501, 502) if flights.has_sent(seq)] == [1, 7, 501]


def test_nothing_is_sent_again_before_its_time_or_after_its_receipt(flights: Flights) -> None:
    flights.launch(message(1), now=0)
    flights.launch(message(2), now=0)
    assert flights.overdue(3.7) == []
    flights.land([message(1).id])
    assert flights.overdue(6.3) == [message(2)]
    assert flights.overdue(6.3) == []
    flights.land([message(2).id])
    assert flights.next_due() is None


def test_what_the_broker_has_not_taken_is_on_the_line_and_not_sent_again(flights: Flights) -> None:
    taken: list[bool] = []
    flights.launch(message(1), 0, lambda: bool(taken))
    for _ in range(5):
        due = flights.next_due()
        assert due is not None
        assert flights.overdue(due) == []
    assert flights.room() == 2  # it was sent once, and holds its place
    taken.append(True)
    due = flights.next_due()
    assert due is not None
    assert flights.overdue(due) == [message(1)]
    flights.follow(message(1), lambda: False)
    due = flights.next_due()
    assert due is not None
    assert flights.overdue(due) == []


def test_each_sending_again_waits_longer_up_to_a_cap(flights: Flights) -> None:
    flights.launch(message(1), now=0)
    now, waits = 0.0, []
    for _ in range(10):
        due = flights.next_due()
        assert due is not None
        waits.append(due - now)
        now = due
        assert flights.overdue(now) == [message(1)]
    for wait, expected in zip(waits, [5, 10, 20, 40, 60, 60, 60, 60, 60, 60], strict=True):
        assert expected * 0.75 <= wait <= expected * 1.25


def test_what_is_never_answered_for_does_not_stop_the_others(flights: Flights) -> None:
    for number in (1, 2, 3):
        flights.launch(message(number), now=0)
    now = 0.0
    while flights.room() < 3:
        now += 1
        assert now < 60
        flights.overdue(now)


def test_memory_is_bounded_all_the_same() -> None:
    flights = Flights(Patience(resend_first=1, resend_max=1, window=5000), random.Random(1))
    for number in range(1000):
        flights.launch(message(number), now=0)
    for now in (2, 4, 6):
        flights.overdue(now)
    assert flights.room() == 0


def test_waits_differ_between_gateways() -> None:
    rng = random.Random(7)
    assert len({round(backoff(0.5, 30, 3, rng), 6) for _ in range(20)}) == 20
    assert max(backoff(0.5, 30, 10_000, rng) for _ in range(100)) <= 37.5
