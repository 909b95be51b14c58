"""The air of one home: which radios hear each other, how strongly, and when a link dies.

Bumble's own link and controller carry real HCI, ATT and SMP bytes, but they shout every advertisement at everybody,
never deliver scan responses, cannot cancel a connection attempt, send only from random addresses and never lose a
link. `Air` and `RadioController` are what those would be on a real radio, as far as a gateway can tell.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bumble import controller as bumble_controller
from bumble import hci, ll
from bumble.core import PhysicalTransport
from bumble.link import LocalLink

SLOT_S = 0.000625  # advertising intervals are counted in slots of 625 µs (Core Specification, Vol 4, Part E, 7.8.5)
ESTABLISH_TRIES = 6  # a connection not heard within six intervals never was (Vol 6, Part B, 4.5.2)
INTERVAL_UNIT_S = 0.00125
DEFAULT_RSSI_DBM = -55

Rssi = Callable[["RadioController", "RadioController"], int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Advertisement(ll.AdvertisingPdu):  # type: ignore[misc]
    """One advertising event with what an active scanner gets in reply."""

    advertiser_address: Any
    connectable: bool
    scannable: bool
    data: bytes
    scan_response: bytes


@dataclass(slots=True, kw_only=True)
class Conditions:
    """How bad the radio is: shares of packets lost from 0 to 1, and seconds for each packet on its way.

    `supervision_s` replaces what the central asked for (BlueZ: 0.42 s) and makes tests quick.
    """

    advertisement_loss: float = 0.0
    connect_loss: float = 0.0
    latency_s: float = 0.0
    supervision_s: float | None = None


class Air(LocalLink):  # type: ignore[misc]
    """The medium between the radios of one home.

    `rssi(sender, receiver)` is the strength in dBm, None when they do not hear each other.
    """

    def __init__(self, *, seed: int = 0, conditions: Conditions | None = None, rssi: Rssi | None = None) -> None:
        super().__init__()
        self.conditions = conditions or Conditions()
        self.rssi: Rssi = rssi or (lambda _sender, _receiver: DEFAULT_RSSI_DBM)
        self.listening: set[RadioController] = set()
        self.advertisements = 0
        self._chance = random.Random(seed)  # noqa: S311 - weather, not secrets

    def strength(self, sender: "RadioController", receiver: "RadioController") -> int | None:
        """What `receiver` hears of `sender` in dBm, or None."""
        if sender.out_of_range or receiver.out_of_range:
            return None
        return self.rssi(sender, receiver)

    # --- advertising and connecting

    def send_advertising_pdu(self, sender_controller: "RadioController", packet: ll.AdvertisingPdu) -> None:
        if isinstance(packet, ll.ConnectInd):
            self._send_connect(sender_controller, packet)
        elif isinstance(packet, Advertisement):
            self._send_advertisement(sender_controller, packet)

    def _send_advertisement(self, sender: "RadioController", packet: Advertisement) -> None:
        self.advertisements += 1
        for receiver in tuple(self.listening):
            strength = None if receiver is sender else self.strength(sender, receiver)
            if strength is not None and self._chance.random() >= self.conditions.advertisement_loss:
                self._soon(receiver.hear, packet, strength)

    def _send_connect(self, sender: "RadioController", packet: Any) -> None:
        receiver = next((each for each in self.controllers if each.is_advertising_as(packet.advertiser_address)), None)
        heard = receiver is not None and self.strength(sender, receiver) is not None
        if heard and self._chance.random() >= self.conditions.connect_loss:
            self._soon(self._deliver_connect, sender, receiver, packet)
        else:
            self._never_established(sender, packet)

    def _deliver_connect(self, sender: "RadioController", receiver: "RadioController", packet: Any) -> None:
        if receiver.is_advertising_as(packet.advertiser_address):
            receiver.on_le_connect_ind(packet)
        else:  # it stopped advertising while the request was on its way
            self._never_established(sender, packet)

    def _never_established(self, sender: "RadioController", packet: Any) -> None:
        wait_s = ESTABLISH_TRIES * packet.interval * INTERVAL_UNIT_S
        reason = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
        connection = sender.le_connections.get(packet.advertiser_address)
        asyncio.get_running_loop().call_later(wait_s, sender.drop, connection, reason)

    # --- connected

    def send_acl_data(
        self,
        sender_controller: "RadioController",
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        connection = sender_controller.le_connections.get(destination_address)
        receiver = self.find_le_controller(destination_address)
        if connection is None or receiver is None or sender_controller.mute or receiver.deaf:
            return
        if connection.self_address in receiver.le_connections:
            self._soon(receiver.on_link_acl_data, connection.self_address, transport, data)

    def send_ll_control_pdu(
        self, sender_address: hci.Address, receiver_address: hci.Address, packet: ll.ControlPdu
    ) -> None:
        sender = self.find_le_controller(sender_address)
        receiver = self.find_le_controller(receiver_address)
        if receiver is None or receiver.deaf or (sender is not None and sender.mute):
            return
        self._soon(self._deliver_control, receiver, sender_address, packet)

    def _deliver_control(self, receiver: "RadioController", sender_address: Any, packet: ll.ControlPdu) -> None:
        if sender_address in receiver.le_connections:  # else the link is gone already and nobody listens
            receiver.on_ll_control_pdu(sender_address, packet)

    # --- losing a link

    def cut(self, radio: "RadioController", *, hears: bool = False, heard: bool = False) -> None:
        """Let every link of `radio` die: at once for the packets, after the supervision timeout for the two hosts.

        `heard=True` lets what it sends still arrive, `hears=True` what is sent to it.
        """
        radio.deaf = not hears
        radio.mute = not heard
        links = tuple(radio.le_connections.values())
        wait_s = max((self.supervision_s(each) for each in links), default=0.0)
        asyncio.get_running_loop().call_later(wait_s, self._time_out, radio, links)

    def leave(self, radio: "RadioController") -> None:
        """Carry `radio` out of the house."""
        radio.out_of_range = True
        self.cut(radio)

    def enter(self, radio: "RadioController") -> None:
        """Bring `radio` back."""
        radio.out_of_range = False

    def vanished(self, radio: "RadioController") -> None:
        """`radio` lost its power: the other ends notice after the supervision timeout."""
        for connection in tuple(radio.le_connections.values()):
            other = self.find_le_controller(connection.peer_address)
            link = other.le_connections.get(connection.self_address) if other else None
            if other is not None and link is not None:
                reason = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
                asyncio.get_running_loop().call_later(self.supervision_s(connection), other.drop, link, reason)

    def supervision_s(self, connection: Any) -> float:
        """How long both ends wait for a sign of life on `connection`."""
        asked = getattr(connection, "supervision_s", 0.42)
        return asked if self.conditions.supervision_s is None else self.conditions.supervision_s

    def _time_out(self, radio: "RadioController", links: tuple[Any, ...]) -> None:
        reason = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
        for connection in links:
            other = self.find_le_controller(connection.peer_address)
            radio.drop(connection, reason)
            if other is not None:
                other.drop(other.le_connections.get(connection.self_address), reason)
        radio.deaf = radio.mute = False

    def _soon(self, act: Callable[..., None], *arguments: Any) -> None:
        loop = asyncio.get_running_loop()
        if self.conditions.latency_s:
            loop.call_later(self.conditions.latency_s, act, *arguments)
        else:
            loop.call_soon(act, *arguments)


class Advertiser(bumble_controller.LegacyAdvertiser):  # type: ignore[misc]
    """Advertises at the interval the host asked for, with every type of advertisement a device may use."""

    sent = 0  # advertisements since the radio was made

    def _on_timer_fired(self) -> None:
        self.send_advertising_data()
        interval_s = max(self.advertising_interval_min * SLOT_S, 0.001)
        self.timer_handle = asyncio.get_running_loop().call_later(interval_s, self._on_timer_fired)

    @property
    def connectable(self) -> bool:
        return bool(self.advertising_type == _AdvertisingType.ADV_IND)

    def send_advertising_data(self) -> None:
        if self.enabled:
            self.sent += 1
            scannable = self.advertising_type in (_AdvertisingType.ADV_IND, _AdvertisingType.ADV_SCAN_IND)
            self.controller.send_advertising_pdu(
                Advertisement(
                    advertiser_address=self.address,
                    connectable=self.connectable,
                    scannable=scannable,
                    data=bytes(self.advertising_data),
                    scan_response=bytes(self.scan_response_data),
                )
            )


_AdvertisingType = hci.HCI_LE_Set_Advertising_Parameters_Command.AdvertisingType
_EventType = hci.HCI_LE_Advertising_Report_Event.EventType


class RadioController(bumble_controller.Controller):  # type: ignore[misc]
    """A controller that can be cancelled, reset, carried away, and that answers scans like a chip."""

    # Legacy commands only: hosts then take the short way, and medical devices advertise that way.
    le_features = bumble_controller.Controller.le_features & ~(
        hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )
    le_acl_data_packet_length = 251
    acl_data_packet_length = 251

    def __init__(self, name: str, *, air: Air, public_address: str | None = None) -> None:
        super().__init__(name, link=air, public_address=public_address)
        self.air = air
        self.out_of_range = False
        self.deaf = False  # hears nothing; what it sends may still arrive
        self.mute = False
        self.le_legacy_advertiser = Advertiser(self)

    def is_advertising_as(self, address: hci.Address) -> bool:
        """Whether a connection request for `address` would be answered."""
        advertiser = self.le_legacy_advertiser
        return bool(advertiser.enabled and advertiser.connectable and advertiser.address == address)

    def hear(self, packet: Advertisement, strength: int) -> None:
        """Take in an advertisement: report it when scanning, connect when it is the one waited for."""
        if self.le_scan_enable:
            self._report(packet, strength)
        pending: Any = self.pending_le_connection
        if pending is not None and packet.connectable and pending.peer_address == packet.advertiser_address:
            self.create_le_connection(packet.advertiser_address)

    def _report(self, packet: Advertisement, strength: int) -> None:
        kind = _EventType.ADV_NONCONN_IND
        if packet.scannable:
            kind = _EventType.ADV_IND if packet.connectable else _EventType.ADV_SCAN_IND
        self._send_report(kind, packet, packet.data, strength)
        if packet.scannable and self.le_scan_type == 1:
            self._send_report(_EventType.SCAN_RSP, packet, packet.scan_response, strength)

    def _send_report(self, kind: Any, packet: Advertisement, data: bytes, strength: int) -> None:
        report = hci.HCI_LE_Advertising_Report_Event.Report(
            event_type=kind,
            address_type=packet.advertiser_address.address_type,
            address=packet.advertiser_address,
            data=data,
            rssi=strength,
        )
        self.send_hci_packet(hci.HCI_LE_Advertising_Report_Event([report]))

    def create_le_connection(self, peer_address: hci.Address) -> None:
        asked: Any = self.pending_le_connection
        super().create_le_connection(peer_address)
        connection: Any = self.le_connections.get(peer_address)
        if connection is not None and asked is not None:
            connection.supervision_s = asked.supervision_timeout / 100
        self._listen()

    def drop(self, connection: Any, reason: int) -> None:
        """End `connection` here, unless that has happened already."""
        if connection is not None and self.le_connections.get(connection.peer_address) is connection:
            self.on_le_disconnected(connection, reason)

    def power_cycle(self) -> None:
        """Forget everything, as after a reset or when the host's process died."""
        self.air.vanished(self)
        self.le_connections.clear()
        self.le_legacy_advertiser.stop()
        self.le_scan_enable = False
        self.pending_le_connection = None
        self._listen()

    def _listen(self) -> None:
        if self.le_scan_enable or self.pending_le_connection is not None:
            self.air.listening.add(self)
        else:
            self.air.listening.discard(self)

    # --- HCI commands that stock bumble leaves half done

    def on_hci_reset_command(self, _command: Any) -> Any:
        self.power_cycle()
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_le_set_scan_enable_command(self, command: Any) -> Any:
        result = super().on_hci_le_set_scan_enable_command(command)
        self._listen()
        return result

    def on_hci_le_create_connection_command(self, command: Any) -> None:
        super().on_hci_le_create_connection_command(command)
        self._listen()

    def on_hci_le_create_connection_cancel_command(self, _command: Any) -> Any:
        pending: Any = self.pending_le_connection
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        self.pending_le_connection = None
        self._listen()
        # After the answer to the command, as a chip does it (Vol 4, Part E, 7.8.13).
        asyncio.get_running_loop().call_soon(self._say_not_connected, pending.peer_address)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def _say_not_connected(self, peer_address: hci.Address) -> None:
        self.send_hci_packet(
            hci.HCI_LE_Connection_Complete_Event(
                status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                connection_handle=0,
                role=hci.Role.CENTRAL,
                peer_address_type=peer_address.address_type,
                peer_address=peer_address,
                connection_interval=0,
                peripheral_latency=0,
                supervision_timeout=0,
                central_clock_accuracy=0,
            )
        )
