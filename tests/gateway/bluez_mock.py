"""A private system bus with an `org.bluez` on it that does what we believe BlueZ does. Only for what is Linux's own:
error names, the agent, the cache, adapters that come and go. Radio reality is the virtual air's business.

Bleak's own backend runs against it, unmodified. Sources: BlueZ's doc/org.bluez.*.rst.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

ADAPTER, DEVICE = "org.bluez.Adapter1", "org.bluez.Device1"
SERVICE, CHARACTERISTIC = "org.bluez.GattService1", "org.bluez.GattCharacteristic1"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_MANAGER = "org.freedesktop.DBus.ObjectManager"
_CONFIG = """<busconfig><type>system</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy></busconfig>"""


def uuid(short: str) -> str:
    return f"0000{short.lower()}-0000-1000-8000-00805f9b34fb"


@dataclass
class MockDevice:
    """A device with one service; `frames` are indicated when `measurement` is subscribed."""

    address: str
    service: str = "1822"
    measurement: str = "2A5E"
    frames: list[bytes] = field(default_factory=list)
    values: dict[str, bytes] = field(default_factory=dict)
    batteries: int = 1
    wants_bond: bool = False
    bonded: bool = False
    knows_bond: bool = True  # the device's side of it
    service_data: dict[str, bytes] = field(default_factory=dict)
    connected: bool = False
    refusals: list[tuple[str, str]] = field(default_factory=list)  # D-Bus errors of the next calls of Connect

    @property
    def node(self) -> str:
        return f"dev_{self.address.replace(':', '_')}"


class MockBluez:
    """`calls` are the methods called, in order; `adapters` maps names to addresses."""

    def __init__(self) -> None:
        self.adapters = {"hci0": "00:00:00:00:00:01"}
        self.devices: dict[str, MockDevice] = {}
        self.calls: list[str] = []
        self.agent: tuple[str, str] | None = None
        self.powered: list[bool] = []
        self._bus: Any = None
        self._advertising: asyncio.Task[None] | None = None
        self._discovering: set[str] = set()
        self._rssi = -60
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
        self._bus.add_message_handler(self._called)
        await self._bus.request_name("org.bluez")

    async def stop(self) -> None:
        for task in (*self._tasks, *([self._advertising] if self._advertising else [])):
            task.cancel()
        self._bus.disconnect()
        await self._bus.wait_for_disconnect()

    def add(self, device: MockDevice) -> MockDevice:
        """The device will be found by the next scan."""
        self.devices[device.address] = device
        return device

    def pull(self, name: str) -> str:
        """Pull an adapter out; returns its address."""
        path = f"/org/bluez/{name}"
        for gone in [each for each in self._objects() if each.startswith(path)]:
            self._signal("/", _MANAGER, "InterfacesRemoved", "oas", [gone, list(self._objects()[gone])])
        self._discovering.discard(name)
        return self.adapters.pop(name)

    def plug(self, name: str, address: str) -> None:
        """Plug an adapter in."""
        self.adapters[name] = address
        path = f"/org/bluez/{name}"
        self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, self._objects()[path]])

    async def ask_agent(self, member: str, device: MockDevice, *more: Any) -> Message:
        """BlueZ's question to the agent that is registered; returns the answer, of whichever type."""
        assert self.agent is not None, "no agent is registered"
        sender, path = self.agent
        body = [f"/org/bluez/hci0/{device.node}", *more]
        signature = "o" + {"RequestConfirmation": "u", "AuthorizeService": "s"}.get(member, "")
        reply = await self._bus.call(
            Message(
                destination=sender,
                path=path,
                interface="org.bluez.Agent1",
                member=member,
                signature=signature,
                body=body,
            )
        )
        assert reply is not None
        return reply

    # --- what there is

    def _objects(self) -> dict[str, dict[str, dict[str, Variant]]]:
        objects: dict[str, dict[str, dict[str, Variant]]] = {"/org/bluez": {"org.bluez.AgentManager1": {}}}
        for name, address in self.adapters.items():
            path = f"/org/bluez/{name}"
            objects[path] = {
                ADAPTER: {
                    "Address": Variant("s", address),
                    "Powered": Variant("b", True),
                    "Discovering": Variant("b", name in self._discovering),
                    "Roles": Variant("as", ["central"]),
                }
            }
            for device in self.devices.values():
                objects |= self._device_objects(path, device)
        return objects

    def _device_objects(self, adapter: str, device: MockDevice) -> dict[str, dict[str, dict[str, Variant]]]:
        path = f"{adapter}/{device.node}"
        services = [(device.service, [device.measurement]), *[("180F", ["2A19"])] * device.batteries]
        objects = {
            path: {
                DEVICE: {
                    "Address": Variant("s", device.address),
                    "AddressType": Variant("s", "public"),
                    "Alias": Variant("s", "mock"),
                    "Adapter": Variant("o", adapter),
                    "Paired": Variant("b", device.bonded),
                    "Bonded": Variant("b", device.bonded),
                    "Connected": Variant("b", device.connected),
                    "ServicesResolved": Variant("b", device.connected),
                    "Blocked": Variant("b", False),
                    "UUIDs": Variant("as", [uuid(device.service)]),
                    "RSSI": Variant("n", self._rssi),
                    "ServiceData": Variant(
                        "a{sv}", {uuid(key): Variant("ay", data) for key, data in device.service_data.items()}
                    ),
                }
            }
        }
        if not device.connected:
            return objects
        for number, (service, characteristics) in enumerate(services, start=1):
            at = f"{path}/service{number:04x}"
            objects[at] = {
                SERVICE: {
                    "UUID": Variant("s", uuid(service)),
                    "Primary": Variant("b", True),
                    "Device": Variant("o", path),
                    "Handle": Variant("q", number * 16),
                }
            }
            for offset, each in enumerate(characteristics, start=1):
                objects[f"{at}/char{number * 16 + offset:04x}"] = {
                    CHARACTERISTIC: {
                        "UUID": Variant("s", uuid(each)),
                        "Service": Variant("o", at),
                        "Flags": Variant("as", ["read"] if each == "2A19" else ["indicate"]),
                        "Notifying": Variant("b", False),
                        "Handle": Variant("q", number * 16 + offset),
                        "MTU": Variant("q", 185),
                    }
                }
        return objects

    # --- what is called

    def _called(self, message: Message) -> Message | bool | None:
        if message.message_type is not MessageType.METHOD_CALL or not (message.path or "").startswith("/"):
            return None
        if message.interface == "org.freedesktop.DBus.Peer":
            return None
        member = message.member or ""
        self.calls.append(member)
        act = getattr(self, f"_do_{member}", None)
        if act is None:
            return Message.new_error(message, "org.bluez.Error.NotSupported", member)
        answer: Message | bool | None = act(message)
        return Message.new_method_return(message) if answer is None else answer

    def _do_GetManagedObjects(self, message: Message) -> Message:  # noqa: N802 - as BlueZ calls it; so below
        return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])

    def _do_RegisterAgent(self, message: Message) -> None:  # noqa: N802
        assert message.body[1] == "KeyboardDisplay"
        self.agent = (message.sender or "", message.body[0])

    def _do_RequestDefaultAgent(self, message: Message) -> None:  # noqa: N802
        pass

    def _do_SetDiscoveryFilter(self, message: Message) -> None:  # noqa: N802
        pass

    def _do_StartDiscovery(self, message: Message) -> Message | None:  # noqa: N802
        name = (message.path or "").rsplit("/", 1)[1]
        if name not in self.adapters:
            return Message.new_error(message, "org.freedesktop.DBus.Error.UnknownObject", name)
        self._discovering.add(name)
        self._changed(message.path, ADAPTER, {"Discovering": Variant("b", True)})
        if self._advertising is None:
            self._advertising = asyncio.get_running_loop().create_task(self._advertise())
        return None

    def _do_StopDiscovery(self, message: Message) -> None:  # noqa: N802
        self._discovering.discard((message.path or "").rsplit("/", 1)[1])
        self._changed(message.path, ADAPTER, {"Discovering": Variant("b", False)})

    def _do_Set(self, message: Message) -> None:  # noqa: N802
        if message.body[:2] == [ADAPTER, "Powered"]:
            self.powered.append(message.body[2].value)

    def _do_Connect(self, message: Message) -> Message | None:  # noqa: N802
        device = self._device(message)
        if device.refusals:
            error, text = device.refusals.pop(0)
            if text == "le-connection-abort-by-local":  # it was connected for a moment
                self._changed(message.path, DEVICE, {"Connected": Variant("b", True)})
                self._changed(message.path, DEVICE, {"Connected": Variant("b", False)})
            return Message.new_error(message, error, text)
        self._connect(message.path or "", device)
        return None

    def _do_Pair(self, message: Message) -> bool:  # noqa: N802
        self._later(self._pair(message, self._device(message)))
        return True

    def _do_Disconnect(self, message: Message) -> None:  # noqa: N802
        device = self._device(message)
        device.connected = False
        self._changed(message.path, DEVICE, {"Connected": Variant("b", False), "ServicesResolved": Variant("b", False)})

    def _do_StartNotify(self, message: Message) -> Message | None:  # noqa: N802
        device = self._device(message)
        if device.wants_bond and not (device.bonded and device.knows_bond):
            return Message.new_error(message, "org.bluez.Error.NotPermitted", "Not paired")
        self._later(self._indicate(message.path or "", device))
        return None

    def _do_StopNotify(self, message: Message) -> None:  # noqa: N802
        pass

    def _do_ReadValue(self, message: Message) -> Message:  # noqa: N802
        return Message.new_method_return(message, "ay", [self._device(message).values.get("2A19", b"\x50")])

    # --- what it does by itself

    async def _advertise(self) -> None:
        while True:
            for name in tuple(self._discovering):
                for device in self.devices.values():
                    if not device.connected:
                        path = f"/org/bluez/{name}/{device.node}"
                        added = self._objects()[path]
                        self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [path, added])
                        self._rssi = -61 if self._rssi == -60 else -60
                        changed = {key: added[DEVICE][key] for key in ("RSSI", "ServiceData")}
                        changed["RSSI"] = Variant("n", self._rssi)
                        self._changed(path, DEVICE, changed)
            await asyncio.sleep(0.02)

    async def _pair(self, message: Message, device: MockDevice) -> None:
        answer = await self.ask_agent("RequestConfirmation", device, 123456)
        if answer.message_type is MessageType.ERROR:
            await self._bus.send(Message.new_error(message, "org.bluez.Error.AuthenticationFailed", "no"))
            return
        device.bonded = True
        self._changed(message.path, DEVICE, {"Paired": Variant("b", True), "Bonded": Variant("b", True)})
        self._connect(message.path or "", device)
        await self._bus.send(Message.new_method_return(message))

    def _connect(self, path: str, device: MockDevice) -> None:
        device.connected = True
        for each, interfaces in self._device_objects(path.rsplit("/", 1)[0], device).items():
            if each != path:
                self._signal("/", _MANAGER, "InterfacesAdded", "oa{sa{sv}}", [each, interfaces])
        self._changed(path, DEVICE, {"Connected": Variant("b", True), "ServicesResolved": Variant("b", True)})

    async def _indicate(self, path: str, device: MockDevice) -> None:
        while device.frames:
            self._changed(path, CHARACTERISTIC, {"Value": Variant("ay", device.frames.pop(0))})

    def _device(self, message: Message) -> MockDevice:
        node = next(part for part in (message.path or "").split("/") if part.startswith("dev_"))
        return self.devices[node.removeprefix("dev_").replace("_", ":")]

    def _later(self, job: Any) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _changed(self, path: str | None, interface: str, values: dict[str, Variant]) -> None:
        self._signal(path or "/", _PROPERTIES, "PropertiesChanged", "sa{sv}as", [interface, values, []])

    def _signal(self, path: str, interface: str, member: str, signature: str, body: list[Any]) -> None:
        self._later_send(Message.new_signal(path, interface, member, signature, body))

    def _later_send(self, message: Message) -> None:
        self._bus.send(message)


@asynccontextmanager
async def bluez_on_a_private_bus(folder: Any) -> AsyncIterator[MockBluez]:
    """A bus daemon of our own in the place of the system's, with a BlueZ on it."""
    daemon = shutil.which("dbus-daemon")
    assert daemon is not None, "dbus-daemon is missing (Debian: dbus); make setup installs it"
    config = folder / "bus.conf"
    config.write_text(_CONFIG)
    process = subprocess.Popen(  # noqa: ASYNC220 - it prints one line and stays
        [daemon, f"--config-file={config}", "--nofork", "--print-address"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    before = os.environ.get("DBUS_SYSTEM_BUS_ADDRESS")
    os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = process.stdout.readline().strip()
    bluez = MockBluez()
    try:
        await bluez.start()
        yield bluez
        await bluez.stop()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
        if before is None:
            del os.environ["DBUS_SYSTEM_BUS_ADDRESS"]
        else:
            os.environ["DBUS_SYSTEM_BUS_ADDRESS"] = before
