"""Who visits a device that two adapters hear."""

import pytest

from gateway.receivers import BETTER_DB, HEAD_START_S, STALE_S, Receivers

A, B, CUFF = "00:1A:7D:DA:71:13", "00:1A:7D:DA:71:14", "C0:FF:EE:00:00:08"


@pytest.fixture
def two() -> Receivers:
    """Two adapters that are alive at 1000 s."""
    made = Receivers()
    for adapter in (A, B):
        made.alive(adapter, 1000.0)
    return made


def test_whoever_hears_it_first_visits_it_at_once(two: Receivers) -> None:
    two.heard(B, CUFF, -90, 1000.0)
    assert two.may_visit(B, CUFF, 1000.0)


@pytest.mark.parametrize(("louder", "takes"), [(BETTER_DB - 1, False), (BETTER_DB, True)])
def test_it_stays_where_it_was_unless_another_hears_it_much_better(two: Receivers, louder: int, takes: bool) -> None:
    two.visited(A, CUFF, bonded=False)
    two.heard(A, CUFF, -80, 1000.0)
    two.heard(B, CUFF, -80 + louder, 1000.0)
    assert two.may_visit(A, CUFF, 1000.0)
    assert two.may_visit(B, CUFF, 1000.0) is takes


def test_one_loud_moment_is_not_hearing_it_better(two: Receivers) -> None:
    two.visited(A, CUFF, bonded=False)
    for moment in range(5):
        two.heard(A, CUFF, -80, 1000.0 + moment)
        two.heard(B, CUFF, -80, 1000.0 + moment)
    two.heard(B, CUFF, -40, 1005.0)
    assert not two.may_visit(B, CUFF, 1005.0)


def test_one_that_does_not_hear_it_any_more_has_a_head_start_and_no_more(two: Receivers) -> None:
    two.visited(A, CUFF, bonded=False)
    two.heard(B, CUFF, -90, 1000.0)
    assert not two.may_visit(B, CUFF, 1000.0)
    two.heard(B, CUFF, -90, 1000.0 + HEAD_START_S)
    assert two.may_visit(B, CUFF, 1000.0 + HEAD_START_S)


def test_a_bonded_device_waits_for_the_adapter_that_has_its_keys(two: Receivers) -> None:
    two.visited(A, CUFF, bonded=True)
    two.heard(B, CUFF, -30, 1000.0)
    two.heard(B, CUFF, -30, 1100.0)
    assert not two.may_visit(B, CUFF, 1100.0)
    late = 1000.0 + STALE_S + 1  # nobody has heard anything from A
    two.heard(B, CUFF, -30, late)
    assert two.may_visit(B, CUFF, late)


def test_after_a_failure_anybody_may_try_and_keys_that_do_not_work_bind_nobody(two: Receivers) -> None:
    two.visited(A, CUFF, bonded=True)
    two.heard(B, CUFF, None, 1000.0)
    two.failed(CUFF)
    assert not two.may_visit(B, CUFF, 1000.0)
    two.failed(CUFF, no_keys=True)
    assert two.may_visit(B, CUFF, 1000.0)


def test_strength_that_is_not_said_changes_nothing(two: Receivers) -> None:
    two.visited(A, CUFF, bonded=False)
    two.heard(A, CUFF, None, 1000.0)
    two.heard(B, CUFF, -10, 1000.0)
    assert not two.may_visit(B, CUFF, 1000.0)
