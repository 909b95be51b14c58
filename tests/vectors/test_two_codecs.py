"""Two codecs, each written from the specifications and not from the other, agree on every value.

The encoder is the simulator's, the decoder the gateway's; the vectors beside this file are the arbiter of both.
"""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sims.encode import Continuous, EncodeError, SpotCheck, Weighing, battery, sfloat
from gateway.profiles import CLOCK_NOT_SET, DecodeError, decode
from tests.vectors.values import kilograms, moments, pounds, said, sfloats
from vitals.units import to_canonical

measurement_status = st.none() | st.integers(0, 0xFFFF)
sensor_status = st.none() | st.integers(0, 0xFFFFFF)

spot_checks = st.builds(
    SpotCheck,
    spo2=sfloats,
    pulse=sfloats,
    taken_at=moments,
    with_time=st.booleans(),
    measurement_status=measurement_status,
    sensor_status=sensor_status,
    pulse_amplitude=st.none() | sfloats,
    clock_not_set=st.booleans(),
)


@given(spot_checks)
def test_spot_check(frame):
    decoded = decode("2A5E", bytes(frame))
    assert (said(decoded, "spo2"), said(decoded, "pulse")) == (frame.spo2, frame.pulse)
    assert decoded.taken_at == frame.taken_at
    assert (CLOCK_NOT_SET in decoded.flags) is frame.clock_not_set
    if isinstance(frame.pulse_amplitude, Decimal):
        assert decoded.details["pulse_amplitude_index"] == frame.pulse_amplitude


@given(
    st.builds(
        Continuous,
        spo2=sfloats,
        pulse=sfloats,
        fast=st.none() | st.tuples(sfloats, sfloats),
        slow=st.none() | st.tuples(sfloats, sfloats),
        measurement_status=measurement_status,
        sensor_status=sensor_status,
        pulse_amplitude=st.none() | sfloats,
    )
)
def test_continuous(frame):
    decoded = decode("2A5F", bytes(frame))
    assert (said(decoded, "spo2"), said(decoded, "pulse")) == (frame.spo2, frame.pulse)
    for name, pair in (("fast", frame.fast), ("slow", frame.slow)):
        for metric, value in zip(("spo2", "pulse"), pair or (), strict=False):
            if isinstance(value, Decimal):
                assert decoded.details[f"{metric}_{name}"] == value


@given(
    weight=st.none() | kilograms,
    taken_at=moments,
    with_time=st.booleans(),
    user=st.none() | st.integers(0, 255),
    bmi_and_height=st.none()
    | st.tuples(
        st.integers(1, 900).map(lambda each: each * Decimal("0.1")),
        st.integers(1, 2500).map(lambda each: each * Decimal("0.001")),
    ),
)
def test_weight_in_kilograms(weight, taken_at, with_time, user, bmi_and_height):
    frame = Weighing(weight=weight, taken_at=taken_at, with_time=with_time, user=user, bmi_and_height=bmi_and_height)
    decoded = decode("2A9D", bytes(frame))
    assert said(decoded, "weight") == ("unsuccessful" if weight is None else weight)
    assert decoded.taken_at == taken_at
    assert decoded.user == (None if user == 255 else user)
    if bmi_and_height is not None:
        assert (decoded.details["bmi"], decoded.details["height"]) == bmi_and_height


@given(pounds)
def test_weight_in_pounds(weight):
    decoded = decode("2A9D", bytes(Weighing(weight=weight, imperial=True)))
    assert decoded.metrics["weight"] == to_canonical("weight", weight, "[lb_av]")


@given(st.integers(0, 100))
def test_battery(percent):
    assert decode("2A19", battery(percent)).metrics == {"battery": percent}


@given(spot_checks, st.data())
def test_no_shorter_and_no_longer_frame_is_read(frame, data):
    whole = bytes(frame)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DecodeError):
        decode("2A5E", whole[:cut])
    with pytest.raises(DecodeError):
        decode("2A5E", whole + data.draw(st.binary(min_size=1, max_size=4)))


@pytest.mark.parametrize(
    ("value", "raw"),
    [
        (98, "6200"),
        (Decimal("36.4"), "6cf1"),
        (Decimal("-0.1"), "fff f".replace(" ", "")),
        (Decimal("100.0"), "e8f3"),
        (2045, "fd07"),
        (20450, "fd17"),
        (Decimal("1E9"), "6470"),
        ("NaN", "ff07"),
        ("NRes", "0008"),
        ("+INF", "fe07"),
        ("-INF", "0208"),
    ],
)
def test_sfloat_as_the_standard_writes_it(value, raw):
    assert sfloat(value).hex() == raw


@pytest.mark.parametrize("value", [2046, -2046, Decimal("0.123456789"), Decimal("1E20"), Decimal("NaN"), "hot"])
def test_what_an_sfloat_cannot_say_is_refused(value):
    with pytest.raises(EncodeError):
        sfloat(value)


@pytest.mark.parametrize("weight", [Decimal("80.001"), Decimal(-1), Decimal("327.68")])
def test_what_a_scale_cannot_say_is_refused(weight):
    with pytest.raises(EncodeError, match="weight"):
        bytes(Weighing(weight=weight))


@pytest.mark.parametrize(
    ("value", "captured"),
    [
        # A Beurer BF788, from an HCI snoop (KristianP26/ble-scale-sync, tests/scales/beurer-bf720.test.ts).
        (
            Weighing(
                weight=Decimal("117.92"),
                taken_at=datetime.fromisoformat("2026-07-14T23:41:32"),
                user=1,
                bmi_and_height=(Decimal("32.0"), Decimal("1.92")),
            ),
            "0e205cea07070e1729200140018007",
        ),
        (Weighing(weight=Decimal("260.0"), imperial=True), "019065"),
        # StanfordSpezi/SpeziBluetooth, Tests/SpeziBluetoothServicesTests/PLXTests.swift.
        (
            Continuous(spo2=95, pulse=90, measurement_status=1 << 5, sensor_status=0, pulse_amplitude=Decimal("8.7")),
            "1c5f005a00200000000057f0",
        ),
        (Continuous(spo2=Decimal("100.0"), pulse=Decimal("90.0")), "00e8f384f3"),
    ],
)
def test_the_encoder_writes_what_others_wrote(value, captured):
    assert bytes(value).hex() == captured
