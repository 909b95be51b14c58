"""Who is told of a step of the ladder, by what, and who comes next when that fails: on real mail and a real webhook."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

import pytest
from sqlalchemy import insert, update

from alerts.fact import Role as To
from alerts.plan import Plan, read_hours
from server.access import Actor, Role
from server.care import people, plans, roster
from server.care.people import Person
from server.care.reaching import Kind, NewChannel, add_channel
from server.care.roster import NewDuty
from server.db import tables
from server.notify.channels import ChannelDownError, Channels, LogChannel
from server.notify.deliver import LEASE, deliver
from server.notify.ways import ways_of
from server.parts import Parts
from tests.server.notify.browser import PushService, push_service
from tests.server.notify.receivers import Mailbox, Taken, mail_server, webhook
from tests.server.plans import covid_plan
from tests.server.world import START, World
from vitals import failpoint
from vitals.clock import ManualClock

NIGHT = START.replace(hour=23)


@dataclass
class Town:
    """A world with a coordinator, real ways out and a clock that is turned by hand."""

    world: World
    clock: ManualClock
    wall: ManualClock
    box: Mailbox
    hook: Taken
    push: PushService
    coordinator: str
    notices: int = 0
    given: dict[str, Any] = field(default_factory=dict)  # further settings

    @property
    def parts(self) -> Parts:
        given = {"smtp_host": "127.0.0.1", "smtp_port": self.box.port, "smtp_sender": "v@e.example", "smtp_tls": "none"}
        given |= {"webhook_url": f"http://127.0.0.1:{self.hook.port}/sms", "webhook_key": "k"}
        given |= {"public_url": "https://varde.example", "push_contact": "mailto:drift@e.example", "login": "demo"}
        given |= {"push_services": "127.0.0.1"} | self.given
        return replace(self.world.parts(self.clock, **given), wall=self.wall)

    @cached_property
    def ways(self) -> Channels:
        return ways_of(self.parts)

    def employ(self, name: str, *ways: tuple[Kind, str], team: str | None = None, on: To | None = None) -> str:
        """Somebody with these channels, on duty in that role for a day."""
        team = team or self.world.team
        with self.world.database.write() as connection:
            staff = people.employ(connection, self.world.vault, team, Role.NURSE, Person(name=name))
            for kind, address in ways:
                new = NewChannel(team=team, staff=staff, kind=kind, address=address)
                add_channel(connection, self.world.vault, new)
            if on is not None:
                ends = self.clock.now() + timedelta(hours=12)
                duty = NewDuty(team=team, staff=staff, role=on, starts_at=self.clock.now(), ends_at=ends)
                actor = Actor(
                    id=self.coordinator, role=Role.COORDINATOR, municipality=self.world.municipality, team=team
                )
                roster.put_on(connection, actor, duty, self.clock.now())
        return staff

    def notice(self, to: str = "primary", priority: str = "high", alert: str = "a", by: str | None = None) -> int:
        """A step of the ladder falls due; returns its number."""
        self.notices += 1
        whose = {"municipality_id": self.world.municipality, "patient_id": self.world.patient, "alert_id": alert}
        now = self.clock.now()
        with self.world.database.write() as connection:
            fact = whose | {"at": now, "kind": "notice", "priority": priority, "to": to, "by": by}
            number = connection.execute(insert(tables.fact).values(**fact)).inserted_primary_key[0]
            row = whose | {"fact_seq": number, "to": to, "state": "waiting", "created_at": now}
            return int(connection.execute(insert(tables.outbox).values(**row)).inserted_primary_key[0])

    def pass_time(self, seconds: int) -> None:
        """Real seconds go by, and every one of them the notifier looks."""
        for _ in range(seconds):
            self.wall.advance(timedelta(seconds=1))
            self.tell()

    def tell(self) -> int:
        return deliver(self.parts, self.ways)

    def attempts(self) -> list[tuple[str, str]]:
        return [(row["channel"], row["outcome"]) for row in self.world.rows(tables.attempt)]

    def mailed(self) -> list[str]:
        return [to for to, _ in self.box.mails]

    def texted(self) -> list[str]:
        return [json.loads(body)["to"] for _, body in self.hook.requests]

    def plan(self, **changed: Any) -> None:
        """A plan of the patient's with other hours or another choice for the night."""
        with self.world.database.write() as connection:
            plan: Plan = replace(covid_plan(), **changed)
            plans.activate(connection, self.world.patient, plan, "lege", self.clock.now())


@pytest.fixture
def town(world: World) -> Iterator[Town]:
    with world.database.write() as connection:
        ingrid = people.employ(connection, world.vault, world.team, Role.COORDINATOR, Person(name="Ingrid"))
    with mail_server() as box, webhook() as hook, push_service() as push:
        clock, wall = ManualClock(START), ManualClock(START)
        yield Town(world=world, clock=clock, wall=wall, box=box, hook=hook, push=push, coordinator=ingrid)


def test_who_is_on_duty_in_the_role_is_told_by_their_first_channel(town: Town) -> None:
    town.employ("Anna", (Kind.TEXT, "+4799900001"), (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.employ("Henrik", (Kind.TEXT, "+4799900002"))
    town.employ("Lise", (Kind.MAIL, "lise@e.example"), on=To.SHIFT_LEAD)
    number = town.notice()
    assert town.tell() == 1
    assert (town.texted(), town.mailed()) == (["+4799900001"], [])
    body = json.loads(town.hook.requests[0][1])
    assert body["text"] == f"Nytt rødt varsel, sak {number}"
    assert body["link"] == f"https://varde.example/cases/{number}"
    assert town.world.patient not in json.dumps(body)
    assert town.tell() == 0


def test_the_same_case_says_that_nobody_answered(town: Town) -> None:
    town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    first = town.notice()
    town.notice()
    town.notice(priority="critical")  # worse is news, not a repetition
    town.tell()
    texts = [json.loads(body)["text"] for _, body in town.hook.requests]
    assert texts == [
        f"Nytt rødt varsel, sak {first}",
        f"Ikke besvart: nytt rødt varsel, sak {first}",
        f"Nytt kritisk varsel, sak {first}",
    ]


def test_a_channel_that_fails_gives_way_to_the_next_with_the_same_message(town: Town) -> None:
    town.employ("Anna", (Kind.TEXT, "+4799900001"), (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.hook.answers = 503
    town.notice()
    town.tell()
    town.pass_time(20)
    assert town.attempts() == [("text", "failed")] * 3 + [("mail", "sent")]
    assert town.world.rows(tables.attempt)[0]["reason"] == "webhook answers 503"
    ids = {headers["varde-message"] for headers, _ in town.hook.requests}
    assert {message["Message-ID"].strip("<>").split("@")[0] for _, message in town.box.mails} == ids


def test_when_nothing_reaches_them_the_next_role_is_told_and_they_are_tried_on(town: Town) -> None:
    town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    town.employ("Lise", (Kind.MAIL, "lise@e.example"), on=To.SHIFT_LEAD)
    town.hook.answers = 503
    town.notice()
    town.tell()
    town.pass_time(16)
    assert town.mailed() == ["lise@e.example"]
    told = [(row["role"], row["state"]) for row in town.world.rows(tables.delivery)]
    assert sorted(told) == [("primary", "waiting"), ("shift_lead", "sent")]
    town.hook.answers = 200
    town.pass_time(30)
    assert [row["state"] for row in town.world.rows(tables.delivery)] == ["sent", "sent"]
    assert town.world.rows(tables.outbox)[0]["state"] == "sent"


def test_what_failed_is_not_tried_again_once_somebody_has_the_alert(town: Town) -> None:
    town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)
    town.hook.answers = 503
    alert = {"id": "a", "rule": "r", "state": "acknowledged", "priority": "high", "highest": "high", "level": 0}
    alert |= {"condition": True, "late": False, "waiting": False, "opened_at": START, "why": {}, "body": {}}
    alert |= {"version": 1, "updated_at": START, "patient_id": town.world.patient}
    town.notice()
    town.tell()
    with town.world.database.write() as connection:
        connection.execute(insert(tables.alert).values(**alert, municipality_id=town.world.municipality))
    town.pass_time(30)
    assert town.attempts() == [("text", "failed")]
    assert town.world.rows(tables.outbox)[0]["state"] == "unneeded"


def test_nobody_on_duty_is_the_team_and_a_team_without_a_telephone_whoever_comes_next(town: Town) -> None:
    town.employ("Lise", (Kind.MAIL, "lise@e.example"), on=To.SHIFT_LEAD)
    town.notice()
    town.tell()
    assert town.mailed() == ["lise@e.example"]  # on duty at all: nearer than nobody
    with town.world.database.write() as connection:
        new = NewChannel(team=town.world.team, kind=Kind.TEXT, address="+4799900009")
        add_channel(connection, town.world.vault, new)
    town.notice(alert="b")
    town.tell()
    assert town.texted() == ["+4799900009"]


def test_an_owner_is_reminded_wherever_they_are(town: Town) -> None:
    anna = town.employ("Anna", (Kind.MAIL, "anna@e.example"))
    number = town.notice(to="owner", by=anna)
    town.tell()
    assert town.box.mails[0][1]["Subject"] == f"Et varsel du har tatt, venter på deg, sak {number}"


def test_whoever_stopped_working_here_is_not_told(town: Town) -> None:
    anna = town.employ("Anna", (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.employ("Lise", (Kind.MAIL, "lise@e.example"), on=To.PRIMARY)
    with town.world.database.write() as connection:
        connection.execute(update(tables.staff).where(tables.staff.c.id == anna).values(active=False))
    town.notice()
    town.tell()
    assert town.mailed() == ["lise@e.example"]


def test_yellow_waits_for_the_morning_and_red_does_not(town: Town) -> None:
    town.clock.advance(NIGHT - START)
    town.plan(hours=read_hours("08:00-15:30", "hours"))
    town.employ("Anna", (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.notice(priority="medium", alert="y")
    town.notice(priority="high", alert="r")
    town.pass_time(2)
    assert [message["Subject"].split(",")[0] for _, message in town.box.mails] == ["Nytt rødt varsel"]
    town.clock.advance(timedelta(hours=9))
    town.pass_time(61)
    assert [message["Subject"].split(",")[0] for _, message in town.box.mails][1:] == ["Gult varsel venter"]


class Killed(BaseException):
    """The process ends here."""


def kill_after_sending(point: str) -> None:
    """In place of the failpoint."""
    if point == "notify.sent":
        raise Killed


def test_a_notifier_killed_after_sending_leaves_it_and_says_that_it_may_have_gone_out(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.employ("Anna", (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.notice()
    monkeypatch.setattr(failpoint, "reach", kill_after_sending)
    with pytest.raises(Killed):
        town.tell()
    monkeypatch.undo()
    assert town.tell() == 0  # whoever was killed still has it in hand
    town.wall.advance(LEASE)
    assert town.tell() == 1
    assert town.attempts() == [("?", "unknown"), ("mail", "sent")]
    assert town.mailed() == ["anna@e.example"] * 2
    assert len({message["Message-ID"] for _, message in town.box.mails}) == 1
    town.wall.advance(timedelta(hours=1))
    assert town.tell() == 0


def test_who_is_killed_again_and_again_tells_no_more_often_than_it_would_have_tried(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.employ("Anna", (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.notice()
    monkeypatch.setattr(failpoint, "reach", kill_after_sending)
    for _ in range(15):
        town.wall.advance(LEASE)
        try:
            town.tell()
        except Killed:
            continue
    assert len(town.mailed()) == 10
    assert town.world.rows(tables.outbox)[0]["state"] == "failed"


def test_a_dead_mail_server_costs_one_wait_a_round_however_many_wait(town: Town) -> None:
    for place in range(5):
        town.employ(f"Nurse {place}", (Kind.MAIL, f"n{place}@e.example"), on=To.PRIMARY)
    asked = []

    class Dead:
        name = "mail"

        def send(self, notice: object) -> None:
            asked.append(notice)
            raise ChannelDownError("mail server: TimeoutError")

    town.notice()
    deliver(town.parts, Channels(last=LogChannel(), by_kind={"mail": Dead()}))
    assert len(asked) == 1
    assert town.attempts() == [("mail", "failed")] * 5


def test_a_notice_that_cannot_be_understood_holds_up_nobody(town: Town) -> None:
    town.employ("Anna", (Kind.MAIL, "anna@e.example"), on=To.PRIMARY)
    town.notice(to="nobody we know")
    town.notice(alert="b")
    town.tell()
    assert town.mailed() == ["anna@e.example"]
    assert [row["state"] for row in town.world.rows(tables.outbox)] == ["waiting", "sent"]
