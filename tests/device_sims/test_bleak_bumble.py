"""Bleak's own calls over the virtual radio: everything a gateway meets with a device."""

import asyncio
import time

import pytest
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError

from device_sims.air import RadioController
from device_sims.bleak_bumble import BumbleBackend
from device_sims.hci_server import HciServer
from device_sims.peripherals import Oximeter, Scale
from tests.device_sims.home import DEADLINE_S, eventually, sight

FRAME = bytes.fromhex("0062004800")
RANDOM_STATIC = "C0:11:22:33:44:57"


async def test_scan_connect_subscribe_and_the_record_is_handed_over(home):
    oximeter = await home.add()
    record = oximeter.store(FRAME)
    async with home.backend() as backend:
        device, seen = await sight(backend)
        assert (device.address, seen.local_name, seen.rssi) == (oximeter.spec.address, "Testoximeter", -55)
        assert seen.service_uuids == ["00001822-0000-1000-8000-00805f9b34fb"]
        got = []
        async with home.client(backend, device) as client:
            await client.start_notify("2A5E", lambda _c, data: got.append(bytes(data)))
            await asyncio.wait_for(record.handed_over, DEADLINE_S)
            assert bytes(await client.read_gatt_char("2A19")) == b"\x50"
            assert bytes(await client.read_gatt_char("2A24")) == b"Testoximeter"
            assert bytes(await client.read_gatt_char("2A60")) == b"\x0c\x00"
            assert client.mtu_size == 517
    assert got == [FRAME]
    assert not oximeter.records


async def test_records_come_oldest_first_and_a_new_one_in_the_same_link(home):
    scale = await home.add(Scale)
    frames = [bytes([0, each, 0x3E]) for each in range(5)]
    for frame in frames[:4]:
        scale.store(frame)
    async with home.backend() as backend:
        got = []
        async with home.client(backend, await home.find(backend)) as client:
            await client.start_notify("2A9D", lambda _c, data: got.append(bytes(data)))
            await asyncio.wait_for(scale.records[-1].handed_over, DEADLINE_S)
            await asyncio.wait_for(scale.store(frames[4]).handed_over, DEADLINE_S)
    assert got == frames
    assert scale.connections == 1


async def test_a_device_with_nothing_to_say_is_silent(home):
    oximeter = await home.add()
    async with home.backend() as backend:
        await asyncio.wait_for(_fetch(home, backend, oximeter), DEADLINE_S)
        advertised = home.air.advertisements
        await asyncio.sleep(0.1)  # five intervals of silence
        assert home.air.advertisements == advertised


async def test_the_confirmation_leaves_only_after_the_callback_has_returned(home, monkeypatch):
    oximeter = await home.add()
    record = oximeter.store(FRAME)
    async with home.backend() as backend:
        order = []
        sink = backend.adapter._wire.sink
        sent = sink.on_packet

        def watched(packet):
            if packet[-1] == 0x1E:  # ATT_HANDLE_VALUE_CFM has no parameters
                order.append("confirmed")
            sent(packet)

        monkeypatch.setattr(sink, "on_packet", watched)
        async with home.client(backend, await home.find(backend)) as client:
            await client.start_notify("2A5E", lambda _c, _data: order.append("kept"))
            await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert order == ["kept", "confirmed"]


async def test_an_adapter_that_lost_its_bonds_bonds_again(home):
    oximeter = await home.add(bonded=True)
    async with home.backend() as backend:
        await _fetch(home, backend, oximeter)
    kept = home.server.path.with_suffix(".bonds")
    assert "ltk" in kept.read_text()
    kept.unlink()
    async with home.backend() as renewed:
        await _fetch(home, renewed, oximeter)
    assert "ltk" in kept.read_text()


async def test_what_the_callback_refuses_is_not_confirmed_and_comes_again(home):
    oximeter = await home.add()
    record = oximeter.store(FRAME)
    calls = []

    def full_disk(_characteristic, data):
        calls.append(bytes(data))
        if len(calls) == 1:
            raise OSError("disk full")

    async with home.backend() as backend:
        client = home.client(backend, await home.find(backend))
        await client.connect()
        await client.start_notify("2A5E", full_disk)
        await eventually(lambda: not client.is_connected)
        assert list(oximeter.records) == [record]
        async with home.client(backend, await home.find(backend)) as again:
            await again.start_notify("2A5E", full_disk)
            await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert calls == [FRAME, FRAME]


async def test_a_link_that_dies_before_the_confirmation_brings_the_record_twice(home):
    oximeter = await home.add()
    record = oximeter.store(FRAME, cut=True)
    async with home.backend() as backend:
        got = []
        gone = asyncio.Event()
        device = await home.find(backend)
        client = home.client(backend, device, disconnected_callback=lambda _c: gone.set())
        await client.connect()
        await client.start_notify("2A5E", lambda _c, data: got.append(bytes(data)))
        await asyncio.wait_for(gone.wait(), DEADLINE_S)
        assert not record.handed_over.done()
        async with home.client(backend, await home.find(backend)) as again:
            await again.start_notify("2A5E", lambda _c, data: got.append(bytes(data)))
            await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert got == [FRAME, FRAME]
    assert record.sent == 2


@pytest.mark.parametrize(("address", "public"), [("A0:11:22:33:44:56", True), (RANDOM_STATIC, False)])
async def test_a_bonded_device_is_paired_once_and_encrypted_with_the_stored_key_after(home, address, public):
    bonds = home.folder / "device.bonds"
    oximeter = await home.add(address=address, public=public, bonded=True, bonds=bonds)
    async with home.backend() as backend:
        await _fetch(home, backend, oximeter)
        key = bonds.read_text()
        assert "ltk" in key
        await _fetch(home, backend, oximeter)
    async with home.backend() as restarted:  # the adapter's bonds outlive the process
        await _fetch(home, restarted, oximeter)
    assert bonds.read_text() == key


async def test_a_device_that_lost_its_bond_is_told_from_other_troubles(home):
    oximeter = await home.add(bonded=True)
    async with home.backend() as backend:
        await _fetch(home, backend, oximeter)
        await oximeter.forget_bonds()
        oximeter.store(FRAME)
        with pytest.raises(BleakError, match="no longer knows its bond"):
            await home.client(backend, await home.find(backend)).connect()


async def test_an_unbonded_subscription_is_refused_by_the_device_itself(home):
    oximeter = await home.add(bonded=True)
    oximeter.store(FRAME)
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        cccd = client.services.get_characteristic("2A5E").descriptors[0]
        link = client._backend._link
        with pytest.raises(Exception, match="INSUFFICIENT_ENCRYPTION"):
            await link.write_value(cccd.handle, b"\x02\x00", with_response=True)


async def test_what_a_characteristic_does_not_offer_is_refused(home):
    oximeter = await home.add()
    oximeter.store(FRAME)
    async with home.backend() as backend, home.client(backend, await home.find(backend)) as client:
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.read_gatt_char("2A5E")
        assert refused.value.code == 0x02
        with pytest.raises(BleakGATTProtocolError) as refused:
            await client.write_gatt_char("2A60", b"\x00\x00", response=True)
        assert refused.value.code == 0x03
        link = client._backend._link
        cccd = client.services.get_characteristic("2A5E").descriptors[0]
        with pytest.raises(Exception, match="CCCD_IMPROPERLY_CONFIGURED"):
            await link.write_value(cccd.handle, b"\x01\x00", with_response=True)


async def test_a_device_asleep_times_out_and_the_adapter_still_works(home):
    oximeter = await home.add()
    oximeter.store(FRAME)
    async with home.backend() as backend:
        device = await home.find(backend)
        await oximeter.sleep()
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            await home.client(backend, device, timeout=0.2).connect()
        assert time.monotonic() - started < 1.0
        oximeter.come_back()
        await _fetch(home, backend, oximeter)


async def test_a_lost_connection_request_is_an_error_and_the_next_one_works(home):
    oximeter = await home.add()
    oximeter.store(FRAME)
    async with home.backend() as backend:
        device = await home.find(backend)
        home.air.conditions.connect_loss = 1.0
        with pytest.raises(BleakError):
            await home.client(backend, device).connect()
        home.air.conditions.connect_loss = 0.0
        await _fetch(home, backend, oximeter)


async def test_walking_away_while_idle_is_told_and_then_every_call_fails(home):
    oximeter = await home.add()
    oximeter.store(FRAME)
    async with home.backend() as backend:
        gone = asyncio.Event()
        client = home.client(backend, await home.find(backend), disconnected_callback=lambda _c: gone.set())
        await client.connect()
        oximeter.walk_away()
        await asyncio.wait_for(gone.wait(), DEADLINE_S)
        assert not client.is_connected
        with pytest.raises(BleakError):
            await client.read_gatt_char("2A19")
        oximeter.come_back()
        await _fetch(home, backend, oximeter)


async def test_walking_away_while_an_answer_is_awaited_is_an_error_not_a_cancellation(home):
    oximeter = await home.add()
    oximeter.store(FRAME)
    async with home.backend() as backend:
        client = home.client(backend, await home.find(backend))
        await client.connect()
        oximeter.walk_away()
        with pytest.raises(BleakError, match="lost"):
            await asyncio.wait_for(client.read_gatt_char("2A19"), DEADLINE_S)


async def test_an_unheard_address_is_not_found(home):
    async with home.backend() as backend:
        with pytest.raises(BleakDeviceNotFoundError):
            await home.client(backend, "A0:00:00:00:00:99").connect()


async def test_an_adapter_that_is_not_there_says_so(short_folder):
    backend = BumbleBackend(name="sim0", transport=f"unix-client:{short_folder / 'none.hci'}")
    with pytest.raises(BleakError, match=r"sim0 .*none\.hci"):
        await backend.__aenter__()


async def test_a_missing_transport_is_named():
    with pytest.raises(ValueError, match="transport"):
        BumbleBackend(name="sim0", transport=None)


async def test_the_adapter_is_used_again_when_its_other_end_was_away(home):
    oximeter = await home.add()
    async with home.backend() as backend:
        await _fetch(home, backend, oximeter)
        await home.server.stop()
        await eventually(lambda: not backend.adapter.is_open)
        await home.server.start()
        await eventually(lambda: backend.adapter.is_open)
        await _fetch(home, backend, oximeter)


async def test_a_host_that_dies_leaves_a_controller_that_works(home, monkeypatch):
    """What SIGKILL does to a gateway: the socket closes without a word, in the middle of a connection."""
    oximeter = await home.add()
    oximeter.store(FRAME)
    monkeypatch.setattr("device_sims.adapter.REOPEN_S", 3600.0)
    monkeypatch.setattr("device_sims.peripherals.peripheral.LINGER_S", 3600.0)  # only the lost link may free the device
    async with home.backend() as backend:
        client = home.client(backend, await home.find(backend))
        await client.connect()
        assert home.radio.le_connections
        backend.adapter._wire.sink.close()
        await eventually(lambda: not home.radio.le_connections)
        await eventually(lambda: not oximeter.radio.le_connections)
    async with home.backend() as restarted:
        await _fetch(home, restarted, oximeter)


async def test_a_second_host_does_not_get_an_adapter_that_is_in_use(home):
    oximeter = await home.add()
    async with home.backend() as backend:
        with pytest.raises(BleakError, match="sim0"):
            await home.backend().__aenter__()
        await _fetch(home, backend, oximeter)


async def test_two_adapters_hear_with_their_own_strength(home):
    far = RadioController("far", air=home.air, public_address="F0:00:00:00:00:02")
    home.air.rssi = lambda _sender, receiver: -80 if receiver is far else -50
    second = HciServer(far, home.folder / "far.hci")
    await second.start()
    oximeter = await home.add()
    oximeter.store(FRAME)
    try:
        async with home.backend() as near, BumbleBackend(name="far", transport=f"unix-client:{second.path}") as other:
            assert (await sight(near))[1].rssi == -50
            assert (await sight(other))[1].rssi == -80
    finally:
        await second.stop()


async def _fetch(home, backend, device):
    """Store a record and fetch everything, as a gateway would; returns the frames."""
    record = device.store(FRAME)
    got = []
    async with home.client(backend, await home.find(backend, device.spec.address)) as client:
        uuid = device.default_characteristic
        await client.start_notify(uuid, lambda _c, data: got.append(bytes(data)))
        await asyncio.wait_for(record.handed_over, DEADLINE_S)
    assert FRAME in got
    return got


def test_oximeter_and_scale_speak_what_their_services_name():
    assert (Oximeter.service_uuids, Oximeter.default_characteristic) == ((0x1822,), "2A5E")
    assert (Scale.service_uuids, Scale.default_characteristic) == ((0x181D,), "2A9D")
