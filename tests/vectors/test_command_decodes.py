"""Every vector through `varde decode`, as whoever stands beside a device that nobody understands types it."""

import json
from decimal import Decimal

import pytest

from tests.vectors.vectors import Vector, load_frames
from varde.__main__ import main

_VECTORS = load_frames()
_CHARACTERISTICS = (
    *("2A5E", "2A5F", "2A35", "2A36", "2A1C", "2A18", "2A34", "2A9D", "2A9C", "2A37", "2A19", "2A2B"),
    *("181D", "181B"),  # service data of advertisements
)


@pytest.mark.parametrize("vector", _VECTORS, ids=str)
def test_the_command_says_what_the_vector_says(vector: Vector, capsys: pytest.CaptureFixture[str]) -> None:
    model = () if vector.model is None else ("--model", vector.model)
    code = main(["decode", vector.characteristic, vector.frame.hex(), *model])
    said = capsys.readouterr()
    if vector.refused is not None:
        assert (code, said.out) == (2, "")
        assert said.err.startswith(f"refused: {vector.refused}")
        return
    assert (code, said.err) == (0, "")
    answer = json.loads(said.out, parse_float=Decimal)
    assert isinstance(vector.special, dict)
    assert answer == {
        "metrics": {name: _printed(value) for name, value in vector.metrics.items()} | dict.fromkeys(vector.special),
        "taken_at": None if vector.taken_at is None else vector.taken_at.isoformat(),
        "special": dict(vector.special),
        "flags": list(vector.flags),
    }


def _printed(value: Decimal) -> Decimal:
    """What a float keeps of it; only converted units have more digits."""
    return Decimal(repr(float(value)))


@pytest.mark.parametrize("characteristic", _CHARACTERISTICS)
def test_every_characteristic_of_the_home_has_a_vector(characteristic: str) -> None:
    assert any(vector.characteristic == characteristic for vector in _VECTORS)


def test_a_control_point_carries_no_measurement(capsys: pytest.CaptureFixture[str]) -> None:
    # 2A52 answers a request for a device's memory; `gateway/records.py` reads it there.
    assert main(["decode", "2A52", "06000101"]) == 2
    assert "no profile reads characteristic 2A52" in capsys.readouterr().err
