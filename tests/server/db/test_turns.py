"""Writers take turns in the order in which they asked."""

import threading
import time

import pytest

from server.db.turns import Turns
from tests.server.gateway_stub import wait_for


def line_of(turns: Turns) -> int:
    return len(turns._line)


def test_the_turn_goes_on_in_the_order_of_asking() -> None:
    turns, order = Turns(), list[int]()

    def write(number: int) -> None:
        with turns.taken(30):
            order.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
    with turns.taken(30):
        for number, thread in enumerate(threads):
            thread.start()
            wait_for(lambda number=number: line_of(turns) == number + 2)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]
    assert line_of(turns) == 0


def test_one_who_writes_without_a_pause_lets_another_in_between() -> None:
    turns, stop, rounds = Turns(), threading.Event(), list[float]()

    def drain() -> None:
        while not stop.is_set():
            with turns.taken(30):
                rounds.append(time.monotonic())
                time.sleep(0.01)

    draining = threading.Thread(target=drain)
    draining.start()
    wait_for(lambda: len(rounds) > 2)
    for _ in range(5):
        before = len(rounds)
        with turns.taken(30):
            assert len(rounds) - before <= 1  # at most the one that was being written
    stop.set()
    draining.join(10)


def test_a_writer_that_fails_or_waits_in_vain_leaves_the_line() -> None:
    turns = Turns()
    with pytest.raises(ZeroDivisionError), turns.taken(30):
        raise ZeroDivisionError
    with turns.taken(30):
        with turns.taken(0.01):
            assert line_of(turns) == 2
        assert line_of(turns) == 1
    assert line_of(turns) == 0
