"""What a broken device, a broken gateway or a stranger may send: from the same seed the same bytes everywhere."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from vitals.seal import seal
from vitals.topics import GatewayId, Lane, topic

Sealed = tuple[str, bytes]

# Words that JSON readers, clocks and number readers are known to stumble over.
_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1E999999", "-0", "9223372036854775808", "1e-400"),
    *('"97"', "true", "null", "[97]", '{"value": 97}', "0x61", "97,5", "9" * 5000, "0." + "3" * 5000, '"LO "', '"hi"'),
)
_TIMES = (
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-06-30T23:59:60Z", "2026-03-02T07:00:00+14:00"),
    *(
        "2026-03-02T07:00:00",
        "2026-02-30T07:00:00Z",
        "2026-03-02 07:00:00Z",
        "1772434800",
        "",
        "9999-12-31T23:59:59-23:59",
    ),
)
_TEXTS = (
    "",
    "\x00",
    "\ud800",
    "a" * 100_000,
    "../../etc",
    "+/#",
    "<script>",
    "'; DROP TABLE reading; --",
    "\u202e",
    "é" * 64,
)


class Brewer:
    """Poison for the lanes of one gateway."""

    def __init__(self, seed: int, gateway: GatewayId, key: bytes) -> None:
        self._chance = random.Random(seed)
        self._gateway = gateway
        self._key = key

    def messages(self, count: int) -> Iterator[Sealed]:
        """Topics and payloads, of all kinds in turn; no two have the same bytes."""
        kinds: tuple[Callable[[], bytes], ...] = (
            self._noise,
            self._deep,
            self._wrong_type,
            self._field_spoiled,
            self._status_spoiled,
            self._number_spoiled,
            self._cut,
            self._flipped,
        )
        for number in range(count):
            lane = self._chance.choice((Lane.READINGS, Lane.READINGS, Lane.FRAMES, Lane.STATUS))
            where = topic(self._gateway, lane)
            body = kinds[number % len(kinds)]() + b" " * (number % 3)
            how = self._chance.randrange(6)
            if how == 0:
                yield where, body + str(number).encode()  # not sealed at all
            elif how == 1:
                yield where, seal(bytes(32), where, body + str(number).encode())  # somebody else's seal
            else:
                yield where, seal(self._key, where, _with_number(body, number))

    def frames(self, count: int) -> Iterator[tuple[str, bytes]]:
        """Characteristics and bytes: noise, and good frames with a bit turned or an end missing."""
        for _ in range(count):
            uuid, good = self._chance.choice(_GOOD_FRAMES)
            frame = bytearray.fromhex(good)
            how = self._chance.randrange(4)
            if how == 0:
                frame = bytearray(self._chance.randbytes(self._chance.randrange(40)))
            elif how == 1:
                del frame[self._chance.randrange(len(frame)) :]
            elif how == 2:
                frame += self._chance.randbytes(self._chance.randrange(1, 500))
            else:
                for _ in range(self._chance.randrange(1, 4)):
                    frame[self._chance.randrange(len(frame))] ^= 1 << self._chance.randrange(8)
            yield uuid, bytes(frame)

    def _noise(self) -> bytes:
        return self._chance.randbytes(self._chance.randrange(300))

    def _deep(self) -> bytes:
        depth = self._chance.choice((500, 5_000, 8_000))
        return b'{"values":' + b"[" * depth + b"]" * (depth if self._chance.random() < 0.5 else 0) + b"}"

    def _wrong_type(self) -> bytes:
        return self._chance.choice(
            (b"", b"null", b"[]", b'"text"', b"17", b"\xef\xbb\xbf{}", b"{", b"\x00", b"\xff\xfe{")
        )

    def _field_spoiled(self) -> bytes:
        reading = self._reading()
        name = self._chance.choice(sorted(reading))
        reading[name] = self._chance.choice((*_TEXTS, *_TIMES, None, -1, 10**30, [], {}, [[]] * 50, True))
        return json.dumps(reading).encode()

    def _status_spoiled(self) -> bytes:
        status: dict[str, Any] = {"online": True, "at": "2026-03-02T07:00:00Z", "spool": 0, "heard": {}, "versions": {}}
        name = self._chance.choice(sorted(status))
        status[name] = self._chance.choice((*_TEXTS, *_TIMES, None, -1, 10**30, [], {"AA": _TIMES[5]}, {"AA": 1}, True))
        return json.dumps(status).encode()

    def _number_spoiled(self) -> bytes:
        text = json.dumps(self._reading() | {"values": {"spo2": "@"}})
        twice = ', "spo2": 60' if self._chance.random() < 0.3 else ""
        return text.replace('"@"', self._chance.choice(_NUMBERS) + twice).encode()

    def _cut(self) -> bytes:
        body = json.dumps(self._reading()).encode()
        return body[: self._chance.randrange(len(body))]

    def _flipped(self) -> bytes:
        body = bytearray(json.dumps(self._reading()).encode())
        for _ in range(self._chance.randrange(1, 6)):
            body[self._chance.randrange(len(body))] ^= 1 << self._chance.randrange(8)
        return bytes(body)

    def _reading(self) -> dict[str, Any]:
        return {
            "id": str(UUID(int=self._chance.getrandbits(128), version=4)),
            "device": "AA:BB:CC:00:00:01",
            "taken_at": "2026-03-02T07:00:00Z",
            "values": {"spo2": 97, "pulse": 71},
            "quality": "good",
            "flags": [],
        }


def _with_number(body: bytes, number: int) -> bytes:
    """The body, told from every other by a blank line or an unknown field, which change nothing."""
    if body.startswith(b'{"id"') and body.endswith(b"}"):
        return body[:-1] + b', "n": %d}' % number
    return body + b"\n" * (number % 50)


# One good frame of each characteristic.
_GOOD_FRAMES = (
    ("2A5E", "0062004800"),
    ("2A5F", "0062004800"),
    ("2A9D", "02b036e7070c190e1e2d"),
    ("2A9C", "9803f300962389014042fa2f550f"),
    ("2A35", "167c0056006100e807060f11111b33000000"),
    ("2A36", "008000ff07ff07"),
    ("2A1C", "06b00e00fedc070c050b321b04"),
    ("2A18", "030600e407040d10260a000078b0f1"),
    ("2A34", "02070002"),
    ("2A37", "1e5532002100"),
    ("2A2B", "e10701040b262d030102"),
    ("2A19", "51"),
    ("181D", "223e30e607020e10293a"),
    ("181B", "0226e607020e10293af7019a38"),
)
