"""Two codecs agree on what is streamed, shown or broadcast: pulse belts, bodies on scales, clocks, Mi scales.

See `test_two_codecs.py`; the encoder is the simulator's, the decoder the gateway's.
"""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_sims.encode import Composition, EncodeError, HeartRate, MiUnit, MiWeighing, current_time, time_written
from device_sims.encode.mi_scale import stepped_off, unsettled
from gateway.profiles import DecodeError, decode
from tests.vectors.values import kilograms, moments, pounds, said, users
from vitals.reading import Quality
from vitals.units import to_canonical

local = datetime.fromisoformat

belts = st.builds(
    HeartRate,
    pulse=st.integers(0, 0xFFFF),
    wide=st.booleans(),
    contact=st.none() | st.booleans(),
    energy=st.none() | st.integers(0, 0xFFFF),
    rr=st.lists(st.integers(0, 0xFFFF), max_size=9).map(tuple),
)


@given(belts)
def test_heart_rate(frame):
    decoded = decode("2A37", bytes(frame))
    assert decoded.metrics == {"pulse": frame.pulse}
    assert (decoded.quality is Quality.POOR) is (frame.contact is False)
    assert decoded.details.get("energy_expended") == frame.energy


@given(belts, st.data())
def test_half_an_interval_is_refused(frame, data):
    whole = bytes(frame)
    with pytest.raises(DecodeError):
        decode("2A37", whole[: data.draw(st.integers(0, 1))])
    with pytest.raises(DecodeError):
        decode("2A37", whole + b"\x00")


tenths = st.integers(0, 0xFFFE).map(lambda steps: steps * Decimal("0.1"))
millimetres = st.integers(0, 0xFFFE).map(lambda steps: steps * Decimal("0.001"))


def compositions(masses, heights, *, imperial):
    """Bodies on a scale of one system of units."""
    return st.builds(
        Composition,
        body_fat=st.none() | tenths,
        imperial=st.just(imperial),
        taken_at=moments,
        with_time=st.booleans(),
        user=users,
        metabolism=st.none() | st.integers(0, 0xFFFF),
        muscle_percentage=st.none() | tenths,
        muscle_mass=st.none() | masses,
        fat_free_mass=st.none() | masses,
        soft_lean_mass=st.none() | masses,
        body_water_mass=st.none() | masses,
        impedance=st.none() | tenths,
        weight=st.none() | masses,
        height=st.none() | heights,
    )


bodies = compositions(kilograms, millimetres, imperial=False)


@given(bodies)
def test_body_composition(frame):
    decoded = decode("2A9C", bytes(frame))
    assert said(decoded, "body_fat") == ("unsuccessful" if frame.body_fat is None else frame.body_fat)
    assert decoded.taken_at == frame.taken_at
    assert decoded.user == (None if frame.user == 255 else frame.user)
    told = {
        "basal_metabolism": frame.metabolism,
        "muscle_percentage": frame.muscle_percentage,
        "muscle_mass": frame.muscle_mass,
        "fat_free_mass": frame.fat_free_mass,
        "soft_lean_mass": frame.soft_lean_mass,
        "body_water_mass": frame.body_water_mass,
        "impedance": frame.impedance,
        "height": frame.height,
    }
    assert decoded.details == {name: value for name, value in told.items() if value is not None}
    assert decoded.metrics.get("weight") == frame.weight


@given(compositions(pounds, tenths, imperial=True))
def test_body_composition_in_pounds(frame):
    decoded = decode("2A9C", bytes(frame))
    if frame.weight is not None:
        assert decoded.metrics["weight"] == to_canonical("weight", frame.weight, "[lb_av]")
    if frame.height is not None:
        assert decoded.details["height"] == frame.height * Decimal("0.0254")


@given(bodies, st.data())
def test_no_shorter_and_no_longer_body_is_read(frame, data):
    whole = bytes(frame)
    with pytest.raises(DecodeError):
        decode("2A9C", whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(DecodeError):
        decode("2A9C", whole + data.draw(st.binary(min_size=1, max_size=4)))


@given(moments, st.integers(0, 15))
def test_current_time(shown, reason):
    frame = current_time(shown, adjust_reason=reason)
    assert decode("2A2B", frame).taken_at == shown
    if shown is not None:
        assert time_written(frame) == shown


@pytest.mark.parametrize("frame", [b"", bytes(9), bytes(11), bytes(10), bytes.fromhex("ea070d16093000070000")])
def test_a_clock_does_not_take_what_is_no_time(frame):
    with pytest.raises(EncodeError, match="current time"):
        time_written(frame)


mi_weights = st.integers(20 * 200, 200 * 200).map(lambda steps: steps * Decimal("0.005"))
shown_times = st.datetimes(local("1970-01-01"), local("2099-12-31")).map(lambda moment: moment.replace(microsecond=0))
frames_of_both = {
    "181D": bytes,
    "181B": lambda frame: frame.with_impedance(503),
}


@pytest.mark.parametrize("service", sorted(frames_of_both))
@given(weight=mi_weights, shown=shown_times)
def test_mi_scales_say_a_weight_when_it_has_settled_and_only_then(service, weight, shown):
    frame = frames_of_both[service](MiWeighing(weight=weight, shown=shown))
    settled = decode(service, frame)
    assert (settled.metrics, settled.taken_at) == ({"weight": weight}, shown)
    assert settled.no_measurement is None
    assert decode(service, unsettled(frame)).no_measurement == "not_stabilised"
    assert decode(service, stepped_off(frame)).no_measurement == "weight_removed"


@pytest.mark.parametrize("service", sorted(frames_of_both))
@pytest.mark.parametrize(
    ("unit", "kilograms_each"), [(MiUnit.POUND, Decimal("0.45359237")), (MiUnit.CATTY, Decimal("0.5"))]
)
def test_mi_scales_in_other_units(service, unit, kilograms_each):
    frame = MiWeighing(weight=Decimal("140.65"), shown=local("2022-02-14T16:41:58"), unit=unit)
    assert decode(service, frames_of_both[service](frame)).metrics["weight"] == Decimal("140.65") * kilograms_each


def test_a_mi_scale_without_a_clock_begins_in_1970():
    decoded = decode("181D", bytes(MiWeighing(weight=Decimal("61.75"), shown=None)))
    assert decoded.taken_at == local("1970-01-01T00:00:00")


@pytest.mark.parametrize(
    ("written", "captured"),
    [
        # theengs/decoder, tests/BLE/test_ble.cpp.
        (
            bytes(MiWeighing(weight=Decimal("61.75"), shown=local("2022-02-14T16:41:58"))),
            "223e30e607020e10293a",
        ),
        (
            MiWeighing(weight=Decimal("72.45"), shown=local("2022-02-14T16:41:58")).with_impedance(503),
            "0226e607020e10293af7019a38",
        ),
        (
            MiWeighing(weight=Decimal("72.45"), shown=local("2022-02-14T16:41:58")).with_impedance(None),
            "0224e607020e10293a00009a38",
        ),
        # KristianP26/ble-scale-sync, tests/scales/beurer-bf720.test.ts: captured from a Beurer BF788.
        (
            bytes(
                Composition(
                    body_fat=Decimal("24.3"),
                    metabolism=9110,
                    muscle_percentage=Decimal("39.3"),
                    soft_lean_mass=Decimal("84.8"),
                    body_water_mass=Decimal("61.41"),
                    impedance=Decimal("392.5"),
                )
            ),
            "9803f300962389014042fa2f550f",
        ),
        (bytes(HeartRate(pulse=72, contact=True, rr=(853, 860))), "16485503" + "5c03"),
    ],
)
def test_the_encoder_writes_what_others_wrote(written, captured):
    assert written.hex() == captured
