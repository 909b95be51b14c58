"""What the page of kits needs, asked once for all gateways. Nobody's name is in it."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, or_, select

from server.access import scope
from server.db import tables
from server.web.gathering.asking import Asking
from server.web.views import kits

_COMMANDS_MAX = 10  # of a gateway on a page
_COMMANDS_SINCE = timedelta(days=14)


def gateways(asking: Asking, now: datetime) -> tuple[kits.Gateway, ...]:
    """The gateways that the reader may know of, those with trouble first."""
    asked = _by_gateway(asking.commands(now - _COMMANDS_SINCE))
    rows = kits.Rows(
        devices=_by_gateway(_held(asking, now)),
        commands={gateway: each[:_COMMANDS_MAX] for gateway, each in asked.items()},
        silent=_silent(asking),
        staff=asking.names_of_staff(),
    )
    found = [kits.gateway(row, rows) for row in _gateways(asking)]
    return tuple(sorted(found, key=_trouble))


def _trouble(gateway: kits.Gateway) -> tuple[bool, bool, str]:
    return gateway.online is True, not any(each.silent_since for each in gateway.devices), gateway.id


def _gateways(asking: Asking) -> Iterable[Row[Any]]:
    gateway, status = tables.gateway, tables.gateway_status
    statement = (
        select(
            gateway.c.id, status.c.online, status.c.received_at, status.c.battery, status.c.spool, status.c.refused,
            status.c.heard, status.c.versions, status.c.more,
        )
        .outerjoin(status, status.c.gateway_id == gateway.c.id)
        .where(gateway.c.active)
        .order_by(gateway.c.id)
    )  # fmt: skip
    return asking.connection.execute(scope(statement, gateway, asking.actor))


def _held(asking: Asking, now: datetime) -> list[Row[Any]]:
    held, device = tables.assignment, tables.device
    statement = (
        select(device.c.id, device.c.address, device.c.kind, device.c.model, held.c.gateway_id)
        .join(device, device.c.id == held.c.device_id)
        .where(held.c.starts_at <= now, or_(held.c.ends_at.is_(None), held.c.ends_at > now))
        .order_by(device.c.kind, device.c.address)
    )
    return list(asking.connection.execute(scope(statement, held, asking.actor)))


def _silent(asking: Asking) -> dict[str, datetime]:
    table = tables.device_silence
    statement = select(table.c.device_id, table.c.heard_at).where(table.c.ends_at.is_(None))
    return {row.device_id: row.heard_at for row in asking.connection.execute(scope(statement, table, asking.actor))}


def _by_gateway(rows: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in rows:
        found[row.gateway_id].append(row)
    return found
