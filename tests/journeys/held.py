"""A server on a held clock: real broker, real processes, homes under the plans of stories. Time moves when told to."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Table, func, select

from alerts import rulebook
from alerts.plan import Plan
from server.access import Role
from server.care import approval, credentials, kits, people
from server.db import tables
from server.db.engine import Database, file_address
from server.db.migrate import upgrade_database
from server.settings import RoleName
from server.vault import open_vault
from tests.broker import free_port, mosquitto_path
from tests.journeys.kit import Kit
from tests.journeys.running import EFFECT_S, Browser, wait_for
from varde.demo import broker
from varde.demo.children import Child, end_all
from varde.demo.serving import Serving, children
from vitals.clock import HeldClock, SystemClock
from vitals.reading import ClockSource, DeviceId, GatewayId, Measurement, Reading, ReadingId
from vitals.topics import gateway_id

WATCHER = "Ingrid Vakt"  # who looks at the pages
_SERVER = broker.server_account("server-password")
_LOOK_S = 0.01
_ZONES = {"red": "danger", "yellow": "warning", "blue": "info", "unknown": "neutral", "green": "success"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One patient's home: a device, and a gateway with a key and an account of its own."""

    patient: str
    device: DeviceId
    kit: Kit


@dataclass
class Service:
    """Made by `with Service(folder, plans, nurses) as service`: a home for each plan, all of which start at once.

    There is a neighbour too, whom no plan judges: what he measures wakes the watch sooner than its doorbell would.
    """

    folder: Path
    plans: Sequence[Plan]
    nurses: Sequence[str]  # who clicks, each with a token of their own
    shared: str | None = None  # the address of an empty database for a server in many processes; None: a file and one
    homes: list[Home] = field(default_factory=list)
    actors: dict[str, str] = field(default_factory=dict)  # nurse -> the id that stands on what they do
    _tokens: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> "Service":
        (self.begin,) = {each.starts_at for each in self.plans}
        self.clock = HeldClock.start(self.folder / "clock.json", self.begin)
        self.address = self.shared or file_address(self.folder / "varde.db")
        self.database = Database(self.address)
        self._broker_port, web_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{web_port}"
        gateways = {gateway_id(f"gw-home-{number}"): bytes([number]) * 32 for number in range(len(self.plans) + 1)}
        self._enrol(gateways)
        self.neighbour = self.homes.pop()
        program = mosquitto_path()
        assert program, "Mosquitto is not installed; `make setup` says how to get it"
        accounts = [*(broker.gateway_account(each, "kit-password") for each in gateways), _SERVER]
        command = broker.mosquitto_command(program, self.folder / "broker", self._broker_port, accounts)
        self._broker = Child(name="broker", command=command, log=self.folder / "broker.log")
        place = Serving(
            address=self.address,
            log=self.folder,
            twice=(RoleName.INGEST, RoleName.WATCH),
            environment={
                "VARDE_DATA": str(self.folder),
                "VARDE_CLOCK": str(self.folder / "clock.json"),
                "VARDE_LOGIN": "demo",
                "VARDE_WEB_PORT": str(web_port),
                "VARDE_MQTT_PORT": str(self._broker_port),
                **broker.environment_of(_SERVER),
            },
        )
        self._server = children(place)
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for home in (*self.homes, self.neighbour):
            home.kit.close()
        end_all([*self._server, self._broker])
        self.database.close()

    # --- time

    def settle(self) -> None:
        """Return once the rules have been asked about everybody whose time has come."""
        wait_for(self._is_settled, "everybody who is due to be judged", look_s=_LOOK_S)

    def wakes_at(self, home: Home | None = None) -> datetime | None:
        """When the slate says that the rules must be asked again, about this home or the first of all."""
        table = tables.due
        first = select(func.min(table.c.evaluate_at))
        if home is not None:
            first = first.where(table.c.patient_id == home.patient)
        with self.database.read() as connection:
            return connection.execute(first).scalar()

    def _is_settled(self) -> bool:
        assert self._all_run(), self.log()
        rows = self.rows(tables.due)
        assert not [each for each in rows if each["failures"]], f"not judged:\n{self.log()}"
        return all(each["evaluate_at"] > self.clock.now() for each in rows)

    def knock(self) -> None:
        """Wake the watch: the neighbour measures."""
        number, now = len(self.rows(tables.reading, self.neighbour)), self.clock.now()
        reading = Reading(
            id=ReadingId(str(uuid5(NAMESPACE_URL, f"neighbour {number}"))),
            device=self.neighbour.device,
            taken_at=now,
            clock=ClockSource.DEVICE,
            measurements=(Measurement(metric="spo2", value=Decimal(70)),),
        )
        self.neighbour.kit.send([reading])

    # --- what a gateway says of itself

    def report(self, home: Home, *, online: bool) -> None:
        """The home's gateway comes or goes now; return once the server knows."""
        now, table = self.clock.now(), tables.gateway_status
        known = (home.kit.gateway, online, now)
        home.kit.report(now, online=online)
        wait_for(
            lambda: any(
                (each["gateway_id"], each["online"], each["received_at"]) == known for each in self.rows(table)
            ),
            f"the server to know that {home.kit.gateway} is {'online' if online else 'offline'}",
            look_s=_LOOK_S,
        )

    # --- looking and clicking

    def rows(self, table: Table, home: Home | None = None) -> list[dict[str, Any]]:
        """The rows of a table, those of one home's patient or all, in the order of their keys, as they are now."""
        statement = select(table).order_by(*table.primary_key)
        if home is not None:
            statement = statement.where(table.c.patient_id == home.patient)
        with self.database.read() as connection:
            return [dict(row) for row in connection.execute(statement).mappings()]

    def text(self, path: str) -> str:
        """What the server answers without any login."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=20) as answer:
            body: str = answer.read().decode()
            return body

    def alerts(self, nurse: str, home: Home) -> list[dict[str, Any]]:
        """The open alerts of a home, as the API tells this nurse."""
        status, body, _ = self._call(nurse, "GET", "alerts?state=open")
        assert status == 200, body
        return [each for each in body["items"] if each["patient"] == home.patient]

    def etag(self, nurse: str, alert: str) -> str:
        """What a click on this alert must name."""
        return self._call(nurse, "GET", f"alerts/{alert}")[2]

    def post(self, nurse: str, path: str, body: Any = None, etag: str | None = None) -> tuple[int, Any]:
        """Status and answer of a click."""
        status, answer, _ = self._call(nurse, "POST", path, body, etag)
        return status, answer

    def shows(self, home: Home, zone: str) -> bool:
        """Whether the patient's page shows this zone."""
        page = self._browser.get(f"/patients/{home.patient}")
        return re.search(rf'class="zone">\s*<span class="mark" data-color="{_ZONES[zone]}"', page) is not None

    def log(self) -> str:
        """The ends of the server's logs."""
        return "\n".join(f"{each.name}:\n{each.tail()}" for each in self._server)

    def _all_run(self) -> bool:
        return all(each.is_running for each in self._server)

    def _call(
        self, nurse: str, method: str, path: str, body: Any = None, etag: str | None = None
    ) -> tuple[int, Any, str]:
        headers = {"Authorization": f"Bearer {self._tokens[nurse]}"} | ({"If-Match": etag} if etag else {})
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.loads(answer.read()), answer.headers.get("ETag", "")
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read()), ""

    # --- building

    def _enrol(self, gateways: dict[GatewayId, bytes]) -> None:
        """As a municipality does: people, kits, a signed rulebook and an approved plan for each patient."""
        upgrade_database(self.database)
        vault, now = open_vault(self.folder / "vault.key", create=True), self.begin
        with self.database.write() as connection:
            town = people.enrol_municipality(connection, "Havnes", "9993", now)
            team = people.create_team(connection, town, "Havnes oppfølging")
            doctor = people.employ(connection, vault, team, Role.COORDINATOR, people.Person(name="Kåre Lege"))
            people.employ(connection, vault, team, Role.NURSE, people.Person(name=WATCHER))
            for book in {each.rulebook for each in self.plans}:
                approval.sign_off(connection, town, rulebook.load(book), doctor, now)
            for gateway, key in gateways.items():
                kits.enrol_gateway(connection, vault, kits.NewGateway(id=gateway, municipality=town, key=key), now)
                person = people.Person(name=f"Resident of {gateway}")
                new = people.NewPatient(municipality=town, team=team, person=person)
                patient = people.enrol_patient(connection, vault, new, now)
                self.homes.append(self._furnish(connection, patient, gateway, key))
            for plan, patient in zip(self.plans, (each.patient for each in self.homes), strict=False):
                # When a gateway is silent is learned as it happens, not known beforehand.
                approved = approval.Approval(
                    by=doctor, proposed_by=None, book=rulebook.load(plan.rulebook), outside=plan.outside
                )
                approval.approve(connection, patient, replace(plan, offline=()), approved, now)
            for nurse in self.nurses:
                self._employ(
                    connection, credentials.NewToken(municipality=town, role=Role.NURSE, label=nurse, team=team)
                )

    def _furnish(self, connection: Connection, patient: str, gateway: GatewayId, key: bytes) -> Home:
        town = connection.execute(select(tables.municipality.c.municipality_id)).scalar_one()
        address = DeviceId(f"02:56:41:77:00:{len(self.homes):02X}")
        device = kits.register_device(connection, town, address, "oximeter")
        held = kits.NewAssignment(
            device=device, patient=patient, gateway=gateway, starts_at=self.begin - timedelta(days=1)
        )
        kits.assign(connection, held, self.begin)
        kit = Kit(gateway, key, broker.gateway_account(gateway, "kit-password"), self._broker_port)
        return Home(patient=patient, device=address, kit=kit)

    def _employ(self, connection: Connection, token: credentials.NewToken) -> None:
        now = SystemClock().now()  # what a token lasts is real time
        secret = credentials.create_token(connection, token, now)
        actor = credentials.actor_of_token(connection, secret, now)
        assert actor
        self._tokens[token.label], self.actors[token.label] = secret, actor.id

    def _start(self) -> None:
        self._broker.start()
        assert broker.wait_until_open(self._broker_port, EFFECT_S), self._broker.tail()
        for each in self._server:
            each.start()
        wait_for(self._is_ready, "the server to be ready", look_s=0.05)
        self._browser = Browser(self.url).log_in(WATCHER)
        for home in (*self.homes, self.neighbour):
            home.kit.open()
            self.report(home, online=True)

    def _is_ready(self) -> bool:
        assert self._all_run(), self.log()
        try:
            self.text("/readyz")
        except OSError:
            return False
        return True
