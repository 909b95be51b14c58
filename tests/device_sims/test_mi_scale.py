"""A Mi scale tells everybody and connects to nobody."""

import asyncio
from datetime import datetime
from decimal import Decimal

import pytest
from bleak import BleakScanner
from bleak.exc import BleakError

from device_sims.encode import MiWeighing
from device_sims.encode.mi_scale import stepped_off, unsettled
from device_sims.peripherals import MiScale, RecordRefusedError
from tests.device_sims.home import ADDRESS, DEADLINE_S, sight

WEIGHING = MiWeighing(weight=Decimal("72.45"), shown=datetime.fromisoformat("2026-11-22T07:20:00"))


@pytest.mark.parametrize(
    ("service", "frame"), [("181D", bytes(WEIGHING)), ("181B", WEIGHING.with_impedance(503))], ids=["181D", "181B"]
)
async def test_a_weighing_is_told_while_it_settles_when_it_has_and_after(home, service, frame):
    scale = await home.add(MiScale, interval_ms=5)
    heard = []

    def hear(device, data):
        if device.address == ADDRESS:
            heard.append(data.service_data.get(f"0000{service.lower()}-0000-1000-8000-00805f9b34fb"))

    async with home.backend() as backend, BleakScanner(hear, **backend.scanner_args):
        scale.measure(frame, service)
        await asyncio.wait_for(scale.parted(), DEADLINE_S)
    assert list(dict.fromkeys(heard)) == [unsettled(frame), frame, stepped_off(frame)]
    assert heard.count(frame) > 1  # repeated, for nobody confirms
    assert not scale.records


async def test_nobody_can_connect_to_it(home):
    scale = await home.add(MiScale)
    scale.store(bytes(WEIGHING))
    async with home.backend() as backend:
        device, _seen = await sight(backend)
        with pytest.raises((BleakError, TimeoutError)):
            await home.client(backend, device, timeout=0.2).connect()
    assert scale.connections == 0


async def test_what_does_not_fit_into_a_broadcast_is_refused(home):
    scale = await home.add(MiScale)
    with pytest.raises(RecordRefusedError, match="21 bytes are more than the 20"):
        scale.store(bytes(21))
    with pytest.raises(RecordRefusedError, match="no link to lose"):
        scale.store(bytes(10), cut=True)
    with pytest.raises(RecordRefusedError, match="this mi_scale has no 2A9D; it has 181D, 181B"):
        scale.store(bytes(10), "2A9D")
