"""Who is told in the demo: a neighbour municipality, the centre that answers at night for both, rosters, channels."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from alerts import rulebook
from alerts.fact import Role as Post
from server.access import Actor, Role
from server.care import handover_notes, people, reaching, roster
from server.care.approval import Approval, approve
from server.care.handover_notes import NewNote
from server.care.people import NewPatient, Person
from server.care.reaching import Kind, NewChannel
from server.care.roster import NewDuty
from server.care.whom_to_call import publish_numbers
from server.vault import Vault

VALLEY_FILE = Path(__file__).with_name("valley.toml")
_DAYS = 14  # of roster; a demo that runs longer shows what happens when nobody is on it
_PLAN_SINCE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """The town that is there already: its ids, and its staff by key."""

    municipality: str
    team: str
    staff: Mapping[str, str]
    zone: ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Where everything is written, and when."""

    connection: Any
    vault: Vault
    now: datetime
    body: Mapping[str, Any]
    host: Host


def settle(connection: Any, vault: Vault, host: Host, now: datetime) -> Mapping[str, str]:
    """Everything of the valley, in the caller's transaction; returns the patient ids of the neighbours by key."""
    ground = _Ground(
        connection=connection, vault=vault, now=now, body=tomllib.loads(VALLEY_FILE.read_text()), host=host
    )
    home = ground.body["home"]
    _reach(ground, host.team, home["telephone"], {host.staff[key]: ways for key, ways in home["reach"].items()})
    lead = _leader(host.municipality, host.team, host.staff[home["lead"]])
    for day in _days(ground):
        _on_duty(ground, lead, day, {"day": home["day"], "late": home["late"]}, host.staff)
    _lead_all_day(ground, lead)
    centre = _centre(ground)
    return _neighbour(ground, centre)


def _centre(ground: _Ground) -> str:
    """The team that answers at night; its people take turns."""
    said, host = ground.body["centre"], ground.host
    centre = people.create_centre(ground.connection, host.municipality, said["team"])
    people.agree_on_service(ground.connection, host.municipality, centre, said["hours"], kind="answers")
    staff = _employ(ground, centre, said["staff"])
    _reach(ground, centre, said["telephone"], {staff[each["key"]]: each["reach"] for each in said["staff"]})
    lead = _leader(host.municipality, centre, host.staff[ground.body["home"]["lead"]])
    for place, day in enumerate(_days(ground)):
        who = said["on_duty"][place % len(said["on_duty"])]
        _on_duty(ground, lead, day, {"night": {Post.RESPONSE_CENTRE.value: who}}, staff)
    nurse = Actor(id=staff[said["on_duty"][0]], role=Role.NURSE, municipality=host.municipality, team=centre)
    note = NewNote(to_team=host.team, text=said["note"])
    handover_notes.write(ground.connection, ground.vault, nurse, note, ground.now)
    return centre


def _neighbour(ground: _Ground, centre: str) -> Mapping[str, str]:
    """The other municipality with its team and patients; the same centre answers for it."""
    connection, said = ground.connection, ground.body["neighbour"]
    municipality = people.enrol_municipality(connection, said["municipality"], said["number"], ground.now)
    team = people.create_team(connection, municipality, said["team"], said["hours"])
    people.agree_on_service(connection, municipality, centre, ground.body["centre"]["hours"], kind="answers")
    staff = _employ(ground, team, said["staff"])
    _reach(ground, team, said["telephone"], {staff[each["key"]]: each["reach"] for each in said["staff"]})
    by_role = {each["role"]: staff[each["key"]] for each in said["staff"]}
    _calls(ground, {team: said["phone"], centre: ground.body["centre"]["phone"]})
    lead = _leader(municipality, team, by_role["coordinator"])
    for day in _days(ground):
        _on_duty(ground, lead, day, {"day": said["day"]}, staff)
    found = {}
    for each in said["patient"]:
        person = Person(name=each["name"], national_id=each["national_id"])
        new = NewPatient(municipality=municipality, team=team, person=person, matters=each["matters"])
        found[each["key"]] = patient = people.enrol_patient(connection, ground.vault, new, ground.now)
        _plan(ground, patient, each, by_role)
    return found


def _calls(ground: _Ground, phones: Mapping[str, str]) -> None:
    """What patients call: their own team, and the centre when that is closed."""
    for team, phone in phones.items():
        publish_numbers(ground.connection, team, phone, ground.body["centre"]["phone"])


def _plan(ground: _Ground, patient: str, said: Mapping[str, Any], by_role: Mapping[str, str]) -> None:
    neighbour = ground.body["neighbour"]
    book = rulebook.load(said["rulebook"])
    born: date = said["born"]
    today = ground.now.astimezone(ground.host.zone).date()
    settings = {
        "plan_id": str(uuid4()),
        "facts": {"age": today.year - born.year - ((today.month, today.day) < (born.month, born.day))},
        "timezone": ground.host.zone.key,
        "starts_at": (ground.now - _PLAN_SINCE).isoformat(),
        "hours": neighbour["hours"],
        "outside": neighbour["outside"],
    }
    plan = rulebook.draft(rulebook.merge(book, {rule: {"enabled": False} for rule in said["off"]}), settings)
    approval = Approval(
        by=by_role["coordinator"], proposed_by=by_role["nurse"], book=book, outside=plan.outside, demo=True
    )
    approve(ground.connection, patient, plan, approval, ground.now)


def _employ(ground: _Ground, team: str, said: list[Mapping[str, Any]]) -> dict[str, str]:
    """Staff by key; who has no role of their own is a nurse."""
    return {
        each["key"]: people.employ(
            ground.connection, ground.vault, team, Role(each.get("role", "nurse")), Person(name=each["name"])
        )
        for each in said
    }


def _reach(ground: _Ground, team: str, telephone: str, ways: Mapping[str, list[list[str]]]) -> None:
    own = NewChannel(team=team, kind=Kind.TEXT, address=telephone)
    reaching.add_channel(ground.connection, ground.vault, own)
    for staff, each in ways.items():
        for kind, address in each:
            new = NewChannel(team=team, staff=staff, kind=Kind(kind), address=address)
            reaching.add_channel(ground.connection, ground.vault, new)


def _leader(municipality: str, team: str, staff: str) -> Actor:
    return Actor(id=staff, role=Role.COORDINATOR, municipality=municipality, team=team)


def _days(ground: _Ground) -> Iterator[date]:
    """The days of the roster; from yesterday, because a night that began then may not be over."""
    today = ground.now.astimezone(ground.host.zone).date()
    return (today + timedelta(days=day) for day in range(-1, _DAYS))


def _on_duty(
    ground: _Ground, lead: Actor, day: date, shifts: Mapping[str, Mapping[str, str]], staff: Mapping[str, str]
) -> None:
    for shift, posts in shifts.items():
        starts_at, ends_at = _span(ground, day, shift)
        for post, who in posts.items():
            duty = NewDuty(team=str(lead.team), staff=staff[who], role=Post(post), starts_at=starts_at, ends_at=ends_at)
            roster.put_on(ground.connection, lead, duty, ground.now)


def _lead_all_day(ground: _Ground, lead: Actor) -> None:
    """The duty manager, a week at a time."""
    monday = next(_days(ground))
    for week in range(_DAYS // 7 + 1):
        begins = datetime.combine(monday + timedelta(days=7 * week), time(7), ground.host.zone)
        ends = datetime.combine(monday + timedelta(days=7 * (week + 1)), time(7), ground.host.zone)
        duty = NewDuty(team=str(lead.team), staff=lead.id, role=Post.DUTY_MANAGER, starts_at=begins, ends_at=ends)
        roster.put_on(ground.connection, lead, duty, ground.now)


def _span(ground: _Ground, day: date, shift: str) -> tuple[datetime, datetime]:
    begins, ends = (time.fromisoformat(each) for each in ground.body["shifts"][shift].split("-"))
    until = day if ends > begins else day + timedelta(days=1)
    return datetime.combine(day, begins, ground.host.zone), datetime.combine(until, ends, ground.host.zone)
