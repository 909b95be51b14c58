"""How people are reached: the channels of a person, or of a team as a whole, in the order in which they are tried."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from server import audit
from server.access import Action, Actor, require, scope
from server.care.browsers import Told, told
from server.care.people import NotFoundError
from server.db import tables
from server.vault import Vault

CHANNELS_MAX = 5  # of one person; each is tried three times before the ladder goes on
UNREAD_HOURS = range(1, 25)  # of service; a message is no call for help, and is not left for days
_TELEPHONE = re.compile(r"\+?[0-9]{5,15}")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


class Kind(StrEnum):
    """Ways of reaching somebody."""

    TEXT = "text"  # a message to a telephone, by the installation's webhook
    MAIL = "mail"
    LOG = "log"  # the installation's log: for a demo, or a screen that follows it
    PUSH = "push"  # to browsers in which the person asked for it, see `browsers`; nobody types an address


TYPED = (Kind.TEXT, Kind.MAIL, Kind.LOG)  # what a coordinator can set


class AddressError(ValueError):
    """The channel cannot be; `field` and `reason` are words of the form."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChannel:
    """A way to reach `staff`, or the team itself where that is None."""

    team: str
    kind: Kind
    address: str
    staff: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """One way, with its address (or the browsers) in the open: never stored, logged or shown like this."""

    id: str
    kind: Kind
    address: str
    browsers: tuple[Told, ...] = ()


def address_of(kind: Kind, typed: str) -> str:
    """The address as it is used; raises `AddressError`."""
    if kind is Kind.TEXT:
        number = re.sub(r"[\s()-]", "", typed)
        if not _TELEPHONE.fullmatch(number):
            raise AddressError("address", "no_telephone")
        return number
    if kind is Kind.MAIL:
        if not _MAILBOX.fullmatch(typed.strip()):
            raise AddressError("address", "no_mailbox")
        return typed.strip()
    return ""


def add_channel(connection: Connection, vault: Vault, new: NewChannel) -> str:
    """A further way, tried after those before it; returns its id. Raises `AddressError`."""
    table = tables.channel
    whose = table.c.staff_id.is_(None) if new.staff is None else table.c.staff_id == new.staff
    held = select(func.count(), func.max(table.c.place)).where(table.c.team_id == new.team, whose)
    count, last = connection.execute(held).one()
    if count >= CHANNELS_MAX:
        raise AddressError("kind", "too_many")
    home = select(tables.team.c.municipality_id).where(tables.team.c.id == new.team)
    row = {
        "id": str(uuid4()),
        "municipality_id": connection.execute(home).scalar_one(),
        "team_id": new.team,
        "staff_id": new.staff,
        "kind": new.kind.value,
        "address": vault.close(address_of(new.kind, new.address)),
        "place": (last or 0) + 1,
    }
    connection.execute(insert(table).values(row))
    return str(row["id"])


def set_channel(connection: Connection, vault: Vault, actor: Actor, new: NewChannel, now: datetime) -> None:
    """The same by a coordinator, for the own team; raises `RefusedError` and `AddressError`."""
    require(actor, Action.CHANGE_ROSTER)
    staff = tables.staff
    ours = select(staff.c.id).where(staff.c.id == new.staff, staff.c.team_id == actor.team, staff.c.active)
    is_ours = new.staff is None or connection.execute(scope(ours, staff, actor)).first() is not None
    if new.team != actor.team or not is_ours:
        raise AddressError("staff", "not_ours")
    made = add_channel(connection, vault, new)
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=made), now)


def remove_channel(connection: Connection, actor: Actor, channel: str, now: datetime) -> None:
    """Take a way away from the own team or one of its people; raises `RefusedError` and `NotFoundError`."""
    require(actor, Action.CHANGE_ROSTER)
    table = tables.channel
    ours = delete(table).where(table.c.id == channel, table.c.team_id == actor.team)
    if connection.execute(scope(ours, table, actor)).rowcount != 1:
        raise NotFoundError("no such channel")
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=channel), now)


def tell_of_unread(connection: Connection, actor: Actor, hours: int, now: datetime) -> None:
    """Tell the own team of a message unread for so many hours of service; raises `RefusedError` and `AddressError`."""
    require(actor, Action.CHANGE_ROSTER)
    if hours not in UNREAD_HOURS:
        raise AddressError("hours", "no_hours")
    table = tables.team
    ours = update(table).where(table.c.id == actor.team).values(unread_after_h=hours)
    if connection.execute(scope(ours, table, actor)).rowcount != 1:
        raise NotFoundError("no such team")
    audit.write(connection, actor, audit.Entry(action=Action.CHANGE_ROSTER, subject=actor.team), now)


def channels_of(connection: Connection, vault: Vault, team: str, staff: str | None) -> tuple[Reach, ...]:
    """The ways to reach a person, or the team itself, in their order; the own browsers before them, as one way."""
    typed = tuple(
        Reach(id=row.id, kind=Kind(row.kind), address=vault.open(row.address))
        for row in rows_of(connection, team)
        if row.staff_id == staff
    )
    own = () if staff is None else told(connection, vault, staff)
    return (Reach(id=str(staff), kind=Kind.PUSH, address="", browsers=own), *typed) if own else typed


def rows_of(connection: Connection, team: str) -> Sequence[Row[Any]]:
    """Every way to reach a team and its people, addresses still closed."""
    table = tables.channel
    return connection.execute(select(table).where(table.c.team_id == team).order_by(table.c.place, table.c.id)).all()


def masked(vault: Vault, rows: Iterable[Row[Any]]) -> dict[str, str]:
    """Channel id -> as much of its address as tells two apart: the last digits, or the first letter of a mailbox."""
    return {row.id: _masked(vault.open(row.address)) for row in rows}


def _masked(address: str) -> str:
    name, at, host = address.partition("@")
    return f"{name[:1]}…@{host}" if at else f"…{address[-3:]}" if address else ""
