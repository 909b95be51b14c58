from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.interpret import BatteryLevel, Circumstances, NobodyMeasured, interpret
from gateway.radio import Notification, Session
from vitals.reading import ClockSource, Extreme, Measurement, Quality, Reading, RefusedFrame
from vitals.wire import parse_frame, parse_reading, render_frame, render_reading

START = datetime(2026, 11, 22, 6, 31, 0, tzinfo=UTC)
HEARD = START + timedelta(seconds=5)
AROUND = Circumstances(zone=ZoneInfo("Europe/Oslo"), start=START, battery=80)
SESSION = Session(id="s", device="C0:FF:EE:00:00:01", opened_at=START)


def said(frame: str, characteristic: str = "2A5E", model: str | None = "3230") -> Notification:
    return Notification(
        device="C0:FF:EE:00:00:01",
        model=model,
        characteristic=characteristic,
        payload=bytes.fromhex(frame),
        heard_at=HEARD,
        session=SESSION,
    )


def reading(notification: Notification, around: Circumstances = AROUND) -> Reading:
    result = interpret(notification, around)
    assert isinstance(result, Reading)
    return result


def test_a_plain_frame_is_a_reading_of_the_moment_it_was_heard() -> None:
    plain = reading(said("0062004800"))
    assert plain == Reading(
        id=plain.id,
        device="C0:FF:EE:00:00:01",  # type: ignore[arg-type]
        model="3230",
        taken_at=HEARD,
        clock=ClockSource.GATEWAY,
        measurements=(
            Measurement(metric="spo2", value=Decimal(98)),
            Measurement(metric="pulse", value=Decimal(72)),
        ),
        battery=80,
    )


def test_a_trusted_device_time_is_taken_at_and_identity() -> None:
    stamped = said("0162004800ea070b16071e00")
    one = reading(stamped)
    assert (one.taken_at, one.clock) == (datetime(2026, 11, 22, 6, 30, tzinfo=UTC), ClockSource.DEVICE)
    assert reading(stamped, replace(AROUND, start=START + timedelta(days=1))).id == one.id


@pytest.mark.parametrize("frame", ["1162004800ea070b16071e00", "0162004800b2070101000000"])
def test_a_device_time_not_trusted_is_said_and_tells_no_records_apart(frame: str) -> None:
    one = reading(said(frame))
    assert (one.taken_at, one.clock) == (HEARD, ClockSource.GATEWAY)
    assert "device_time_not_trusted" in one.flags
    assert reading(said(frame), replace(AROUND, start=START + timedelta(days=1))).id != one.id


def test_without_device_time_the_connection_tells_records_apart() -> None:
    frame = said("0062004800")
    assert reading(frame).id == reading(replace(frame, heard_at=HEARD + timedelta(seconds=30))).id
    assert reading(frame).id != reading(frame, replace(AROUND, start=START + timedelta(hours=4))).id


def test_a_reading_without_a_number_goes_with_the_devices_words() -> None:
    empty = reading(said("00ff070008"))
    assert (empty.measurements, empty.flags) == ((), ("spo2:NaN", "pulse:NRes"))
    assert parse_reading(render_reading(empty)) == empty


def test_above_and_below_what_can_be_measured_reach_the_rules() -> None:
    extreme = reading(said("0002080048"[:6] + "4800"))
    assert extreme.measurements[0] == Measurement(metric="spo2", value=Extreme.LO)
    assert reading(said("006200fe07")).measurements[1] == Measurement(metric="pulse", value=Extreme.HI)
    assert extreme.flags == ("spo2:-INF",)


def test_what_the_device_does_not_vouch_for_is_poor() -> None:
    poor = reading(said("0453006000200000"))
    assert (poor.quality, poor.flags) == (Quality.POOR, ("low_perfusion",))


def test_every_bit_at_once_still_fits_the_wire() -> None:
    loud = reading(said("17ff07ff07b2070101000000ffffffffff"))
    assert loud.flags[:3] == ("spo2:NaN", "pulse:NaN", "device_time_not_trusted")
    assert parse_reading(render_reading(loud)) == loud


def test_bytes_that_cannot_be_read_are_kept_whole() -> None:
    refused = interpret(said("006200"), AROUND)
    assert isinstance(refused, RefusedFrame)
    assert refused.frame == bytes.fromhex("006200")
    assert refused.reason == "truncated: pulse needs 2 bytes at offset 3, 0 are left"
    assert refused == interpret(replace(said("006200"), heard_at=HEARD), AROUND)
    other = interpret(said("006200"), replace(AROUND, start=HEARD))
    assert isinstance(other, RefusedFrame)
    assert other.id != refused.id


def test_the_quirk_of_the_model_is_used() -> None:
    renpho = reading(said("4e6a07ea070b16070000aa00000000", "2A9D", "Renpho ES-WBE28"))
    assert renpho.measurements == (Measurement(metric="weight", value=Decimal("94.900")),)


def test_a_battery_level_is_no_reading() -> None:
    assert interpret(said("33", "2A19"), AROUND) == BatteryLevel(percent=51)


@given(st.sampled_from(["2A5E", "2A5F", "2A9D", "2A37"]), st.binary(max_size=30))
def test_whatever_is_heard_the_wire_takes_it(characteristic: str, frame: bytes) -> None:
    result = interpret(said(frame.hex(), characteristic), AROUND)
    if isinstance(result, Reading):
        again = parse_reading(render_reading(result))
        assert {m.metric: m.value for m in again.measurements} == {m.metric: m.value for m in result.measurements}
    else:
        assert isinstance(result, RefusedFrame)
        assert parse_frame(render_frame(result)) == result


def test_a_frame_that_measured_nobody_makes_no_reading() -> None:
    """A pressure on its way up, and the zeros that one scale sends while it still measures."""
    cuff = interpret(said("00 80 00 ff 07 ff 07", "2A36"), AROUND)
    assert cuff == NobodyMeasured(reason="cuff_pressure_on_its_way")
