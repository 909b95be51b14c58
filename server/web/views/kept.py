"""What could not be used, as values: messages in quarantine and readings that belong to nobody. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from vitals.reading import Extreme
from vitals.seal import unchecked_body
from vitals.wire import WireError, parse_frame

_UNPROVEN = frozenset({"unsealed", "foreign_gateway", "unknown_gateway", "wrong_topic"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One refused message. `is_proven`: its seal shows that it came from `gateway`."""

    id: int
    kind: str
    reason: str
    gateway: str | None
    is_proven: bool
    device: str | None
    topic: str
    first_at: datetime
    last_at: datetime
    times: int
    payload_bytes: int
    payload_text: str
    frame_hex: str | None
    is_cut: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclaimed:
    """One reading that belongs to nobody, and why."""

    id: str
    device: str
    model: str | None
    gateway: str
    reason: str
    taken_at: datetime
    received_at: datetime
    values: list[tuple[str, Decimal | Extreme]] = field(default_factory=list)


def message(row: Any) -> Message:
    """A row of quarantine."""
    payload = bytes(row.payload)
    return Message(
        id=row.seq,
        kind=row.kind,
        reason=row.reason,
        gateway=row.gateway,
        is_proven=row.kind not in _UNPROVEN,
        device=row.device,
        topic=row.topic,
        first_at=row.first_at,
        last_at=row.last_at,
        times=row.times,
        payload_bytes=row.payload_bytes,
        payload_text=legible(payload),
        frame_hex=_frame(payload),
        is_cut=row.payload_bytes > len(payload),
    )


def unclaimed(rows: Sequence[Any]) -> tuple[Unclaimed, ...]:
    """Readings from rows of one measurement each (metric None: the device got no value), in the order of the rows."""
    found: dict[int, Unclaimed] = {}
    for row in rows:
        reading = found.setdefault(
            row.seq,
            Unclaimed(
                id=str(row.seq),
                device=row.device,
                model=row.model,
                gateway=row.gateway_id,
                reason=row.unclaimed,
                taken_at=row.taken_at,
                received_at=row.received_at,
            ),
        )
        if row.metric is not None:
            reading.values.append((row.metric, row.value))
    return tuple(found.values())


def legible(payload: bytes) -> str:
    """Text where every character can be read, else a hex dump with offsets: nothing is hidden and nothing guessed."""
    try:
        text = payload.decode()
    except UnicodeDecodeError:
        return dump(payload)
    return text if all(character.isprintable() or character in "\n\t" for character in text) else dump(payload)


def dump(payload: bytes) -> str:
    """Sixteen bytes a line: offset, hex, and the characters that can be printed."""
    lines = []
    for offset in range(0, len(payload), 16):
        row = payload[offset : offset + 16]
        seen = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{offset:04x}  {row.hex(' '):<47}  {seen}")
    return "\n".join(lines)


def _frame(payload: bytes) -> str | None:
    try:
        return parse_frame(unchecked_body(payload)).frame.hex(" ") or None
    except WireError:
        return None
