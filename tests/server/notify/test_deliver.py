from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from server.db import tables
from server.notify.channels import ChannelError, Channels, LogChannel, Notice
from server.notify.deliver import deliver
from tests.server.world import START, World
from vitals.clock import ManualClock


class Fickle:
    """A channel that fails so many times, then takes everything."""

    name = "fickle"

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.sent: list[Notice] = []

    def send(self, notice: Notice) -> None:
        if self.failures:
            self.failures -= 1
            raise ChannelError("nobody answers")
        self.sent.append(notice)


@pytest.fixture
def waiting(world: World) -> World:
    """A world with one notice in its outbox."""
    whose = {"municipality_id": world.municipality, "patient_id": world.patient}
    with world.database.write() as connection:
        fact = connection.execute(insert(tables.fact).values(**whose, at=START, kind="notice"))
        row: dict[str, Any] = whose | {"to": "primary", "state": "waiting", "created_at": START}
        connection.execute(insert(tables.outbox).values(**row, fact_seq=fact.inserted_primary_key[0]))
    return world


def test_a_notice_is_sent_once_and_its_attempt_is_a_row(waiting: World) -> None:
    parts = waiting.parts()
    assert deliver(parts, Channels(last=LogChannel())) == 1
    assert deliver(parts, Channels(last=LogChannel())) == 0
    (attempt,) = waiting.rows(tables.attempt)
    assert (attempt["channel"], attempt["outcome"], attempt["at"]) == ("log", "sent", START)
    assert waiting.rows(tables.outbox)[0]["state"] == "sent"


def test_what_fails_is_tried_again_later_each_time_in_real_time(waiting: World) -> None:
    from dataclasses import replace

    wall = ManualClock(START)
    parts, channel = replace(waiting.parts(ManualClock(START)), wall=wall), Fickle(3)
    waits = []
    while not channel.sent:
        began = wall.now()
        while not deliver(parts, Channels(last=channel)):
            wall.advance(timedelta(seconds=1))
        waits.append(int((wall.now() - began).total_seconds()))
    assert waits == [0, 5, 10, 20]
    assert [row["outcome"] for row in waiting.rows(tables.attempt)] == ["failed"] * 3 + ["sent"]
    assert waiting.rows(tables.attempt)[0]["reason"] == "nobody answers"


def test_it_is_given_up_after_a_while_and_that_is_seen(waiting: World) -> None:
    from dataclasses import replace

    wall = ManualClock(START)
    parts, channel = replace(waiting.parts(), wall=wall), Fickle(1000)
    for _ in range(30):
        deliver(parts, Channels(last=channel))
        wall.advance(timedelta(hours=1))
    assert waiting.rows(tables.outbox)[0]["state"] == "failed"
    assert waiting.count(tables.attempt) == 10
    assert b'varde_notice_attempts_total{channel="fickle",outcome="failed"} 10.0' in parts.metrics.text()


def test_the_text_says_that_something_waits_and_not_what(waiting: World) -> None:
    channel = Fickle(0)
    deliver(waiting.parts(), Channels(last=channel))
    (notice,) = channel.sent
    assert notice.text == "Varsel venter, sak 1"
    assert waiting.patient not in str(notice)


class Broken(Fickle):
    """A channel that fails in a way of its own at the first notice, whenever it comes."""

    def send(self, notice: Notice) -> None:
        if notice.number == 1:
            raise ConnectionRefusedError("nobody@example.invalid")
        super().send(notice)


def test_a_fault_of_a_channel_is_a_failed_attempt_and_holds_nobody_up(waiting: World) -> None:
    (notice,), (row,) = waiting.rows(tables.fact), waiting.rows(tables.outbox)
    with waiting.database.write() as connection:
        connection.execute(insert(tables.fact).values(**notice | {"seq": 2}))
        connection.execute(insert(tables.outbox).values(**row | {"seq": 2, "fact_seq": 2}))
    channel = Broken(0)
    assert deliver(waiting.parts(), Channels(last=channel)) == 2
    assert [each.number for each in channel.sent] == [2]
    tried = [(row["outbox_seq"], row["outcome"], row["reason"]) for row in waiting.rows(tables.attempt)]
    assert tried == [(1, "failed", "ConnectionRefusedError"), (2, "sent", None)]
    assert waiting.rows(tables.outbox)[0]["send_at"] is not None  # tried again later
