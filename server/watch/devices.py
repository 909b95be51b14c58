"""Devices that a plan counts on and that nobody hears: looked for a few at a time, told once.

Silence here is counted in days, and judging patients must not wait for it: a round over all devices is made of looks at
a few of them, whatever the size of the municipality.

Contact is whatever the gateway heard of the device, a frame without a value too: a patient who measures badly, or a
device that says it got nothing, is not silent. A device whose gateway is offline is not blamed either: the gateway is
silent then, and the time does not count. Whoever does not measure is told to nurses by the rules for missing readings;
this is told to whoever looks after the kit, and on the patient's page.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from server.care import plans
from server.db import tables
from server.parts import Parts
from server.watch.expecting import SOONEST, excused, latest, within
from server.watch.silence import Home, Part, is_silent

_AT_ONCE = 5  # each that is suspected costs some three questions to the database
_NEVER = timedelta(days=3650)

_log = structlog.get_logger("varde.watch")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A device in somebody's hands; `plan` is the id of his active plan version, `heard` the gateways' word."""

    device: str
    address: str
    kind: str
    patient: str
    municipality: str
    plan: str | None
    heard: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """As long as neither contact nor plan changes, the device is not silent before `until`."""

    heard: datetime
    plan: str | None
    until: datetime


class Devices:
    """Looks at the devices of everybody who has a plan; one for each process that watches."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._judged: dict[str, dict[str, _Judged]] = {}  # by device and patient
        self._after = ""  # the round has come as far as this device

    @property
    def at_the_end(self) -> bool:
        """Whether the next look begins a new round."""
        return not self._after

    def look(self) -> int:
        """Look at the next few; note who fell silent and who was heard again. Returns how many changed."""
        now = self._parts.clock.now()
        with self._parts.database.read() as connection:
            some = _next(connection, self._after)
            told = _told(connection, some)
            everyone = _held(connection, some, now)
            silent = self._silent(connection, everyone, now)
        self._after = some[-1] if len(some) == _AT_ONCE else ""
        for device in set(some) - {each.device for each in everyone}:
            self._judged.pop(device, None)
        over = [device for device in told if device not in silent]
        began = {device: found for device, found in silent.items() if device not in told}
        return self._note(began, over, now) if began or over else 0

    def _silent(
        self, connection: Connection, everyone: Sequence[_Held], now: datetime
    ) -> dict[str, tuple[_Held, datetime]]:
        """The silent ones, and since when nobody has heard them."""
        silent: dict[str, tuple[_Held, datetime]] = {}
        for each in everyone:
            if not self._is_suspect(each, now):
                continue
            home = _home(connection, each, now)
            until = each.heard + _NEVER if home is None else home.heard + (home.expected or _NEVER)
            judged = _Judged(heard=each.heard, plan=each.plan, until=until)
            self._judged.setdefault(each.device, {})[each.patient] = judged
            if home is not None and is_silent(home, now):
                silent[each.device] = (each, home.heard)
        return silent

    def _is_suspect(self, each: _Held, now: datetime) -> bool:
        if now - each.heard <= SOONEST:
            return False
        known = self._judged.get(each.device, {}).get(each.patient)
        return known is None or (known.heard, known.plan) != (each.heard, each.plan) or now > known.until

    def _note(self, began: Mapping[str, tuple[_Held, datetime]], over: Collection[str], now: datetime) -> int:
        table, changed = tables.device_silence, 0
        running = table.c.ends_at.is_(None)
        with self._parts.database.write() as connection:
            for device in sorted(over):
                ended = update(table).where(table.c.device_id == device, running).values(ends_at=now)
                changed += connection.execute(ended).rowcount
            for device, (held, heard) in sorted(began.items()):
                # Two processes that watch take turns, so that it is one silence.
                connection.execute(select(tables.device.c.id).where(tables.device.c.id == device).with_for_update())
                if connection.execute(select(table.c.seq).where(table.c.device_id == device, running)).first():
                    continue
                row = {"municipality_id": held.municipality, "device_id": device, "patient_id": held.patient}
                connection.execute(insert(table).values(**row, heard_at=heard, known_at=now))
                changed += 1
        _log.info("devices silent", began=len(began), over=len(over))
        self._parts.changed.ring()
        return changed


def _next(connection: Connection, after: str) -> list[str]:
    """The ids of the next few devices."""
    device = tables.device.c
    return list(
        connection.execute(select(device.id).where(device.id > after).order_by(device.id).limit(_AT_ONCE)).scalars()
    )


def _held(connection: Connection, devices: Collection[str], now: datetime) -> list[_Held]:
    """Those that somebody has now, once for each patient, with the latest word of any of its gateways."""
    held, device, plan = tables.assignment, tables.device, tables.plan_version
    statement = (
        select(
            device.c.id, device.c.address, device.c.kind,
            held.c.patient_id, held.c.municipality_id, held.c.gateway_id, held.c.starts_at, plan.c.id.label("plan_id"),
        )
        .join(device, device.c.id == held.c.device_id)
        .outerjoin(plan, and_(plan.c.patient_id == held.c.patient_id, plan.c.state == "active"))
        .where(device.c.id.in_(devices), held.c.starts_at <= now, or_(held.c.ends_at.is_(None), held.c.ends_at > now))
        .order_by(held.c.patient_id, device.c.id)
    )  # fmt: skip
    rows = connection.execute(statement).all()
    status = tables.gateway_status.c
    words = select(status.gateway_id, status.heard).where(status.gateway_id.in_({row.gateway_id for row in rows}))
    said = dict(connection.execute(words).all())
    found: dict[tuple[str, str], _Held] = {}
    for row in rows:
        heard = latest((row.starts_at, _moment(said.get(row.gateway_id, {}).get(row.address), now)))
        before = found.get((row.id, row.patient_id))
        found[row.id, row.patient_id] = _Held(
            device=row.id,
            address=row.address,
            kind=row.kind,
            patient=row.patient_id,
            municipality=row.municipality_id,
            plan=row.plan_id,
            heard=heard if before is None else max(heard, before.heard),
        )
    return list(found.values())


def _moment(text: str | None, now: datetime) -> datetime | None:
    """The gateway's word of a time; none that has not come yet."""
    moment = None if text is None else datetime.fromisoformat(text)  # checked when it was received
    return moment if moment is not None and moment <= now else None


def _told(connection: Connection, devices: Collection[str]) -> set[str]:
    """Those whose silence is noted and not over."""
    table = tables.device_silence.c
    noted = select(table.device_id).where(table.ends_at.is_(None), table.device_id.in_(devices))
    return set(connection.execute(noted).scalars())


def _home(connection: Connection, held: _Held, now: datetime) -> Home | None:
    """The device with its plan's patience; None where no plan counts on it."""
    plan = plans.active(connection, held.patient)
    patience = None if plan is None else within(plan, held.kind)
    if plan is None or patience is None:
        return None
    reading = tables.reading.c
    newest = select(func.max(reading.received_at)).where(
        reading.patient_id == held.patient,
        reading.device == held.address,
        reading.taken_at > now - patience - patience,  # by an index; what is older changes nothing
    )
    heard = latest((held.heard, plan.starts_at, connection.execute(newest).scalar()))
    expected = patience + excused(plan, heard, now)
    return Home(part=Part.DEVICE, subject=held.device, heard=heard, expected=expected)
