"""The demo's folder: one demo at a time, private files, and time that never goes back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from varde.demo.folder import Folder, FolderBusyError, stamp_time, start_clock, write_private
from vitals.clock import ScaledClock, SystemClock


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "demo")
    made.make()
    return made


def test_a_second_demo_on_the_folder_is_refused_and_named(folder: Folder) -> None:
    with (
        folder.locked(),
        pytest.raises(FolderBusyError, match=r"another demo runs on .*\(process \d+\)"),
        Folder(folder.root).locked(),
    ):
        pass
    with folder.locked():
        pass


def test_the_first_start_begins_at_the_machines_time(folder: Folder) -> None:
    now = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    clock = start_clock(folder, now, 60)
    assert clock.epoch == now
    assert ScaledClock.read(folder.clock) == clock


@pytest.mark.parametrize("clean", [True, False])
@pytest.mark.parametrize("factor", [1.0, 60.0])
def test_a_second_start_goes_on_and_never_back(folder: Folder, factor: float, *, clean: bool) -> None:
    first = start_clock(folder, SystemClock().now(), 3600.0)
    stamp_time(folder, first, clean=clean)
    seen = first.now()
    second = start_clock(folder, SystemClock().now(), factor)
    assert second.epoch >= seen
    assert second.epoch - seen < timedelta(hours=16)


def test_without_a_clean_end_the_margin_covers_what_children_saw_meanwhile(folder: Folder) -> None:
    write_private(folder.stamp, {"at": "2026-11-22T12:00:00+00:00", "factor": 60, "clean": False})
    assert start_clock(folder, SystemClock().now(), 1).epoch == datetime(2026, 11, 22, 12, 15, tzinfo=UTC)


@given(st.integers(1, 5))
def test_private_files_are_whole_and_the_owners_alone(count: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as where:
        path = Path(where) / "demo.json"
        for number in range(count):
            write_private(path, {"number": number, "name": "Bjørg"})
        assert json.loads(path.read_text()) == {"number": count - 1, "name": "Bjørg"}
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        assert [each.name for each in Path(where).iterdir()] == ["demo.json"]
