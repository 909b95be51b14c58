"""A hamlet of people who do not exist, with alerts of every kind that a page can show: the builder of page tests.

Alerts are written as the rules would leave them, so that a picture of a page is the same on every day.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import delete, insert

from alerts import rulebook
from alerts.alert import Alert, State, to_mapping
from alerts.plan import PatientFacts, Plan
from alerts.priority import Priority
from server.access import Actor, Role
from server.care import kits, people, plans
from server.care.consents import Wish, share
from server.care.credentials import begin_kins_session, begin_patients_session, begin_session
from server.care.kits import NewAssignment, NewGateway
from server.care.people import NewPatient, Person
from server.db import tables
from server.db.engine import Database
from server.ingest.batch import take_in
from server.ingest.gateways import KeyRing
from server.own_rows import Share
from server.parts import Parts
from server.settings import Login, Settings
from server.vault import open_vault
from server.watch.evaluate import evaluate
from server.watch.pace import FAST, STEADY, WORSE
from tests.server.world import an_id, reading
from vitals.clock import ManualClock, SystemClock
from vitals.reading import ClockSource, DeviceId, Extreme, Measurement, Reading, RefusedFrame
from vitals.seal import seal
from vitals.topics import Lane, gateway_id, topic
from vitals.wire import render_frame, render_reading

NOW = datetime(2026, 11, 22, 6, 40, 12, tzinfo=UTC)  # 07:40:12 in Oslo, a Sunday
GATEWAY = "gw-lia"


@dataclass
class Hamlet:
    """Ids of what was made, by a short name, and the parts that pages run on."""

    parts: Parts
    clock: ManualClock
    municipality: str
    staff: dict[str, str] = field(default_factory=dict)
    patients: dict[str, str] = field(default_factory=dict)
    kin: dict[str, str] = field(default_factory=dict)
    alerts: dict[str, str] = field(default_factory=dict)
    key: bytes = b""
    _readings: int = 0

    def session(self, who: str) -> str:
        """The cookie's secret of a new session of that staff member, patient or next of kin."""
        now = self.parts.wall.now()
        with self.parts.database.write() as connection:
            if who in self.staff:
                secret = begin_session(connection, self.staff[who], now)
            elif who in self.patients:
                secret = begin_patients_session(connection, self.patients[who], now)
            else:
                secret = begin_kins_session(connection, self.kin[who], now)
        assert secret
        return secret

    def share(self, name: str, patient: str, *shares: Share) -> None:
        """Somebody close of that name, with whom the patient shares this; nothing: not any more."""
        whose = self.patients[patient]
        with self.parts.database.write() as connection:
            if name not in self.kin:
                self.kin[name] = str(uuid5(NAMESPACE_URL, f"kin {name}"))
                row = {"id": self.kin[name], "municipality_id": self.municipality, "patient_id": whose}
                row |= {"kind": "next_of_kin", "relation": "datter", "name": self.parts.vault.close(name.title())}
                connection.execute(insert(tables.contact).values(**row))
            actor = home_of(self, patient)
            wish = Wish(patient=whose, contact=self.kin[name], shares=frozenset(shares))
            share(connection, actor, wish, self.clock.now())

    def hear(self, patient: str, *, minutes: int = 0, **values: Any) -> None:
        """A reading of that patient's device, through the street: sealed, recorded, judged."""
        now = self.clock.now()
        self._readings += 1
        body = render_reading(
            Reading(
                id=an_id(f"heard {self._readings}"),
                device=DeviceId(f"AA:BB:CC:00:00:{list(self.patients).index(patient):02X}"),
                taken_at=now - timedelta(minutes=minutes),
                clock=ClockSource.DEVICE,
                measurements=tuple(Measurement(metric=name, value=Decimal(str(v))) for name, v in values.items()),
            )
        )
        where = topic(gateway_id(GATEWAY), Lane.READINGS)
        message = where, seal(self.key, where, body)
        with self.parts.database.write() as connection:
            take_in(connection, KeyRing(self.parts.vault), [message], now, rows_max=1000)
        with self.parts.database.write() as connection:
            evaluate(connection, self.patients[patient], now)

    def raise_alert(self, name: str, patient: str, rule: str, **changed: Any) -> str:
        """An alert as the rules would leave it; `why`, `pace` and fields may be given. Returns its id."""
        pace = changed.pop("pace", STEADY)
        why = {"rule": rule, "rulebook": "covid19", "rulebook_version": "2026.1", **changed.pop("why", {})}
        given: dict[str, Any] = {"state": State.ACTIVE, "priority": Priority.HIGH, "condition": True} | changed
        alert = Alert(
            id=str(uuid5(NAMESPACE_URL, f"alert {name}")),
            patient=self.patients[patient],
            rule=rule,
            why=why,
            opened_at=given.get("raised_at", NOW),
            **{"highest": given["priority"], "raised_at": NOW, **given},
        )
        self.alerts[name] = alert.id
        with self.parts.database.write() as connection:
            connection.execute(insert(tables.alert).values(**_alert_row(alert, self.municipality), pace=pace))
            fact = {"patient_id": alert.patient, "municipality_id": self.municipality}
            fact |= {"alert_id": alert.id, "kind": "raised", "at": alert.raised_at, "rule": rule}
            connection.execute(insert(tables.fact).values(**fact, priority=alert.priority.word, why=why))
        return alert.id

    def measure(self, patient: str, metric: str, values: list[Any], *, newest: datetime, every: timedelta) -> None:
        """Readings of one metric, oldest first, the last one taken at `newest`."""
        municipality, who = self.municipality, self.patients[patient]
        with self.parts.database.write() as connection:
            for place, value in enumerate(values):
                taken_at = newest - every * (len(values) - 1 - place)
                self._readings += 1
                made = reading(self._readings)
                row = {"seq": self._readings, "id": made.id, "municipality_id": municipality, "gateway_id": GATEWAY}
                row |= {"patient_id": who, "device": f"AA:BB:CC:00:00:{list(self.patients).index(patient):02X}"}
                row |= {"taken_at": taken_at, "received_at": taken_at + timedelta(seconds=20), "clock": "device"}
                row |= {"offset_s": 0, "quality": "good", "flags": [], "battery": 80}
                connection.execute(insert(tables.reading).values(row))
                amount = value if isinstance(value, Extreme) else Decimal(str(value))
                part = {"reading_seq": self._readings, "metric": metric, "municipality_id": municipality}
                part |= {"patient_id": who, "taken_at": taken_at, "value": amount}
                connection.execute(insert(tables.measurement).values(part))

    def strand(self) -> None:
        """One unreadable frame, one message without a seal, and one reading that belongs to nobody."""
        heard = NOW - timedelta(minutes=3)
        frame = RefusedFrame(
            id=an_id("frame"), device=DeviceId("AA:BB:CC:00:00:00"), model="Varde Sim", characteristic="2A5E",
            frame=bytes.fromhex("0062"), heard_at=heard, reason="2A5E: 2 bytes, at least 5 are needed",
        )  # fmt: skip
        lane = topic(gateway_id(GATEWAY), Lane.FRAMES)
        sealed = seal(b"k" * 32, lane, render_frame(frame))
        self._keep(1, "undecodable_frame", frame.reason, lane, sealed, device=frame.device, last_at=heard)
        lane = topic(gateway_id(GATEWAY), Lane.READINGS)
        self._keep(2, "unsealed", "the message carries no seal", lane, b"\x00\xff hello \x07", last_at=NOW)
        stranger = {"seq": 9000, "id": an_id("stranger"), "municipality_id": self.municipality, "gateway_id": GATEWAY}
        stranger |= {"device": "AA:BB:CC:00:00:99", "unclaimed": "unknown_device", "taken_at": heard, "quality": "good"}
        stranger |= {"received_at": heard, "clock": "device", "offset_s": 0, "flags": []}
        with self.parts.database.write() as connection:
            connection.execute(insert(tables.reading).values(stranger))
            value = {"reading_seq": 9000, "metric": "spo2", "municipality_id": self.municipality, "taken_at": heard}
            connection.execute(insert(tables.measurement).values(**value, value=Decimal(94)))

    def _keep(self, seq: int, kind: str, reason: str, where: str, payload: bytes, **more: Any) -> None:
        row = {"seq": seq, "municipality_id": self.municipality, "gateway": GATEWAY, "kind": kind, "reason": reason}
        row |= {"topic": where, "payload": payload, "payload_bytes": len(payload), "digest": str(seq), "times": seq}
        row |= {"first_at": NOW - timedelta(hours=1), "state": "open"} | more
        with self.parts.database.write() as connection:
            connection.execute(insert(tables.quarantine).values(row))

    def zone(self, patient: str, zone: str) -> None:
        """The zone as the rules would leave it."""
        row = {"patient_id": self.patients[patient], "municipality_id": self.municipality, "body": "{}"}
        with self.parts.database.write() as connection:
            connection.execute(insert(tables.memory).values(**row, zone=zone, updated_at=NOW))


def found(database: Database, folder: Path, *, clock: ManualClock | None = None) -> Hamlet:
    """The hamlet with its people and kits, and nothing measured yet."""
    vault = open_vault(folder / "vault.key", create=True)
    clock = clock or ManualClock(NOW)
    parts = Parts(settings=_settings(folder), clock=clock, database=database, vault=vault, wall=SystemClock())
    born = NOW - timedelta(days=20)
    with database.write() as connection:
        municipality = people.enrol_municipality(connection, "Lia kommune", "9992", born)
        team = people.create_team(connection, municipality, "Hjemmeoppfølging Lia")
        hamlet = Hamlet(parts=parts, clock=clock, municipality=municipality)
        for key, name, role in _STAFF:
            hamlet.staff[key] = people.employ(connection, vault, team, role, Person(name=name))
        hamlet.key = kits.enrol_gateway(connection, vault, NewGateway(id=GATEWAY, municipality=municipality), born)
        for place, (key, name, age, matters, book) in enumerate(_PATIENTS):
            new = NewPatient(municipality=municipality, team=team, person=Person(name=name), matters=matters)
            patient = people.enrol_patient(connection, vault, new, born)
            hamlet.patients[key] = patient
            address = f"AA:BB:CC:00:00:{place:02X}"
            kind = "scale" if book == "heart_failure" else "oximeter"
            device = kits.register_device(connection, municipality, address, kind, "Varde Sim")
            held = NewAssignment(device=device, patient=patient, gateway=GATEWAY, starts_at=born)
            kits.assign(connection, held, born)
            plans.activate(connection, patient, _plan(book, patient, age, born), "lege", born)
        connection.execute(delete(tables.due))  # no watch runs here, and nobody is overdue for it
    return hamlet


def _settings(folder: Path) -> Settings:
    """Of a demo whose push service is this machine."""
    contact = "mailto:drift@lia.example"
    return Settings(data=folder, login=Login.DEMO, push_contact=contact, push_services="127.0.0.1")


def settled(database: Database, folder: Path, like: Hamlet) -> Hamlet:
    """The hamlet on a database that holds the rows of one that was founded, with that one's vault key in `folder`."""
    parts = Parts(
        settings=_settings(folder),
        clock=(clock := ManualClock(NOW)),
        database=database,
        vault=open_vault(folder / "vault.key", create=False),
        wall=SystemClock(),
    )
    return Hamlet(
        parts=parts,
        clock=clock,
        municipality=like.municipality,
        staff=dict(like.staff),
        patients=dict(like.patients),
        key=like.key,
    )


def fill(hamlet: Hamlet) -> Hamlet:
    """A morning: one critical, two high, mild ones, one taken, one over, one unknown, the rest green."""
    ago = lambda minutes: NOW - timedelta(minutes=minutes)  # noqa: E731 - the times read like a score
    eight = timedelta(hours=8)
    hamlet.measure("gunnar", "spo2", [95, 94, 95, 93, 94, 92, 93, 91, 90, 87], newest=ago(9), every=eight)
    hamlet.measure("gunnar", "pulse", [78, 80, 76, 81, 84, 83, 88, 92, 96, 104], newest=ago(9), every=eight)
    hamlet.raise_alert(
        "gunnar_spo2", "gunnar", "spo2_low", pace=FAST, raised_at=ago(9), why=_why("spo2", 87, 92, "below", 9)
    )
    hamlet.raise_alert(
        "gunnar_pulse", "gunnar", "pulse_high", priority=Priority.MEDIUM, pace=WORSE, raised_at=ago(9),
        why=_why("pulse", 104, 100, "above", 9),
    )  # fmt: skip
    hamlet.measure("solveig", "spo2", [96, 95, 96, 94, 93, 92, 90], newest=ago(41), every=eight)
    hamlet.raise_alert("solveig", "solveig", "spo2_low", raised_at=ago(41), why=_why("spo2", 90, 92, "below", 41))
    hamlet.measure("aud", "weight", [81.2, 81.4, 81.3, 81.9, 82.6, 83.8], newest=ago(70), every=timedelta(days=1))
    hamlet.raise_alert(
        "aud", "aud", "weight_gain_3d", priority=Priority.MEDIUM, pace=WORSE, raised_at=ago(70),
        why=_why("weight", "83.8", None, "above", 70),
    )  # fmt: skip
    hamlet.raise_alert(
        "nils", "nils", "missing_spo2", priority=Priority.LOW, raised_at=ago(500), cause="gateway",
        why={"metric": "spo2", "slot_start": "2026-11-21T18:00:00+00:00", "missed_in_a_row": 1, "cause": "gateway"},
    )  # fmt: skip
    hamlet.measure("olga", "spo2", [96, 95, 91, 94, 95, 96], newest=ago(300), every=eight)
    hamlet.raise_alert(
        "olga", "olga", "spo2_low", state=State.ACKNOWLEDGED, priority=Priority.MEDIUM, condition=False,
        raised_at=ago(900), owner=hamlet.staff["henrik"], why=_why("spo2", 93, 94, "below", 900),
    )  # fmt: skip
    hamlet.strand()
    zones = {"gunnar": "red", "solveig": "red", "aud": "yellow", "nils": "blue", "olga": "green", "ella": "unknown"}
    for patient in hamlet.patients:
        hamlet.zone(patient, zones.get(patient, "green"))
    return hamlet


def home_of(hamlet: Hamlet, patient: str) -> Actor:
    """That patient."""
    whose = hamlet.patients[patient]
    return Actor(id=whose, role=Role.PATIENT, municipality=hamlet.municipality, patient=whose)


def boss(hamlet: Hamlet) -> Actor:
    """The coordinator."""
    return Actor(id=hamlet.staff["ingrid"], role=Role.COORDINATOR, municipality=hamlet.municipality)


_STAFF = (
    ("anna", "Anna Solbakk", Role.NURSE),
    ("henrik", "Henrik Myrvoll", Role.NURSE),
    ("ingrid", "Ingrid Fjellheim", Role.COORDINATOR),
    ("tore", "Tore Lindås", Role.TECHNICIAN),
)
_PATIENTS = (
    ("gunnar", "Gunnar Prøvedal", 83, "Å kunne gå til naustet og se på båten.", "covid19"),
    ("solveig", "Solveig Testnes", 81, "Å være hjemme til barnebarnet kommer i jula.", "covid19"),
    ("aud", "Aud Eksempelmo", 77, "Å stelle rosene selv.", "heart_failure"),
    ("nils", "Nils Øvingsberg", 74, "Å slippe å reise til sykehuset for kontroll.", "covid19"),
    ("olga", "Olga Prøvevik", 69, "Å sove om natta.", "covid19"),
    ("ella", "Ella Eksempelstad", 88, "Å få være med i kirken.", "heart_failure"),
    ("peder", "Peder Testhaugen", 71, "Å holde på med ved.", "covid19"),
)


def _why(metric: str, value: Any, limit: Any, side: str, minutes: int) -> dict[str, Any]:
    at = NOW - timedelta(minutes=minutes)
    return {
        "metric": metric, "value": str(value), "limit": None if limit is None else str(limit), "side": side,
        "device": "AA:BB:CC:00:00:00", "reading_id": str(uuid5(NAMESPACE_URL, f"{metric}{minutes}")),
        "taken_at": at.isoformat(), "received_at": (at + timedelta(seconds=20)).isoformat(),
        "evaluated_at": (at + timedelta(seconds=21)).isoformat(),
        "limit_set_by": "plan" if metric == "pulse" else "rulebook", "plan_version": 2,
        "quiet_at": None if limit is None else str(limit + (1 if side == "below" else -1)),
    }  # fmt: skip


def _plan(book: str, patient: str, age: int, starts_at: datetime) -> Plan:
    loaded = rulebook.load(book)
    return Plan(
        plan_id=f"plan-{patient}",
        version=1,
        rulebook=book,
        rulebook_version=loaded.version,
        table=loaded.table,
        facts=PatientFacts(age=age),
        starts_at=starts_at,
    )


def _alert_row(alert: Alert, municipality: str) -> dict[str, Any]:
    return {
        "id": alert.id, "municipality_id": municipality, "patient_id": alert.patient, "rule": alert.rule,
        "state": alert.state.value, "priority": alert.priority.word, "highest": alert.highest.word,
        "condition": alert.condition, "late": alert.late, "waiting": alert.waiting,
        "opened_at": alert.opened_at, "raised_at": alert.raised_at,
        "owner": alert.owner, "level": 0, "why": dict(alert.why),
        "body": to_mapping(alert), "version": 1, "updated_at": NOW,
    }  # fmt: skip
