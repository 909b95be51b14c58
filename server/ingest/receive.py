"""One message of a gateway, judged before anything is stored. Pure: topic and payload in, a value out.

A broker is not trusted to say who wrote a message: only the seal is. What is refused is refused in words and kept in
quarantine by the caller. A receipt may name it only when the seal was right (`sealed`): otherwise a stranger could make
a gateway forget.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from server.ingest.status import GatewayStatus, parse_status
from vitals.frozen import quick
from vitals.reading import GatewayId, Reading, ReadingId, RefusedFrame
from vitals.seal import SealError, unchecked_body, unseal
from vitals.topics import Lane, Topic, TopicError, parse_topic
from vitals.wire import WireError, parse_frame, parse_reading, peek_id

# A gateway moves device times at most 10 min ahead of its own clock; 5 more for its own clock's error.
_AHEAD_MAX = timedelta(minutes=15)
_REASON_MAX = 400  # what a receipt may carry, see vitals.wire


class Kind(StrEnum):
    """Why something is in quarantine."""

    UNDECODABLE_FRAME = "undecodable_frame"  # the gateway could not read a device's bytes
    WRONG_FIELD = "wrong_field"  # rightly sealed, but breaks the contract of the wire
    FUTURE_TIME = "future_time"  # rightly sealed, taken in the future
    UNSEALED = "unsealed"
    FOREIGN_GATEWAY = "foreign_gateway"  # sealed, but not by the gateway whose topic it is
    UNKNOWN_GATEWAY = "unknown_gateway"  # nobody enrolled this gateway, or it was revoked
    WRONG_TOPIC = "wrong_topic"
    SERVER_FAULT = "server_fault"  # our own failure on this message; the gateway will send it again


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownGateway:
    """An enrolled gateway, as far as its messages need it."""

    municipality: str
    key: bytes


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A reading that its own gateway sent."""

    gateway: GatewayId
    municipality: str
    reading: Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A device's bytes that the gateway could not read and passed on."""

    gateway: GatewayId
    municipality: str
    frame: RefusedFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A gateway's word about itself."""

    gateway: GatewayId
    municipality: str
    status: GatewayStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message that was not accepted. `gateway` is the topic's claim; `sealed`: the claim was proven."""

    kind: Kind
    reason: str
    gateway: GatewayId | None = None
    municipality: str | None = None
    message_id: ReadingId | None = None
    sealed: bool = False

    @property
    def is_final(self) -> bool:
        """Whether its gateway may be told, and so forget it: its own word, and no later moment makes it right.

        A reading ahead of our clock is right once the clocks agree; until then its gateway keeps it and asks again.
        """
        return self.sealed and self.kind is not Kind.FUTURE_TIME


Received = Arrived | Unreadable | Reported | Refusal


def receive(topic: str, payload: bytes, known: Mapping[GatewayId, KnownGateway], now: datetime) -> Received:
    """What a message is; never raises on what a stranger can send."""
    try:
        parts = parse_topic(topic)
    except TopicError as error:
        return Refusal(kind=Kind.WRONG_TOPIC, reason=_plain(str(error)))
    gateway = known.get(parts.gateway)
    if gateway is None:
        reason = f"No gateway {parts.gateway} is enrolled here, or it was revoked."
        return Refusal(
            kind=Kind.UNKNOWN_GATEWAY, reason=reason, gateway=parts.gateway, message_id=_claimed_id(parts, payload)
        )
    try:
        body = unseal(gateway.key, topic, payload)
    except SealError as error:
        return _badly_sealed(parts, payload, gateway, str(error))
    try:
        return _parsed(parts, body, gateway, now)
    except WireError as error:
        return Refusal(
            kind=Kind.WRONG_FIELD,
            reason=_plain(str(error)),
            gateway=parts.gateway,
            municipality=gateway.municipality,
            message_id=_claimed_id(parts, payload),
            sealed=True,
        )


def _parsed(parts: Topic, body: bytes, gateway: KnownGateway, now: datetime) -> Received:
    if parts.lane is Lane.STATUS:
        return Reported(gateway=parts.gateway, municipality=gateway.municipality, status=parse_status(body))
    if parts.lane is Lane.FRAMES:
        return Unreadable(gateway=parts.gateway, municipality=gateway.municipality, frame=parse_frame(body))
    reading = parse_reading(body)
    if reading.taken_at > now + _AHEAD_MAX:
        ahead = int((reading.taken_at - now).total_seconds() // 60)
        return Refusal(
            kind=Kind.FUTURE_TIME,
            reason=f"taken_at: {ahead} minutes ahead of the server's clock, more than any device's clock may be",
            gateway=parts.gateway,
            municipality=gateway.municipality,
            message_id=reading.id,
            sealed=True,
        )
    return Arrived(gateway=parts.gateway, municipality=gateway.municipality, reading=reading)


def _badly_sealed(parts: Topic, payload: bytes, gateway: KnownGateway, reason: str) -> Refusal:
    unsealed = unchecked_body(payload) is payload
    words = (
        f"Came under the topic of gateway {parts.gateway}, but {reason}."
        if unsealed
        else f"Came under the topic of gateway {parts.gateway}, but {reason}: another gateway or a stranger wrote it."
    )
    return Refusal(
        kind=Kind.UNSEALED if unsealed else Kind.FOREIGN_GATEWAY,
        reason=words,
        gateway=parts.gateway,
        municipality=gateway.municipality,
        message_id=_claimed_id(parts, payload),
    )


def _claimed_id(parts: Topic, payload: bytes) -> ReadingId | None:
    return None if parts.lane is Lane.STATUS else peek_id(unchecked_body(payload))


def _plain(text: str) -> str:
    """A reason that can be stored, sent and shown although parts of it are a stranger's."""
    return "".join(each if each.isprintable() else "?" for each in text)[:_REASON_MAX]
