"""Two processes that share a database, as far as a bell can tell them apart."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from server.db.bell import Bell
from server.db.dialect import due_at_latest
from server.db.engine import Database, LineError
from server.nudge import Nudge
from tests.broker import free_port
from tests.server.gateway_stub import wait_for
from tests.server.world import START, World

shared = pytest.mark.parametrize("address", ["cluster"], indirect=True)


@contextmanager
def process(address: str) -> Iterator[Nudge]:
    """One with a nudge called "watch" that rings and is rung."""
    nudge, database, stop = Nudge(), Database(address), threading.Event()
    bell = Bell(database, {"watch": nudge.hear})
    nudge.tell(lambda: bell.tell("watch"))
    thread = threading.Thread(target=bell.run, args=(stop,))
    thread.start()
    assert nudge.wait(30)  # it listens now, and rings for whatever it may have missed
    try:
        yield nudge
    finally:
        stop.set()
        thread.join(30)
        database.close()
        assert not thread.is_alive()


@shared
def test_what_one_process_rings_the_other_hears(address: str) -> None:
    with process(address) as here, process(address) as there:
        here.ring()
        assert there.wait(30)


@shared
def test_whoever_puts_a_patient_on_the_slate_rings_the_watch_when_it_is_committed(address: str, world: World) -> None:
    with process(address) as there:
        with world.database.write() as connection:
            due_at_latest(connection, [(world.patient, world.municipality)], START)
            assert not there.wait(0.2)
        assert there.wait(30)


@shared
def test_what_the_time_says_stays_in_the_process(address: str) -> None:
    with process(address) as here, process(address) as there:
        here.hear()
        here.ring()
        assert there.wait(30)
        assert not there.wait(0.2)


@shared
def test_a_ring_does_not_come_back(address: str) -> None:
    with process(address) as here, process(address) as there:
        here.ring()
        assert here.wait(30)  # its own, at once
        assert there.wait(30)
        assert not here.wait(0.2)


@shared
def test_a_lost_line_is_taken_up_again(address: str, database: Database) -> None:
    with process(address) as here, process(address) as there:
        with database.write() as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        assert there.wait(30)  # listening again, it rings
        wait_for(lambda: here.ring() is None and there.wait(0.5))


@pytest.mark.parametrize("address", ["file"], indirect=True)
def test_a_file_has_no_line(database: Database) -> None:
    with pytest.raises(LineError), database.line():
        pass


def test_a_line_to_a_database_that_is_not_there_fails_in_our_words() -> None:
    """The driver's own error would end the thread that tells, and all nudges of this process with it."""
    nothing = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    with closing(Database(nothing)) as database, pytest.raises(LineError), database.line():
        pass
