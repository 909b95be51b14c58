"""Characteristics that keep to their own properties, as the firmware of a device does.

Bumble's server answers any read and takes any write. Here a read, a write or a subscription that the characteristic
does not offer is refused with the error the specification names, and a bonded device wants an encrypted link.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bumble import att
from bumble.gatt import (
    GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR,
    Characteristic,
    Descriptor,
)
from bumble.gatt_server import Server

READ = Characteristic.Properties.READ
WRITE = Characteristic.Properties.WRITE
NOTIFY = Characteristic.Properties.NOTIFY
INDICATE = Characteristic.Properties.INDICATE


class CheckedCharacteristic(Characteristic[bytes]):  # type: ignore[misc]
    """A characteristic that does what its properties say and nothing else."""

    async def read_value(self, bearer: Any) -> bytes:
        if not self.properties & READ:
            raise att.ATT_Error(error_code=att.ATT_READ_NOT_PERMITTED_ERROR, att_handle=self.handle)
        return bytes(await super().read_value(bearer))

    async def write_value(self, bearer: Any, value: bytes) -> None:
        if not self.properties & (WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE):
            raise att.ATT_Error(error_code=att.ATT_WRITE_NOT_PERMITTED_ERROR, att_handle=self.handle)
        await super().write_value(bearer, value)


def readable(uuid: int, value: bytes) -> CheckedCharacteristic:
    """A characteristic with a fixed value; `uuid` is its 16-bit UUID."""
    return CheckedCharacteristic(_uuid(uuid), READ, att.Attribute.READABLE, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """How one device speaks. `subscribed` is called when a central turned a characteristic on."""

    server: Server
    bonded: bool  # only to a central with an encrypted link
    subscribed: Callable[[Any, CheckedCharacteristic], None]

    def settable(self, uuid: int, value: Any) -> CheckedCharacteristic:
        """A characteristic that is read and written through `value`."""
        return CheckedCharacteristic(_uuid(uuid), READ | WRITE, self._permissions(READ | WRITE), value)

    def speaking(self, uuid: int, properties: Any, value: Any = b"") -> CheckedCharacteristic:
        """A characteristic that notifies or indicates; `value` is what is read and written, where that is offered."""
        permissions = self._permissions(properties)
        characteristic = CheckedCharacteristic(_uuid(uuid), properties, permissions, value)
        offered = (1 if properties & NOTIFY else 0) | (2 if properties & INDICATE else 0)

        def write(bearer: Any, bits: bytes) -> None:
            asked = int.from_bytes(bits, "little")
            if len(bits) != 2 or asked & ~offered:
                raise att.ATT_Error(error_code=att.ErrorCode.CCCD_IMPROPERLY_CONFIGURED)
            self.server.write_cccd(bearer, characteristic, bits)
            if asked:
                self.subscribed(bearer, characteristic)

        rights = att.Attribute.READABLE | att.Attribute.WRITEABLE
        if self.bonded:
            rights |= att.Attribute.WRITE_REQUIRES_ENCRYPTION
        value_of = att.AttributeValueV2(lambda bearer: self.server.read_cccd(bearer, characteristic), write=write)
        characteristic.descriptors = [Descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR, rights, value_of)]
        return characteristic

    def _permissions(self, properties: Any) -> Any:
        permissions = att.Attribute.READABLE if properties & READ else att.Attribute.Permissions(0)
        if properties & WRITE:
            permissions |= att.Attribute.WRITEABLE
            permissions |= att.Attribute.WRITE_REQUIRES_ENCRYPTION if self.bonded else att.Attribute.Permissions(0)
        return permissions


def when_discovering(server: Server, tell: Callable[[], object]) -> None:
    """Call `tell` at every question for services, before it is answered."""
    answer = server.on_gatt_pdu

    def on_gatt_pdu(bearer: Any, pdu: Any) -> None:
        if pdu.op_code == att.Opcode.ATT_READ_BY_GROUP_TYPE_REQUEST:
            tell()
        answer(bearer, pdu)

    server.on_gatt_pdu = on_gatt_pdu


def is_subscribed(server: Server, bearer: Any, characteristic: CheckedCharacteristic) -> bool:
    """Whether the central on `bearer` wants to hear of `characteristic`."""
    return any(server.subscribers.get(bearer, {}).get(characteristic.handle, b""))


def _uuid(short: int) -> str:
    return f"{short:04X}"
