"""What a real radio does and bumble's own link does not."""

import asyncio
import logging

from bumble import hci
from bumble.device import Device
from bumble.host import Host
from bumble.transport.common import AsyncPipeSink

from device_sims.air import Air, RadioController
from device_sims.quiet import hush
from tests.device_sims.home import eventually

_TYPES = hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType


class Station:
    """A bare radio with a host, beside those of the home."""

    def __init__(self, air: Air, address: str) -> None:
        hush()
        self.radio = RadioController(address, air=air, public_address=address)
        self.device = Device(address=hci.Address(address), host=Host(self.radio, AsyncPipeSink(self.radio)))
        self.heard: list[object] = []
        self.device.on(self.device.EVENT_ADVERTISEMENT, self.heard.append)

    async def advertise(self, kind: object, interval_ms: float = 20) -> None:
        await self.device.send_sync_command(
            hci.HCI_LE_Set_Advertising_Parameters_Command(
                advertising_interval_min=int(interval_ms / 0.625),
                advertising_interval_max=int(interval_ms / 0.625),
                advertising_type=kind,
                own_address_type=hci.OwnAddressType.PUBLIC,
                peer_address_type=hci.Address.PUBLIC_DEVICE_ADDRESS,
                peer_address=hci.Address.ANY,
                advertising_channel_map=7,
                advertising_filter_policy=0,
            )
        )
        data = bytes.fromhex("0516 1d18 a4 38".replace(" ", ""))
        await self.device.send_sync_command(hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=data))
        await self.device.send_sync_command(hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=1))


async def test_a_broadcast_only_device_is_heard_and_cannot_be_connected_to():
    air = Air()
    scale, listener = Station(air, "A0:00:00:00:00:01"), Station(air, "A0:00:00:00:00:02")
    await scale.device.power_on()
    await listener.device.power_on()
    await listener.device.start_scanning(active=True)
    await scale.advertise(_TYPES.ADV_NONCONN_IND)
    await eventually(lambda: listener.heard)
    heard = listener.heard[0]
    assert (heard.is_connectable, heard.is_scannable, heard.rssi) == (False, False, -55)
    assert not scale.radio.is_advertising_as(scale.radio.public_address)


async def test_only_those_who_listen_are_told():
    air = Air()
    talker, listener, idle = (Station(air, f"A0:00:00:00:00:0{number}") for number in (1, 2, 3))
    for station in (talker, listener, idle):
        await station.device.power_on()
    await listener.device.start_scanning(active=False)
    assert air.listening == {listener.radio}
    await talker.advertise(_TYPES.ADV_IND)
    await eventually(lambda: listener.heard)
    assert idle.heard == []
    await listener.device.stop_scanning()
    assert air.listening == set()


async def test_the_interval_is_counted_in_slots_and_not_in_milliseconds():
    air = Air()
    talker = Station(air, "A0:00:00:00:00:01")
    await talker.device.power_on()
    await talker.advertise(_TYPES.ADV_IND, interval_ms=20)
    advertiser = talker.radio.le_legacy_advertiser
    assert advertiser.advertising_interval_min == 32
    loop = asyncio.get_running_loop()
    advertiser.stop()
    advertiser.enabled = True
    advertiser._on_timer_fired()
    assert 0.015 < advertiser.timer_handle.when() - loop.time() <= 0.020
    advertiser.stop()


async def test_out_of_range_nobody_hears_and_back_again_they_do():
    air = Air()
    talker, listener = Station(air, "A0:00:00:00:00:01"), Station(air, "A0:00:00:00:00:02")
    await talker.device.power_on()
    await listener.device.power_on()
    air.leave(talker.radio)
    await listener.device.start_scanning(active=False)
    await talker.advertise(_TYPES.ADV_IND)
    await eventually(lambda: air.advertisements > 3)
    assert listener.heard == []
    air.enter(talker.radio)
    await eventually(lambda: listener.heard)


async def test_a_reset_forgets_scan_and_advertisement():
    air = Air()
    station = Station(air, "A0:00:00:00:00:01")
    await station.device.power_on()
    await station.device.start_scanning(active=False)
    await station.advertise(_TYPES.ADV_IND)
    await station.device.power_on()
    assert air.listening == set()
    assert not station.radio.le_legacy_advertiser.enabled


def test_hushed_packets_are_not_spelled_out():
    hush()
    assert str(hci.HCI_Reset_Command()) == "HCI_Reset_Command"
    assert logging.getLogger("bumble").level == logging.CRITICAL
