"""What a channel says of a message is believed by its own secret, once for each word, for a day."""

import json
from datetime import timedelta
from typing import Any

import pytest

from alerts.fact import Role as To
from server.care.reaching import Kind
from server.db import tables
from server.notify.receipts import Word, hear
from tests.server.notify.test_telling import Town
from tests.server.notify.test_telling import town as town


@pytest.fixture
def secret(town: Town) -> str:
    """The secret of a message that a telephone was sent."""
    town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    town.employ("Lise", (Kind.TEXT, "+4799900002"), on=To.SHIFT_LEAD)
    town.notice()
    town.tell()
    body = json.loads(town.hook.requests[0][1])
    assert body["receipt"]["url"] == "https://varde.example/notices/receipts"
    return str(body["receipt"]["secret"])


def say(town: Town, secret: str, *words: Word) -> list[bool]:
    said = []
    for word in words:
        with town.world.database.write() as connection:
            said.append(hear(connection, secret, word, town.clock.now()))
    return said


def state(town: Town) -> Any:
    return town.world.rows(tables.delivery)[0]["state"]


def test_a_message_is_delivered_read_and_accepted_and_the_secret_is_spent(town: Town, secret: str) -> None:
    assert say(town, secret, Word.DELIVERED, Word.DELIVERED, Word.READ, Word.DELIVERED) == [True] * 4
    assert state(town) == "read"  # what comes late takes nothing back
    assert say(town, secret, Word.ACCEPTED, Word.ACCEPTED, Word.REFUSED) == [True, False, False]
    assert state(town) == "accepted"


def test_the_secret_is_stored_so_that_nobody_reads_it(town: Town, secret: str) -> None:
    (row,) = town.world.rows(tables.delivery)
    assert secret not in str(row)


def test_another_secret_or_an_old_one_says_nothing(town: Town, secret: str) -> None:
    assert say(town, "guess", Word.ACCEPTED) == [False]
    town.clock.advance(timedelta(days=1, seconds=1))
    assert say(town, secret, Word.READ) == [False]
    assert state(town) == "sent"


def test_who_refuses_makes_it_go_up_at_once(town: Town, secret: str) -> None:
    assert say(town, secret, Word.REFUSED) == [True]
    town.tell()  # takes it in hand again, and finds that nobody was reached
    town.tell()
    assert town.texted() == ["+4799900001", "+4799900002"]
    assert [row["state"] for row in town.world.rows(tables.outbox)] == ["sent"]
