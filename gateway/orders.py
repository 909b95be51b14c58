"""What a person at the server asks of this gateway: sealed, within its time, obeyed once.

An order is written down with its outcome before it is obeyed. So one that comes again, from a broker that repeats or
from somebody who recorded it, changes nothing; a gateway killed in between has not obeyed, and says that it has: a
person looks at what happened, not at the word, and asks anew.
"""

import asyncio
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from gateway import device_lists
from gateway.exchange import Identity
from gateway.pairing import WINDOW_MAX_S, Enrolment
from gateway.prompt import Prompt
from gateway.radio import KnownDevice
from gateway.settings import SettingsError
from gateway.spool import Spool, SpoolFull
from vitals.clock import Clock
from vitals.seal import SealError, unseal
from vitals.topics import Lane, topic
from vitals.wire import BODY_BYTES_MAX

log = logging.getLogger(__name__)

_TOLD_MAX = 16  # outcomes in the status; the server asks for few things
_KEPT = 1000  # outcomes on the disk; an order is refused for its age long before so many came after it
_PASSKEY_MAX = 999_999
_WINDOW_S = 120
_REASON_MAX = 300  # the server takes 400 for an outcome


class OrderError(ValueError):
    """Not an order of version 1; nothing can be said about it under its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, unjudged: `fields` are those of its kind."""

    id: str
    expires_at: datetime
    kind: str
    fields: Mapping[str, Any]


def parse_order(body: bytes) -> Order:
    """The order in a JSON body; raises `OrderError`."""
    if len(body) > BODY_BYTES_MAX:
        raise OrderError(f"{len(body)} bytes are more than the {BODY_BYTES_MAX} allowed")
    try:
        fields = json.loads(body)
        expires_at = datetime.fromisoformat(fields["expires_at"])
        order = Order(id=str(UUID(fields["id"])), expires_at=expires_at, kind=str(fields["kind"]), fields=fields)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise OrderError(f"needs id, expires_at and kind: {error!r}") from None
    if expires_at.tzinfo is None:
        raise OrderError("expires_at: must be a time with its zone")
    return order


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What orders can be obeyed with: the devices listened to, a radio that pairs, a way to ask for a measurement."""

    devices: tuple[KnownDevice, ...]
    enrolment: Enrolment | None = None
    prompt: Prompt | None = None


class Orders:
    """Receives, checks and obeys. `refused` counts payloads without our seal or sense.

    `relisted` is set when the devices are others now; until somebody has begun anew with those, no order is taken: it
    would be judged by the old list. The server sends it again.
    """

    def __init__(self, identity: Identity, spool: Spool, clock: Clock, means: Means) -> None:
        self._identity = identity
        self._spool = spool
        self._clock = clock
        self._means = means
        self._devices = {each.address: each for each in means.devices}
        self.refused = 0
        self.relisted = asyncio.Event()

    def hear(self, payload: bytes) -> None:
        """Take a payload of the commands topic; raises `SpoolBroken`."""
        if self.relisted.is_set():
            return
        name = topic(self._identity.gateway, Lane.COMMANDS)
        try:
            order = parse_order(unseal(self._identity.key, name, payload))
        except (SealError, OrderError) as error:
            self.refused += 1
            log.warning("order_refused count=%d reason=%r", self.refused, str(error))
            return
        if self._outcome(order.id) is not None:
            log.info("order_repeated id=%s", order.id)
            return
        refusal = self._refusal(order)
        try:
            self._write(order, "obeyed" if refusal is None else refusal)
        except SpoolFull as error:  # it could be obeyed twice: not now
            log.error("order_not_kept id=%s reason=%r", order.id, str(error))  # noqa: TRY400
            return
        log.info("order id=%s kind=%s outcome=%r", order.id, order.kind[:40], refusal or "obeyed")
        if refusal is None:
            self._obey(order)

    @property
    def outcomes(self) -> dict[str, str]:
        """What became of the last orders, by id, oldest first."""
        rows = self._spool.database.execute(
            "SELECT id, outcome FROM command ORDER BY rowid DESC LIMIT ?", (_TOLD_MAX,)
        ).fetchall()
        return dict(reversed(rows))

    def _refusal(self, order: Order) -> str | None:
        if order.expires_at <= self._clock.now():
            return "expired"
        if order.kind == "configuration":
            return _list_refusal(order.fields)
        if order.kind == "measure_again":
            known = _is_one_of(order.fields.get("device"), self._devices)
            if self._means.prompt is None:
                return "refused: this gateway has nothing to prompt with"
            return None if known else _NOT_OURS
        if order.kind != "pairing_window":
            return "refused: unknown kind"
        if self._means.enrolment is None:
            return "refused: this radio cannot pair"
        return _window_refusal(order.fields, self._devices)

    def _obey(self, order: Order) -> None:
        fields = order.fields
        if order.kind == "configuration":
            self.relisted.set()
        elif order.kind == "measure_again":
            assert self._means.prompt is not None
            self._means.prompt.start(self._devices[fields["device"].upper()])
        else:
            assert self._means.enrolment is not None
            seconds = fields.get("seconds", _WINDOW_S)
            self._means.enrolment.open(fields["device"].upper(), seconds, fields.get("passkey"))

    def _outcome(self, order: str) -> str | None:
        row = self._spool.database.execute("SELECT outcome FROM command WHERE id = ?", (order,)).fetchone()
        return None if row is None else row[0]

    def _write(self, order: Order, outcome: str) -> None:
        with self._spool.writing() as database:
            database.execute(
                "INSERT INTO command VALUES (?, ?, ?)",
                (order.id, order.expires_at.astimezone(UTC).isoformat(), outcome),
            )
            if order.kind == "configuration" and outcome == "obeyed":
                device_lists.put(database, order.id, order.fields["devices"])
            database.execute(
                """DELETE FROM command WHERE expires_at < ? AND rowid NOT IN
                (SELECT rowid FROM command ORDER BY rowid DESC LIMIT ?)""",
                (self._clock.now().astimezone(UTC).isoformat(), _KEPT),
            )


_NOT_OURS = "refused: device: not one of this gateway's"


def _is_one_of(device: object, devices: Collection[str]) -> bool:
    return isinstance(device, str) and device.upper() in devices


def _list_refusal(fields: Mapping[str, Any]) -> str | None:
    try:
        device_lists.checked(fields.get("devices"))
    except SettingsError as error:
        return f"refused: {error}"[:_REASON_MAX]
    return None


def _window_refusal(fields: Mapping[str, Any], devices: Collection[str]) -> str | None:
    device, seconds, passkey = fields.get("device"), fields.get("seconds", _WINDOW_S), fields.get("passkey")
    if not _is_one_of(device, devices):
        return _NOT_OURS
    if type(seconds) is not int or not 1 <= seconds <= WINDOW_MAX_S:
        return f"refused: seconds: must be a whole number from 1 to {WINDOW_MAX_S}"
    if passkey is not None and (type(passkey) is not int or not 0 <= passkey <= _PASSKEY_MAX):
        return "refused: passkey: must be a whole number of at most six digits"
    return None
