"""Two codecs agree on what is stored and handed over: blood pressure, temperature, glucose.

See `test_two_codecs.py`; the encoder is the simulator's, the decoder the gateway's.
"""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from device_sims.encode import (
    BloodPressure,
    EncodeError,
    Glucose,
    GlucoseContext,
    Temperature,
    access_ended,
    cuff_pressure,
    float32,
    number_of_records,
)
from device_sims.encode.glucose import Answer, OpCode
from gateway.profiles import CLOCK_NOT_SET, DecodeError, decode
from gateway.profiles.glucose import access_response, records_from
from tests.vectors.values import expected, floats, moments, said, sfloats, users

local = datetime.fromisoformat
status_bits = st.none() | st.integers(0, 0xFFFF)

pressures = st.builds(
    BloodPressure,
    systolic=sfloats,
    diastolic=sfloats,
    mean=sfloats,
    kilopascal=st.booleans(),
    taken_at=moments,
    with_time=st.booleans(),
    pulse=st.none() | sfloats,
    user=users,
    status=status_bits,
)


@given(pressures)
def test_blood_pressure(frame):
    decoded = decode("2A35", bytes(frame))
    unit = "kPa" if frame.kilopascal else "mm[Hg]"
    told = {"systolic": frame.systolic, "diastolic": frame.diastolic, "mean_pressure": frame.mean}
    assert {name: said(decoded, name) for name in told} == {
        name: expected(name, value, unit) for name, value in told.items()
    }
    assert ("pulse" in decoded.metrics) is (frame.pulse is not None)
    assert frame.pulse is None or said(decoded, "pulse") == frame.pulse
    assert decoded.taken_at == frame.taken_at
    assert decoded.user == (None if frame.user == 255 else frame.user)
    status = frame.status or 0
    assert ("irregular_pulse" in decoded.flags) is bool(status & 1 << 2)
    assert ("cuff_too_loose" in decoded.flags) is bool(status & 1 << 1)
    assert decoded.no_measurement is None


@given(sfloats)
def test_a_pressure_on_its_way_is_no_measurement(pressure):
    decoded = decode("2A36", cuff_pressure(pressure))
    assert said(decoded, "systolic") == pressure
    assert (said(decoded, "diastolic"), said(decoded, "mean_pressure")) == ("NaN", "NaN")
    assert decoded.no_measurement is not None


temperatures = st.builds(
    Temperature,
    value=floats,
    fahrenheit=st.booleans(),
    taken_at=moments,
    with_time=st.booleans(),
    site=st.none() | st.integers(0, 255),
)


@given(temperatures)
def test_temperature(frame):
    decoded = decode("2A1C", bytes(frame))
    unit = "[degF]" if frame.fahrenheit else "Cel"
    assert said(decoded, "temperature") == expected("temperature", frame.value, unit)
    assert decoded.taken_at == frame.taken_at
    assert ("site_ear" in decoded.flags) is (frame.site == 3)


glucoses = st.builds(
    Glucose,
    sequence=st.integers(0, 0xFFFF),
    base_time=moments,
    offset_min=st.none() | st.integers(-0x7FFF, 0x7FFE),
    concentration=st.none() | sfloats,
    by_mass=st.booleans(),
    kind=st.integers(0, 15),
    place=st.integers(0, 15),
    status=status_bits,
    context_follows=st.booleans(),
)


@given(glucoses)
def test_glucose(frame):
    shown = frame.base_time
    if shown is not None and frame.offset_min is not None:
        assume(local("1600-01-01") < shown < local("9900-01-01"))
        shown += timedelta(minutes=frame.offset_min)
    decoded = decode("2A18", bytes(frame))
    assert decoded.sequence == frame.sequence
    assert decoded.taken_at == shown
    status = frame.status or 0
    assert (CLOCK_NOT_SET in decoded.flags) is bool(status & 1 << 11)
    if status & 1 << 5:
        assert said(decoded, "glucose") == "+INF"
    elif status & 1 << 6:
        assert said(decoded, "glucose") == "-INF"
    elif frame.concentration is None:
        assert "glucose" not in decoded.metrics
    else:
        unit = "kg/L" if frame.by_mass else "mol/L"
        assert said(decoded, "glucose") == expected("glucose", frame.concentration, unit)
    solution = frame.concentration is not None and (frame.kind == 10 or frame.place == 4)
    assert (decoded.no_measurement == "control_solution") is solution


contexts = st.builds(
    GlucoseContext,
    sequence=st.integers(0, 0xFFFF),
    carbohydrate=st.none() | st.tuples(st.integers(0, 255), sfloats),
    meal=st.none() | st.integers(0, 255),
    tester_and_health=st.none() | st.tuples(st.integers(0, 15), st.integers(0, 15)),
    exercise=st.none() | st.tuples(st.integers(0, 0xFFFF), st.integers(0, 255)),
    medication=st.none() | st.tuples(st.integers(0, 255), sfloats),
    in_litres=st.booleans(),
    hba1c=st.none() | sfloats,
    extended=st.none() | st.integers(0, 255),
)


@given(contexts)
def test_context_belongs_to_its_record_and_is_none_itself(frame):
    decoded = decode("2A34", bytes(frame))
    assert decoded.sequence == frame.sequence
    assert not decoded.metrics
    assert decoded.no_measurement == "context"
    assert ("fasting" in decoded.flags) is (frame.meal == 3)


@given(
    st.one_of(
        st.tuples(st.just("2A35"), pressures),
        st.tuples(st.just("2A1C"), temperatures),
        st.tuples(st.just("2A18"), glucoses),
        st.tuples(st.just("2A34"), contexts),
    ),
    st.data(),
)
def test_no_shorter_and_no_longer_frame_is_read(spoken, data):
    characteristic, frame = spoken
    whole = bytes(frame)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DecodeError):
        decode(characteristic, whole[:cut])
    with pytest.raises(DecodeError):
        decode(characteristic, whole + data.draw(st.binary(min_size=1, max_size=4)))


@given(st.sampled_from(OpCode), st.sampled_from(Answer))
def test_how_a_request_to_the_memory_ended(request_, answer):
    response = access_response(access_ended(request_, answer))
    assert (response.request, response.code) == (request_, answer)
    assert response.done is (answer in (Answer.SUCCESS, Answer.NO_RECORDS))


def test_memory_requests_as_the_specification_writes_them():
    assert access_ended(OpCode.REPORT, Answer.SUCCESS).hex() == "06000101"
    assert access_ended(OpCode.REPORT, Answer.NO_RECORDS).hex() == "06000106"
    assert number_of_records(300).hex() == "05002c01"
    assert records_from(300).hex() == "0103012c01"


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (Decimal("36.4"), "6c0100ff"),
        (Decimal("37.60"), "b00e00fe"),
        (8388605, "fdff7f00"),
        (Decimal("-0.1"), "ffffffff"),
        ("NaN", "ffff7f00"),
        ("NRes", "00008000"),
        ("+INF", "feff7f00"),
        ("-INF", "02008000"),
    ],
)
def test_float_as_the_standard_writes_it(value, raw):
    assert float32(value).hex() == raw


@pytest.mark.parametrize("value", [8388606, Decimal("1E140"), Decimal("1E-129"), Decimal("NaN"), "hot"])
def test_what_a_float_cannot_say_is_refused(value):
    with pytest.raises(EncodeError):
        float32(value)


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        # derdilla/blood-pressure-monitor-fl, ble_measurement_data_test.dart.
        (
            BloodPressure(
                systolic=124, diastolic=86, mean=97, taken_at=local("2024-06-15T17:17:27"), pulse=51, status=0
            ),
            "167c0056006100e807060f11111b33000000",
        ),
        # NordicSemiconductor/Android-BLE-Common-Library, TemperatureMeasurementDataCallbackTest.java.
        (
            Temperature(value=Decimal("37.60"), taken_at=local("2012-12-05T11:50:27"), site=4),
            "06b00e00fedc070c050b321b04",
        ),
        # dotintent/react-native-ble-plx#652: captured.
        (
            Glucose(
                sequence=6,
                base_time=local("2020-04-13T16:38:10"),
                offset_min=0,
                concentration=Decimal("0.00120"),
                by_mass=True,
                place=15,
            ),
            "030600e407040d10260a000078b0f1",
        ),
    ],
)
def test_the_encoder_writes_what_others_wrote(value, captured):
    assert bytes(value).hex() == captured
