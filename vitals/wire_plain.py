"""Readings as our own gateways spell them, read in one look: what `vitals.wire` reads, three times as fast.

Whatever is spelt otherwise is not refused here but left to `vitals.wire`, which finds words for what is wrong. So this
module may know too little, never too much: what it reads, it reads as the other does (tests/vitals/test_wire_plain.py).
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from vitals.metrics import METRICS
from vitals.reading import ClockSource, DeviceId, Measurement, Quality, Reading, ReadingId

_IDENTITY = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TEXT = r"[ !#-\[\]-~]{1,64}"  # printable and without escapes
_VALUE = r'"[a-z0-9_]{1,32}":-?(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,9})?'  # far within what the wire takes
_PLAIN = re.compile(
    rf'\{{"id":"({_IDENTITY})",'
    rf'"device":"({_TEXT})",'
    rf'"model":(?:null|"({_TEXT})"),'
    r'"taken_at":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z)",'
    r'"clock":"([a-z]+)",'
    r'"offset_s":(-?(?:0|[1-9][0-9]{0,8})),'
    rf'"values":\{{({_VALUE}(?:,{_VALUE}){{0,31}})\}},'
    r'"quality":"([a-z]+)",'
    r'"flags":\[\],'
    r'"battery":(?:null|(100|[1-9]?[0-9]))\}'
)
_BEGINNING = re.compile(rf'\n\{{"id":"({_IDENTITY})","device":"({_TEXT})"'.encode())
_CLOCKS = {each.value: each for each in ClockSource}
_QUALITIES = {each.value: each for each in Quality}


def read_plainly(body: bytes) -> Reading | None:
    """The reading in a JSON body that is spelt as we spell it; None when it is not, which says nothing against it."""
    found = _PLAIN.fullmatch(body.decode("ascii", "replace"))
    if found is None:
        return None
    identity, device, model, taken_at, clock, offset_s, values, quality, battery = found.groups()
    try:
        return Reading(
            id=ReadingId(identity),
            device=DeviceId(device.upper()),
            model=model,
            taken_at=datetime.fromisoformat(taken_at),
            clock=_CLOCKS[clock],
            offset_s=int(offset_s),
            measurements=_measurements(values),
            quality=_QUALITIES[quality],
            flags=(),
            battery=None if battery is None else int(battery),
        )
    except (KeyError, ValueError):  # no such word, or no such day
        return None


def glimpse(payload: bytes) -> tuple[ReadingId, DeviceId] | None:
    """Which reading of which device a sealed payload seems to hold, believed by nobody; None when it is not seen."""
    seen = _BEGINNING.search(payload)
    return None if seen is None else (ReadingId(seen[1].decode()), DeviceId(seen[2].decode().upper()))


@lru_cache(maxsize=4096)  # by its text: an oximeter says only a few hundred different things
def _measurements(values: str) -> tuple[Measurement, ...]:
    """In the order of the metrics' names. Raises KeyError for a metric that we do not know."""
    named = dict(each.split(":") for each in values.split(","))
    return tuple(Measurement(metric=_known(name[1:-1]), value=Decimal(named[name])) for name in sorted(named))


def _known(metric: str) -> str:
    if metric not in METRICS:
        raise KeyError(metric)
    return metric
