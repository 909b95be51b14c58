"""Every vector is read by the gateway as it says, or refused as it says."""

import pytest

from gateway.profiles import Decoded, DecodeError, Special, decode
from gateway.profiles.date_time import date_time
from gateway.profiles.ieee11073 import float32, sfloat
from gateway.profiles.octets import Octets
from tests.vectors.vectors import Vector, load, load_frames
from vitals.reading import Quality


def expected(vector: Vector) -> Decoded:
    assert not isinstance(vector.special, str)
    special = {name: Special(word) for name, word in vector.special.items()}
    return Decoded(
        metrics={**vector.metrics, **dict.fromkeys(special)},
        special=special,
        taken_at=vector.taken_at,
        flags=vector.flags,
        quality=Quality(vector.quality),
        user=vector.user,
        sequence=vector.sequence,
        no_measurement=vector.no_measurement,
        details=vector.details,
    )


@pytest.mark.parametrize("vector", load_frames(), ids=str)
def test_frame(vector: Vector) -> None:
    if vector.refused is None:
        assert decode(vector.characteristic, vector.frame, vector.model) == expected(vector)
    else:
        with pytest.raises(DecodeError) as refusal:
            decode(vector.characteristic, vector.frame, vector.model)
        assert refusal.value.reason.startswith(vector.refused)


@pytest.mark.parametrize("vector", load("ieee11073"), ids=str)
def test_float(vector: Vector) -> None:
    read = {"SFLOAT": sfloat, "FLOAT": float32}[vector.characteristic]
    octets = Octets(vector.frame)
    assert read(octets, "number") == (vector.special or vector.number)
    octets.end()


@pytest.mark.parametrize("vector", load("date_time"), ids=str)
def test_date_time(vector: Vector) -> None:
    octets = Octets(vector.frame)
    if vector.refused is None:
        assert date_time(octets) == vector.taken_at
        octets.end()
    else:
        with pytest.raises(DecodeError, match=f"^{vector.refused}"):
            date_time(octets)


@pytest.mark.parametrize("vector", [each for each in load_frames() if each.refused is None], ids=str)
def test_every_beginning_is_refused_as_truncated(vector: Vector) -> None:
    for size in range(len(vector.frame)):
        with pytest.raises(DecodeError, match=r"^truncated: .+ needs \d bytes at offset \d+"):
            decode(vector.characteristic, vector.frame[:size], vector.model)


@pytest.mark.parametrize("rubbish", [b"\x00", b"\xff", b"\x00\x01\x02\x03\x04\x05\x06"], ids=bytes.hex)
@pytest.mark.parametrize(
    "vector", [each for each in load_frames() if each.refused is None and not each.open_end], ids=str
)
def test_anything_behind_is_refused(vector: Vector, rubbish: bytes) -> None:
    with pytest.raises(DecodeError, match=r"^trailing: \d bytes more"):
        decode(vector.characteristic, vector.frame + rubbish, vector.model)
