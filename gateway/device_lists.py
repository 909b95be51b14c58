"""Which devices this gateway listens to: the list of its settings file, or the newest one that the server sent.

A list that was sent lies in the spool's file, written in the transaction that notes its order as obeyed: it is in force
whole or not at all, whenever the power goes. It is checked like the file before it is written. Should a list on the
disk not be fit for use all the same, as after an older version was put back, the one before it is, and then the file's.
"""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.radio import KnownDevice
from gateway.settings import SettingsError, devices_of
from gateway.spool import Connection, Spool

log = logging.getLogger(__name__)

DEVICES_MAX = 50
_KEPT = 2  # the one in force, and the one before it


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceList:
    """The devices, and the id of the order that sent them; None: they stand in the settings file."""

    devices: tuple[KnownDevice, ...]
    order: str | None = None


def in_force(spool: Spool, of_file: Sequence[KnownDevice]) -> DeviceList:
    """The newest list that can be used."""
    rows = spool.database.execute("SELECT id, devices FROM device_list ORDER BY rowid DESC").fetchall()
    for order, text in rows:
        try:
            return DeviceList(devices=checked(json.loads(text)), order=order)
        except (SettingsError, ValueError) as error:
            log.error("device_list_unfit order=%s reason=%r", order, str(error))  # noqa: TRY400 - the reason says it all
    return DeviceList(devices=tuple(of_file))


def checked(rows: object) -> tuple[KnownDevice, ...]:
    """The devices that an order lists; raises `SettingsError`."""
    if not isinstance(rows, list) or not 1 <= len(rows) <= DEVICES_MAX:
        raise SettingsError(f"devices: must be a list of 1 to {DEVICES_MAX} devices")
    return devices_of(rows)


def put(database: Connection, order: str, rows: object) -> None:
    """Write down a list that was checked, in the caller's transaction."""
    database.execute("INSERT OR REPLACE INTO device_list VALUES (?, ?)", (order, json.dumps(rows)))
    database.execute(
        "DELETE FROM device_list WHERE rowid NOT IN (SELECT rowid FROM device_list ORDER BY rowid DESC LIMIT ?)",
        (_KEPT,),
    )
