"""The gateway's settings: one TOML file, read once, checked whole, passed down as a value.

id = "gw-kari"                      # as enrolled at the server
key = "9f86..."                     # hex, at least 16 bytes; seals everything this gateway says
spool = "spool.db"                  # paths are relative to this file
clock = "clock.json"                # only in a demonstration: shared fast time
prompt = ["/usr/local/bin/blink"]   # started to ask for a measurement, with the device's kind and address behind it

[mqtt]
host = "127.0.0.1"
port = 1883
username = "gw-kari"
password = "..."
tls = false
tls_ca = "ca.pem"                   # absent: the machine's own certificates

[[adapter]]
address = "00:1A:7D:DA:71:13"       # the adapter's own; or name = "hci0", which may be another one after a restart
backend = "package.module:Name"     # absent: the machine's own Bluetooth stack
transport = "..."                   # for that backend

[[device]]
address = "C0:FF:EE:00:00:01"
kind = "oximeter"                   # a name of gateway.kinds
model = "..."
timezone = "Europe/Oslo"            # what the device's own clock shows
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gateway.kinds import KINDS
from gateway.radio import KnownDevice
from vitals.reading import GatewayId
from vitals.topics import TopicError, gateway_id

_KEY_BYTES_MIN = 16  # shorter can be guessed
_PORT, _PORT_TLS = 1883, 8883  # as registered with IANA
_TEXT_MAX = 64  # what the wire takes for a device's model
_ADDRESS = re.compile(r"[0-9A-F]{2}(:[0-9A-F]{2}){5}")


class SettingsError(ValueError):
    """The settings cannot be used; the message names file, key and reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """Where the broker is and who we are to it."""

    host: str = "127.0.0.1"
    port: int = _PORT
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    tls_ca: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterSettings:
    """One Bluetooth adapter; `backend` is a dotted name "module:attribute" of a `radio.BackendFactory`."""

    name: str
    backend: str | None = None
    transport: str | None = None
    address: str | None = None  # of the adapter itself, upper case: names change places when the machine starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything this gateway is told."""

    id: GatewayId
    key: bytes = field(repr=False)
    spool: Path
    clock: Path | None
    mqtt: MqttSettings
    adapters: tuple[AdapterSettings, ...]
    devices: tuple[KnownDevice, ...]
    prompt: tuple[str, ...] = ()


def load(path: Path) -> Settings:
    """The settings in the TOML file at `path`; raises `SettingsError`."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    try:
        return _settings(_Table(table), path.parent)
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from None


@dataclass(frozen=True, slots=True)
class _Table:
    """One table of the file; `at` is its place, "mqtt." or "device 2.", for errors."""

    fields: Mapping[str, Any]
    at: str = ""

    def only(self, *known: str) -> None:
        for name in self.fields:
            if name not in known:
                raise SettingsError(f"{self.at}{name}: unknown; known: {', '.join(known)}")

    def typed(self, name: str, kind: type, word: str) -> Any:
        """The value called `name`, None when it is missing."""
        value = self.fields.get(name)
        if value is not None and type(value) is not kind:
            raise SettingsError(f"{self.at}{name}: must be {word}")
        return value

    def optional(self, name: str) -> str | None:
        text: str | None = self.typed(name, str, "a text")
        if text == "":
            raise SettingsError(f"{self.at}{name}: empty")
        return text

    def text(self, name: str) -> str:
        text = self.optional(name)
        if text is None:
            raise SettingsError(f"{self.at}{name}: missing")
        return text

    def tables(self, name: str) -> list["_Table"]:
        word = f"a list of tables [[{name}]]"
        rows = self.typed(name, list, word) or []
        if not all(isinstance(row, dict) for row in rows):
            raise SettingsError(f"{self.at}{name}: must be {word}")
        return [_Table(row, f"{name} {number}.") for number, row in enumerate(rows, start=1)]


def _settings(table: _Table, folder: Path) -> Settings:
    table.only("id", "key", "spool", "clock", "prompt", "mqtt", "adapter", "device")
    try:
        name = gateway_id(table.text("id"))
    except TopicError as error:
        raise SettingsError(f"id: {error}") from None
    clock = table.optional("clock")
    return Settings(
        id=name,
        key=_key(table.text("key")),
        spool=folder / table.text("spool"),
        clock=None if clock is None else folder / clock,
        mqtt=_mqtt(_Table(table.typed("mqtt", dict, "a table") or {}, "mqtt."), folder),
        adapters=_adapters(table.tables("adapter")),
        devices=_devices(table.tables("device")),
        prompt=_prompt(table),
    )


def _prompt(table: _Table) -> tuple[str, ...]:
    words: list[object] = table.typed("prompt", list, "a list of texts") or []
    if not all(isinstance(word, str) and word for word in words):
        raise SettingsError(f"{table.at}prompt: must be a list of texts")
    return tuple(map(str, words))


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise SettingsError("key: not hexadecimal") from None
    if len(key) < _KEY_BYTES_MIN:
        raise SettingsError(f"key: {len(key)} bytes; at least {_KEY_BYTES_MIN} are needed")
    return key


def _mqtt(table: _Table, folder: Path) -> MqttSettings:
    table.only("host", "port", "username", "password", "tls", "tls_ca")
    port = table.typed("port", int, "a number")
    if port is not None and not 1 <= port <= 65535:
        raise SettingsError(f"{table.at}port: {port} is not 1 to 65535")
    tls = bool(table.typed("tls", bool, "true or false"))
    ca = table.optional("tls_ca")
    if ca is not None and not (folder / ca).is_file():
        raise SettingsError(f"{table.at}tls_ca: {folder / ca} is not a file")
    return MqttSettings(
        host=table.optional("host") or "127.0.0.1",
        port=port or (_PORT_TLS if tls else _PORT),
        username=table.optional("username"),
        password=table.optional("password"),
        tls=tls,
        tls_ca=None if ca is None else folder / ca,
    )


def _adapters(rows: list[_Table]) -> tuple[AdapterSettings, ...]:
    adapters = []
    for row in rows:
        row.only("name", "address", "backend", "transport")
        backend = row.optional("backend")
        if backend is not None and not re.fullmatch(r"[\w.]+:\w+", backend):
            raise SettingsError(f"{row.at}backend: {backend!r} is not module:attribute")
        transport = row.optional("transport")
        address = None if row.optional("address") is None else _address(row)
        if address is not None and backend is not None:
            raise SettingsError(f"{row.at}address: is for the machine's own stack, not for a backend")
        name = row.text("name") if address is None else row.optional("name") or address
        adapters.append(AdapterSettings(name=name, backend=backend, transport=transport, address=address))
    if not adapters:
        raise SettingsError("adapter: at least one [[adapter]] is needed")
    return tuple(adapters)


def _devices(rows: list[_Table]) -> tuple[KnownDevice, ...]:
    devices: dict[str, KnownDevice] = {}
    for row in rows:
        device = _device(row)
        if device.address in devices:
            raise SettingsError(f"{row.at}address: {device.address} is listed twice")
        devices[device.address] = device
    return tuple(devices.values())


def devices_of(rows: Sequence[object]) -> tuple[KnownDevice, ...]:
    """The devices of tables such as the file has, from elsewhere; raises `SettingsError`."""
    if not all(isinstance(row, dict) for row in rows):
        raise SettingsError("device: each must be a table")
    return _devices([_Table(row, f"device {number}.") for number, row in enumerate(rows, start=1)])  # type: ignore[arg-type]


def _address(row: _Table) -> str:
    address = row.text("address").upper()
    if not _ADDRESS.fullmatch(address):
        raise SettingsError(f"{row.at}address: {address!r} is not six pairs of hex digits with colons")
    return address


def _device(row: _Table) -> KnownDevice:
    row.only("address", "kind", "model", "timezone")
    address = _address(row)
    kind = row.text("kind")
    if kind not in KINDS:
        raise SettingsError(f"{row.at}kind: {kind!r} is unknown; known: {', '.join(KINDS)}")
    model = row.optional("model")
    if model is not None and (len(model) > _TEXT_MAX or not model.isprintable()):
        raise SettingsError(f"{row.at}model: must be printable and at most {_TEXT_MAX} characters")
    zone = row.optional("timezone") or "Europe/Oslo"
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError(f"{row.at}timezone: {zone!r} is unknown on this machine") from None
    return KnownDevice(address=address, kind=kind, model=model, timezone=zone)
