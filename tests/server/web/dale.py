"""A morning on which every page and every form of the product can be seen, and a municipality beside it like it."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import Table, delete, insert, select, update
from starlette.testclient import TestClient

from alerts import memory, rulebook
from alerts.history import History
from alerts.memory import Memory
from server.access import Role
from server.care import approval, kits, people
from server.care.kit_codes import NewKit, make_kit
from server.care.people import Person
from server.db import tables
from server.db.engine import Database
from server.own_rows import Share
from server.watch.beat import Pulse
from server.watch.silence import Part
from server.web.app import build_web
from tests.server.web import hamlet, valley
from tests.server.web.hamlet import GATEWAY, NOW, Hamlet, boss
from tests.server.web.reading import Ways, forms_of
from vitals.clock import ManualClock

READERS = ("anna", "ingrid", "kåre", "tore", "gunnar", "berit", None)  # None: a stranger at the door
_SECRETS = frozenset({"session", "token", "audit", "role_beat"})
_PROPOSAL = {
    "limit.pulse_high.0": "108",
    "text.green": "Alt som vanlig.",
    "text.yellow": "Hvil litt.",
    "text.red": "Ring oss.",
    "do": "propose",
    "reason": "Høy hvilepuls.",
}
_NEWCOMER = {
    "name": "Prøve Testesen",
    "national_id": "148348 11899",
    "reference": "2026/417",
    "purpose": "Følge oksygenmetningen hjemme",
    "replaces": "To besøk i uken",
    "decided_by": "Tildelingskontoret",
    "matters": "Å være hjemme.",
}
_BEYOND = 100_000  # added to the numbers of the other municipality's rows


@dataclass(slots=True, kw_only=True)
class Dale:
    """The hamlet, the pages on it, a session for each reader. `other`: the municipality that is none of theirs."""

    lia: Hamlet
    app: FastAPI
    ways: Ways
    code: str = ""  # of a kit that lies on a shelf
    other: str = ""
    secrets: dict[str, str] = field(default_factory=dict)

    def client(self, who: str | None, language: str = "nb") -> TestClient:
        """A browser of that reader; it follows no redirect by itself."""
        client = TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=False)
        client.headers.update(self.headers(who) | {"accept-language": language})
        return client

    def headers(self, who: str | None) -> dict[str, str]:
        """What that reader's browser sends with everything."""
        own = {"sec-fetch-site": "same-origin"}
        return own if who is None else {**own, "cookie": f"varde_session={self.secrets[who]}"}

    def pages(self) -> list[str]:
        """The path of every route to a whole page."""
        return sorted(each for each in self.ways.of("GET") - {"/live"} if not each.startswith("/parts/"))

    def address(self, path: str, patient: str = "gunnar") -> str:
        """An address of that page: of that patient, where it is a patient's."""
        return path.format(
            patient=self.lia.patients[patient], code=self.code, number="1", reading=self._reading("gunnar")
        )

    def rows_of_other(self) -> dict[str, list[Any]]:
        """Every row of the other municipality."""
        with self.lia.parts.database.read() as connection:
            return {
                table.name: [
                    tuple(row)
                    for row in connection.execute(
                        select(table).where(table.c.municipality_id == self.other).order_by(*table.primary_key)
                    )
                ]
                for table in tables.metadata.sorted_tables
                if table.name not in _SECRETS
            }

    def ids(self, of_other: bool) -> list[str]:
        """What names something of the other municipality, or of one's own."""
        found = []
        with self.lia.parts.database.read() as connection:
            for table in tables.metadata.sorted_tables:
                if table.name in _SECRETS or not {"id", "code"} & set(table.c.keys()):
                    continue
                names = [table.c[name] for name in ("id", "code") if name in table.c]
                home = self.other if of_other else self.lia.municipality
                found += [
                    value
                    for row in connection.execute(select(*names).where(table.c.municipality_id == home))
                    for value in row
                ]
        return sorted(set(found))

    def _reading(self, patient: str) -> str:
        whose = tables.reading.c.patient_id == self.lia.patients[patient]
        with self.lia.parts.database.read() as connection:
            return str(connection.execute(select(tables.reading.c.id).where(whose).limit(1)).scalar_one())


def settle(database: Database, folder: Path) -> Dale:
    """Everything that a page can show and a form can change, on a new database."""
    lia = hamlet.found(database, folder, clock=ManualClock(NOW - timedelta(days=3)))
    with database.write() as connection:
        doctor = people.employ(
            connection, lia.parts.vault, valley.team_of(lia), Role.CLINICIAN, Person(name="Kåre Lege")
        )
        lia.staff["kåre"] = doctor
        approval.sign_off(connection, lia.municipality, rulebook.load("covid19"), doctor, lia.clock.now())
    app = build_web(lia.parts)
    dale = Dale(lia=lia, app=app, ways=Ways(app))
    dale.secrets = {who: lia.session(who) for who in ("anna", "kåre")}
    olga = f"/patients/{lia.patients['olga']}/plan"
    press(dale, "anna", f"{olga}/edit", "/plan/edit", **_PROPOSAL)
    press(dale, "kåre", olga, "/approve", outside="full")
    lia.clock.set(NOW)
    _fill(lia)
    dale.secrets = {who: lia.session(who) for who in READERS if who is not None}
    dale.code = _kit(lia, 7)
    _click_through(dale, _kit(lia, 8))
    dale.other = _twin(database, lia.municipality)
    return dale


def _fill(lia: Hamlet) -> None:
    valley.settle(hamlet.fill(lia))
    lia.share("berit", "gunnar", *Share)
    lia.measure("peder", "spo2", [96, 97], newest=NOW - timedelta(hours=1), every=timedelta(hours=8))
    _remember(lia)
    lia.hear("ella", minutes=3000, weight=80)
    lia.hear("ella", weight=8)
    Pulse(lia.parts, Part.WATCH).beat()


def _remember(lia: Hamlet) -> None:
    """What the rules would remember of each patient, so that they can be asked again; of Ella nothing."""
    table = tables.memory
    with lia.parts.database.write() as connection:
        connection.execute(delete(table).where(table.c.patient_id == lia.patients["ella"]))
        body = memory.dump(Memory(plan_key="a plan before this one", anchor=History()))
        connection.execute(update(table).values(body=body))


def _kit(lia: Hamlet, number: int) -> str:
    with lia.parts.database.write() as connection:
        address = f"AA:BB:CC:DD:00:{number:02}"
        device = kits.register_device(connection, lia.municipality, address, "oximeter", "Varde Sim")
        new = NewKit(gateway=GATEWAY, label=f"Koffert {number}", devices=(device,))
        return make_kit(connection, boss(lia), new, NOW)


def _click_through(dale: Dale, code: str) -> None:
    """A proposal that waits, a kit that was handed out and a home without one, a team at home that was asked to go."""
    patients = dale.lia.patients
    press(dale, "anna", f"/patients/{patients['peder']}/plan/edit", "/plan/edit", **_PROPOSAL)
    press(dale, "anna", "/visits/new", "/visits/new", **_NEWCOMER)
    press(dale, "anna", f"/patients/{patients['peder']}/visit", "/kit", code=code)
    press(dale, "anna", f"/patients/{patients['solveig']}", "/acknowledge")
    press(dale, "anna", f"/patients/{patients['solveig']}", "/dispatch")
    press(dale, "gunnar", "/own/messages", "/own/messages", text="Når kommer dere?")


def press(dale: Dale, who: str, page: str, ending: str, **typed: str) -> None:
    """Fill in the form of a page whose address ends so, and send it."""
    client = dale.client(who)
    found = [form for _, form in forms_of(client.get(page).text, dale.ways) if form.action.endswith(ending)]
    assert found, f"{who} sees no form {ending} on {page}"
    sent = client.post(found[0].action, data={**dict(found[0].fixed), **found[0].written, **typed})
    client.close()
    assert sent.status_code == 303, (ending, sent.status_code, sent.text)


def _twin(database: Database, home: str) -> str:
    """A municipality with the same of everything under names of its own; returns its id."""
    with database.write() as connection:
        held = [
            (table, [dict(row) for row in connection.execute(_whose(table, home)).mappings()])
            for table in tables.metadata.sorted_tables
            if table.name not in _SECRETS
        ]
        names = {row[name] for table, rows in held for row in rows for name in _unique(table) if row[name] is not None}
        for table, rows in held:
            for row in rows:
                twin = {name: _renamed(value, names, name in _unique(table)) for name, value in row.items()}
                moved = {name: row[name] + _BEYOND for name in row if name.endswith("seq") and row[name] is not None}
                connection.execute(insert(table).values(twin | moved))
    return str(_renamed(home, {home}, True))


def _whose(table: Table, home: str) -> Any:
    return select(table).where(table.c.municipality_id == home)


def _unique(table: Table) -> set[str]:
    """The columns whose words must differ from row to row."""
    own = {"id", "code", "digest", "receipt_digest", "municipality_id"} | (
        {"number"} if table.name == "municipality" else set()
    )
    return own & set(table.c.keys())


def _renamed(value: Any, names: set[str], always: bool) -> Any:
    if isinstance(value, dict):
        return {key: _renamed(each, names, False) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names, False) for each in value]
    if isinstance(value, str) and value in names and (always or len(value) > 5):
        return str(int(value) + 7) if value.isdigit() else value[::-1]
    return value
