"""Clocks are given, agree between processes, and never go back by themselves."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vitals.clock import HeldClock, ManualClock, ScaledClock, SystemClock, clock_from

_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_manual_clock_moves_only_when_told_and_only_forward() -> None:
    clock = ManualClock(_NOON)
    assert clock.now() == clock.now() == _NOON
    assert clock.advance(timedelta(minutes=5)) == _NOON + timedelta(minutes=5)
    assert clock.set(_NOON + timedelta(hours=1)) == clock.now()
    with pytest.raises(ValueError, match="does not go back"):
        clock.set(_NOON)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ManualClock(datetime(2026, 3, 2, 12))  # noqa: DTZ001 - the point of the test


def test_a_scaled_clock_shows_factor_seconds_a_second() -> None:
    real = SystemClock().now()
    clock = ScaledClock(epoch=_NOON, started=real - timedelta(seconds=10), factor=60)
    shown = clock.now()
    assert timedelta(minutes=10) <= shown - _NOON < timedelta(minutes=40)
    assert 59 < clock.seconds_until(clock.now() + timedelta(hours=1)) <= 60
    assert clock.seconds_until(_NOON) == 0


def test_processes_that_read_the_same_file_share_the_time(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    written = ScaledClock(epoch=_NOON, started=SystemClock().now(), factor=60.0)
    written.write(path)
    assert clock_from(path) == written
    assert list(tmp_path.iterdir()) == [path]


def test_a_held_clock_shows_in_every_process_the_moment_it_was_moved_to(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    mover = HeldClock.start(path, _NOON)
    other = clock_from(path)
    assert isinstance(other, HeldClock)
    assert mover.now() == other.now() == _NOON
    assert other.seconds_until(_NOON) == 0
    assert 0 < other.seconds_until(_NOON + timedelta(days=1)) <= 0.1
    for minutes in range(1, 200):  # quicker than a file system counts time
        moment = _NOON + timedelta(minutes=minutes)
        mover.move(moment)
        assert other.now() == mover.now() == moment
    assert list(tmp_path.iterdir()) == [path]


def test_a_held_clock_never_goes_back(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    clock = HeldClock.start(path, _NOON)
    clock.move(_NOON)
    with pytest.raises(ValueError, match="does not go back"):
        clock.move(_NOON - timedelta(seconds=1))
    assert clock.now() == _NOON
    HeldClock.start(path, _NOON - timedelta(hours=1))  # somebody wrote another file under those who run
    assert clock.now() == _NOON


def test_a_held_clock_without_a_zone_or_a_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    with pytest.raises(OSError, match=r"clock\.json"):
        clock_from(path)
    path.write_text('{"held_at": "2026-03-02T12:00:00"}')
    with pytest.raises(ValueError, match="no time zone"):
        clock_from(path)


def test_without_a_file_the_machine_tells_the_time() -> None:
    assert isinstance(clock_from(None), SystemClock)


@pytest.mark.parametrize("factor", [0, -1, 90_000])
def test_an_impossible_factor_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="factor"):
        ScaledClock(epoch=_NOON, started=_NOON, factor=factor)
