"""Many kits for load: each speaks MQTT as a gateway does, with sealed readings, and counts the receipts it gets.

No radio and no spool: who wants to know what a kit loses asks `gateway`; a fleet asks what a server can take. At most
`KITS_MAX` kits in one process, at most `window` readings of a kit on their way at once.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from vitals.reading import ClockSource, DeviceId, GatewayId, Measurement, Reading, ReadingId
from vitals.seal import SealError, seal, unseal
from vitals.topics import Lane, topic
from vitals.wire import WireError, parse_receipt, render_reading

KITS_MAX = 2_000  # one socket each; more belong into another process
_NAMESPACE = UUID("5a0e5b2e-6a39-4f0e-9e57-1d6b7f4f0c11")


@dataclass(frozen=True, slots=True, kw_only=True)
class KitAccount:
    """One enrolled gateway and its one device."""

    gateway: GatewayId
    key: bytes
    device: DeviceId
    password: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much is sent: `readings` by every kit, the first taken at `starts_at` and the next `every_s` later each."""

    readings: int
    starts_at: datetime
    every_s: float = 60.0
    window: int = 50
    seed: int = 0
    metric: Callable[[random.Random], Mapping[str, Decimal]] = field(
        default=lambda chance: {"spo2": Decimal(chance.randint(93, 99)), "pulse": Decimal(chance.randint(58, 96))}
    )


@dataclass(slots=True, kw_only=True)
class Tally:
    """What came of it."""

    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    forged: int = 0  # receipts without the right seal


def reading(account: KitAccount, load: Load, number: int) -> Reading:
    """The kit's reading `number`, always the same one."""
    chance = random.Random(f"{load.seed} {account.gateway} {number}")  # noqa: S311 - load, not secrets
    taken_at = datetime.fromtimestamp(load.starts_at.timestamp() + number * load.every_s, load.starts_at.tzinfo)
    values = load.metric(chance)
    return Reading(
        id=ReadingId(str(uuid5(_NAMESPACE, f"{load.seed} {account.gateway} {account.device} {number}"))),
        device=account.device,
        taken_at=taken_at,
        clock=ClockSource.DEVICE,
        measurements=tuple(Measurement(metric=name, value=value) for name, value in values.items()),
    )


class Kit:
    """One gateway's connection. Made, started, waited for, stopped."""

    def __init__(self, account: KitAccount, load: Load) -> None:
        self.account = account
        self.tally = Tally()
        self._load = load
        self._open: set[ReadingId] = set()
        self._next = 0
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"fleet-{account.gateway}")
        if account.password is not None:
            self._client.username_pw_set(account.gateway, account.password)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message

    def start(self, host: str, port: int) -> None:
        """Connect in the background; what was on its way when a connection broke is sent again."""
        self._client.connect_async(host, port)
        self._client.loop_start()

    def wait(self, seconds: float) -> bool:
        """Whether every reading has its receipt, waiting up to `seconds`."""
        return self._done.wait(seconds)

    def stop(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(self, client: mqtt.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            return
        client.subscribe(topic(self.account.gateway, Lane.RECEIPTS), qos=1)
        with self._lock:
            again = [number for number in range(self._next) if self._reading(number).id in self._open]
        for number in again:
            self._publish(self._reading(number))
        self._fill()

    def _on_message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            receipt = parse_receipt(unseal(self.account.key, message.topic, bytes(message.payload)))
        except (SealError, WireError):
            self.tally.forged += 1
            return
        with self._lock:
            accepted = self._open.intersection(receipt.accepted)
            rejected = self._open.intersection(each.id for each in receipt.rejected)
            self._open -= accepted | rejected
            self.tally.accepted += len(accepted)
            self.tally.rejected += len(rejected)
        self._fill()

    def _fill(self) -> None:
        while True:
            with self._lock:
                if self._next >= self._load.readings:
                    if not self._open:
                        self._done.set()
                    return
                if len(self._open) >= self._load.window:
                    return
                fresh = self._reading(self._next)
                self._next += 1
                self._open.add(fresh.id)
            self._publish(fresh)

    def _reading(self, number: int) -> Reading:
        return reading(self.account, self._load, number)

    def _publish(self, fresh: Reading) -> None:
        where = topic(self.account.gateway, Lane.READINGS)
        self._client.publish(where, seal(self.account.key, where, render_reading(fresh)), qos=1)
        self.tally.sent += 1


def run(accounts: Sequence[KitAccount], load: Load, broker: tuple[str, int], seconds: float) -> Tally:
    """Let every kit send its load to `broker` (host, port); what came of it, after `seconds` at the latest."""
    if len(accounts) > KITS_MAX:
        raise ValueError(f"accounts: {len(accounts)} are more than the {KITS_MAX} one process can hold")
    kits = [Kit(account, load) for account in accounts]
    deadline = time.monotonic() + seconds
    try:
        for kit in kits:
            kit.start(*broker)
        for kit in kits:
            kit.wait(max(0.0, deadline - time.monotonic()))
    finally:
        for kit in kits:
            kit.stop()
    total = Tally()
    for kit in kits:
        total.sent += kit.tally.sent
        total.accepted += kit.tally.accepted
        total.rejected += kit.tally.rejected
        total.forged += kit.tally.forged
    return total
