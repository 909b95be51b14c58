from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gateway.radio import Session, SessionState
from gateway.sessions import Sessions
from gateway.spool import Message, Spool
from vitals.reading import ReadingId
from vitals.topics import Lane

# The given clock runs 60 times as fast as the real one: what counts as "within a minute" must not care.
SHOWN = datetime(2027, 1, 1, tzinfo=UTC)
REAL = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)


def session(name: str, at_s: float, device: str = "A") -> Session:
    return Session(id=name, device=device, opened_at=SHOWN + timedelta(seconds=60 * at_s))


def real(at_s: float) -> datetime:
    return REAL + timedelta(seconds=at_s)


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(Spool.open(tmp_path / "spool.db"))


def test_a_session_keeps_its_start(sessions: Sessions) -> None:
    one = session("one", 0)
    assert sessions.start_of(one, real(0)) == one.opened_at
    assert sessions.start_of(one, real(500)) == one.opened_at


def test_after_an_orderly_end_a_connection_is_a_new_beginning(sessions: Sessions) -> None:
    one, two = session("one", 0), session("two", 6)
    sessions.start_of(one, real(0))
    sessions.end(replace(one, state=SessionState.ENDED), real(5))
    assert sessions.start_of(two, real(6)) == two.opened_at


@pytest.mark.parametrize(("gap", "continues"), [(0.1, True), (60, True), (60.1, False), (3600, False)])
def test_after_a_cut_link_a_connection_continues_for_a_minute_of_real_time(
    sessions: Sessions, gap: float, continues: bool
) -> None:
    one, two = session("one", 0), session("two", 5 + gap)
    sessions.start_of(one, real(0))
    sessions.end(replace(one, state=SessionState.CUT), real(5))
    assert sessions.start_of(two, real(5 + gap)) == (one if continues else two).opened_at


def test_a_chain_of_cut_links_has_one_start(sessions: Sessions) -> None:
    first = session("0", 0)
    for number in range(5):
        each = session(str(number), number * 40)
        assert sessions.start_of(each, real(number * 40)) == first.opened_at
        sessions.end(replace(each, state=SessionState.CUT), real(number * 40 + 1))


def test_a_killed_gateway_counts_as_a_cut_link(tmp_path: Path) -> None:
    spool = Spool.open(tmp_path / "spool.db")
    one = session("one", 0)
    Sessions(spool).start_of(one, real(0))
    kept = Message(id=ReadingId(str(UUID(int=1))), lane=Lane.READINGS, body=b"{}", device="A")
    spool.keep(kept, real(50))  # a sign of life long after opening
    spool.close()
    again = Sessions(Spool.open(tmp_path / "spool.db"))
    assert again.start_of(session("two", 100), real(100)) == one.opened_at
    assert again.start_of(session("three", 161), real(161)) == session("three", 161).opened_at


def test_devices_do_not_share_their_links(sessions: Sessions) -> None:
    one, other = session("one", 0), session("two", 1, device="B")
    sessions.start_of(one, real(0))
    sessions.end(replace(one, state=SessionState.CUT), real(0))
    assert sessions.start_of(other, real(1)) == other.opened_at


def test_the_end_of_an_older_session_says_nothing_about_the_newer(sessions: Sessions) -> None:
    one, two, three = session("one", 0), session("two", 1), session("three", 2)
    sessions.start_of(one, real(0))
    sessions.end(replace(one, state=SessionState.ENDED), real(1))
    sessions.start_of(two, real(1))
    sessions.end(replace(one, state=SessionState.ENDED), real(1.5))
    assert sessions.start_of(three, real(2)) == two.opened_at
