"""What is written can be read again, and what was never written is refused."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from alerts import codec
from alerts.history import History, MetricPast, MissingState, Sample, ThresholdState
from alerts.memory import Memory, dump, load
from alerts.priority import Priority

AT = datetime(2026, 3, 2, 7, tzinfo=UTC)


def test_a_field_with_its_default_is_left_out_and_a_kind_is_told() -> None:
    state = MissingState(day=date(2026, 3, 2), row=2, priority=Priority.HIGH)
    assert codec.encode(state) == {"kind": "missing", "day": "2026-03-02", "row": 2, "priority": "high"}
    assert codec.encode(MetricPast()) == {}


def test_what_is_written_is_read_again_whatever_class_was_met_first() -> None:
    sample = Sample(reading_id="r", taken_at=AT, received_at=AT, values=(Decimal(93), None))
    history = History(last=(AT, "r"), states={"low": ThresholdState(bands=(), top=sample, highest=Priority.LOW)})
    memory = Memory(plan_key="p", anchor=history, unused=(("r", "spo2"),))
    assert load(dump(memory)) == memory
    assert dump(load(dump(memory))) == dump(memory)


@pytest.mark.parametrize(
    "wrong", [{"kind": "missing", "day": "2026-03-02", "night": 1}, {"kind": "missing"}, {"kind": "missing", "day": 3}]
)
def test_what_was_never_written_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        codec.decode(MissingState, wrong)
