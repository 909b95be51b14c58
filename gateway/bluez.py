"""BlueZ beside bleak: which adapter has which address, power, bonds, and the agent that answers when a device pairs.

Bleak scans and connects; it has no agent, and without one BlueZ refuses every pairing that a person would have to
confirm. Adapters are found by their own address, for the names (hci0, hci1) change places when the machine starts.
Nothing here removes a device: with it BlueZ would forget the bond, and many devices bond only once in a battery's life.
"""

import asyncio
import logging
import re
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from gateway.link import LinkFailed
from gateway.pairing import Enrolment

log = logging.getLogger(__name__)

_BLUEZ = "org.bluez"
_AGENT = "org.bluez.Agent1"
_MANAGER = "org.bluez.AgentManager1"
_REJECTED = "org.bluez.Error.Rejected"
_AGENT_PATH = "/varde/agent"
_ANSWER_S = 10.0  # a bus that does not answer for so long has hung
_OFF_S = 1.0  # some controllers need a moment without power to forget what ails them
_DEVICE_PATH = re.compile(r".*/dev_((?:[0-9A-F]{2}_){5}[0-9A-F]{2})")


class Bluez:
    """One connection to BlueZ for the adapter called `name`, or for the one that has `address`."""

    def __init__(self, name: str, address: str | None, enrolment: Enrolment) -> None:
        self.name = name
        self._address = address
        self._enrolment = enrolment
        self._bus: Any = None
        self._answers: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect, find the adapter, register the agent; raises `LinkFailed`, OSError, TimeoutError."""
        self._bus = MessageBus(bus_type=BusType.SYSTEM)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._bus.connect()
                await self._find_adapter()
                await self._register_agent()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the bus; BlueZ drops the agent with it."""
        for task in self._answers:
            task.cancel()
        if self._bus is not None:
            self._bus.disconnect()
            self._bus = None

    async def reset(self) -> None:
        """Switch the adapter off and on."""
        for on in (False, True):
            await self._set(f"/org/bluez/{self.name}", "org.bluez.Adapter1", "Powered", Variant("b", on))
            await asyncio.sleep(0 if on else _OFF_S)

    async def bonded(self, address: str) -> bool:
        """Whether BlueZ has the keys of a bond with the device at `address`."""
        for path, interfaces in (await self._objects()).items():
            device = interfaces.get("org.bluez.Device1")
            if device is not None and path.startswith(f"/org/bluez/{self.name}/") and _of(device, "Address") == address:
                return bool(_of(device, "Bonded") or _of(device, "Paired"))
        return False

    # --- the bus

    async def _find_adapter(self) -> None:
        found = {
            str(_of(interfaces["org.bluez.Adapter1"], "Address")).upper(): path.rsplit("/", 1)[1]
            for path, interfaces in (await self._objects()).items()
            if "org.bluez.Adapter1" in interfaces
        }
        if self._address is not None:
            if self._address not in found:
                raise LinkFailed(f"no adapter has the address {self._address}; there are {', '.join(found) or 'none'}")
            self.name = found[self._address]

    async def _objects(self) -> Any:
        reply = await self._call("/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        return reply[0]

    async def _set(self, path: str, interface: str, name: str, value: Any) -> None:
        await self._call(path, "org.freedesktop.DBus.Properties", "Set", interface, name, value)

    async def _call(self, path: str, interface: str, member: str, *body: Any) -> Any:
        signature = {"RegisterAgent": "os", "RequestDefaultAgent": "o", "Set": "ssv"}.get(member, "")
        message = Message(
            destination=_BLUEZ, path=path, interface=interface, member=member, signature=signature, body=list(body)
        )
        async with asyncio.timeout(_ANSWER_S):
            reply = await self._bus.call(message)
        if reply.message_type is MessageType.ERROR:
            raise LinkFailed(f"{member}: {reply.error_name} {' '.join(map(str, reply.body))}")
        return reply.body

    # --- the agent

    async def _register_agent(self) -> None:
        self._bus.add_message_handler(self._asked)
        try:
            await self._call("/org/bluez", _MANAGER, "RegisterAgent", _AGENT_PATH, "KeyboardDisplay")
            await self._call("/org/bluez", _MANAGER, "RequestDefaultAgent", _AGENT_PATH)
        except LinkFailed as error:  # what is bonded can still be read
            log.error("no_agent adapter=%s reason=%r", self.name, str(error))  # noqa: TRY400

    def _asked(self, message: Message) -> Message | bool | None:
        """A question of BlueZ's to the agent; its answer, or True when that comes later."""
        if message.interface != _AGENT or message.path != _AGENT_PATH:
            return None
        member = message.member or ""
        if member in ("Release", "Cancel"):
            return Message.new_method_return(message)
        device = _address(message.body[0])
        if member == "AuthorizeService" or device is None or not self._enrolment.allows(device):
            log.warning("pairing_refused device=%s question=%s", device, member)
            return Message.new_error(message, _REJECTED, "no pairing window is open for this device")
        log.info("pairing device=%s question=%s", device, member)
        if member in ("RequestPasskey", "RequestPinCode"):
            task = asyncio.get_running_loop().create_task(self._tell_passkey(message, device))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
            return True
        return Message.new_method_return(message)

    async def _tell_passkey(self, message: Message, device: str) -> None:
        passkey = await self._enrolment.passkey(device)
        if self._bus is None:
            return
        if passkey is None:
            answer = Message.new_error(message, _REJECTED, "nobody told the passkey in time")
        elif message.member == "RequestPinCode":
            answer = Message.new_method_return(message, "s", [f"{passkey:06d}"])
        else:
            answer = Message.new_method_return(message, "u", [passkey])
        await self._bus.send(answer)


def _of(properties: Any, name: str) -> Any:
    value = properties.get(name)
    return value.value if isinstance(value, Variant) else value


def _address(path: str) -> str | None:
    match = _DEVICE_PATH.fullmatch(path)
    return None if match is None else match[1].replace("_", ":")
