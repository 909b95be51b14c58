"""Gateways and what they hear, as values: how each is, which device is silent, and what was asked of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

UNANSWERED = "unanswered"
_REFUSED = "refused: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """One radio of a gateway since its program began."""

    name: str
    sessions: int
    failures: int
    restarts: int  # of the scan and of the radio itself, because nothing was heard


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDevice:
    """A device in somebody's hands. `silent_since`: last contact of one that its plan counts on and nobody hears."""

    address: str
    kind: str
    model: str | None
    heard_at: datetime | None
    silent_since: datetime | None
    bonds: tuple[str, ...]  # by adapter: bonded | lost | refused
    records_refused: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command. `state`: waiting | obeyed | expired | unanswered | refused, then `reason` in the gateway's words."""

    id: str
    kind: str
    device: str | None
    by: str
    at: datetime
    state: str
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """A gateway with its devices. `online` is None before its first word."""

    id: str
    online: bool | None
    at: datetime | None
    battery: int | None
    waiting: int | None  # messages not yet receipted
    refused: int | None  # frames that no profile could read
    version: str | None
    pairing: str | None
    is_time_sure: bool | None
    given_up: int
    unsealed: int  # receipts and commands without its seal
    adapters: tuple[Adapter, ...]
    devices: tuple[HeldDevice, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What was read, by gateway: its devices and its commands (newest first); and silent devices by id."""

    devices: Mapping[str, Sequence[Any]]
    commands: Mapping[str, Sequence[Any]]
    silent: Mapping[str, datetime]
    staff: Mapping[str, str]


def gateway(row: Any, rows: Rows) -> Gateway:
    """A gateway with its status, or None in it where it has said nothing."""
    more: Mapping[str, Any] = row.more or {}
    about: Mapping[str, Any] = more.get("devices", {})
    return Gateway(
        id=row.id,
        online=row.online,
        at=row.received_at,
        battery=row.battery,
        waiting=row.spool,
        refused=row.refused,
        version=(row.versions or {}).get("varde"),
        pairing=more.get("pairing"),
        is_time_sure=more.get("time_sure"),
        given_up=more.get("given_up", 0),
        unsealed=more.get("receipts_refused", 0) + more.get("commands_refused", 0),
        adapters=tuple(_adapter(name, each) for name, each in sorted(more.get("adapters", {}).items())),
        devices=tuple(
            _device(each, row.heard or {}, about.get(each.address, {}), rows.silent)
            for each in rows.devices.get(row.id, ())
        ),
        asked=tuple(asked(each, rows.staff) for each in rows.commands.get(row.id, ())),
    )


def asked(row: Any, staff: Mapping[str, str]) -> Asked:
    """A command and what became of it."""
    refused = row.outcome is not None and row.outcome.startswith(_REFUSED)
    return Asked(
        id=row.id,
        kind=row.kind,
        device=row.device,
        by=staff.get(row.asked_by, row.asked_by),
        at=row.asked_at,
        state="refused" if refused else row.outcome or "waiting",
        reason=row.outcome.removeprefix(_REFUSED) if refused else None,
    )


def _adapter(name: str, said: Mapping[str, int]) -> Adapter:
    return Adapter(
        name=name,
        sessions=said.get("sessions", 0),
        failures=said.get("failures", 0),
        restarts=said.get("rescans", 0) + said.get("resets", 0),
    )


def _device(row: Any, heard: Mapping[str, str], about: Mapping[str, Any], silent: Mapping[str, datetime]) -> HeldDevice:
    said = heard.get(row.address)
    return HeldDevice(
        address=row.address,
        kind=row.kind,
        model=row.model,
        heard_at=None if said is None else datetime.fromisoformat(said),  # checked when it was received
        silent_since=silent.get(row.id),
        bonds=tuple(sorted(set(about.get("bonds", {}).values()))),
        records_refused=about.get("records_refused", 0),
    )
