"""The hamlet with a roster, channels, a centre at night, notes and notices: what the pages of a team show."""

from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select, update

from alerts.fact import Role as To
from server.access import Actor, Role
from server.care import browsers, handover_notes, people, reaching, roster
from server.care.browsers import NewBrowser, Subscription
from server.care.handover_notes import NewNote
from server.care.people import Person
from server.care.reaching import Kind, NewChannel
from server.care.roster import NewDuty
from server.db import tables
from tests.server.web.hamlet import NOW, Hamlet

# A point of the curve: the browser's of RFC 8291, appendix A.
_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


def team_of(lia: Hamlet) -> str:
    with lia.parts.database.read() as connection:
        return str(people.find_team(connection, "Hjemmeoppfølging Lia").id)


def actor(lia: Hamlet, who: str, role: Role = Role.NURSE) -> Actor:
    """That staff member of the hamlet's team, now."""
    return Actor(id=lia.staff[who], role=role, municipality=lia.municipality, team=team_of(lia), at=lia.clock.now())


def settle(lia: Hamlet) -> Hamlet:
    """A shift as it is on a Sunday morning; call after `hamlet.fill`."""
    leader, team = actor(lia, "ingrid", Role.COORDINATOR), team_of(lia)
    with lia.parts.database.write() as connection:
        centre = people.create_centre(connection, lia.municipality, "Nattsentralen i dalen")
        people.agree_on_service(connection, lia.municipality, centre, "22:00-07:00", kind="answers")
        nina = people.employ(connection, lia.parts.vault, centre, Role.NURSE, Person(name="Nina Nattvoll"))
        lia.staff["nina"] = nina
        for who, kind, address in _WAYS:
            staff = None if who is None else lia.staff[who]
            new = NewChannel(team=team, staff=staff, kind=kind, address=address)
            reaching.add_channel(connection, lia.parts.vault, new)
        for who, role, day, start, hours in _DUTIES:
            begins = NOW.replace(minute=0, second=0) + timedelta(days=day, hours=start)
            duty = NewDuty(
                team=team, staff=lia.staff[who], role=role, starts_at=begins, ends_at=begins + timedelta(hours=hours)
            )
            roster.put_on(connection, leader, duty, NOW)
        for who, patient, said in _NOTES:
            about = None if patient is None else lia.patients[patient]
            new_note = NewNote(to_team=team, text=said, patient=about)
            handover_notes.write(connection, lia.parts.vault, actor(lia, who), new_note, NOW - timedelta(hours=1))
        for who in ("anna", "ingrid"):
            # Nobody listens at port 9, so what is sent there fails at once.
            where = Subscription(endpoint=f"http://127.0.0.1:9/{who}", p256dh=_POINT, auth="A" * 22)
            switched = NewBrowser(subscription=where, language="nb", label="Firefox, Android")
            browsers.add(connection, lia.parts.vault, actor(lia, who), switched, NOW - timedelta(days=2))
        _put_off(connection, lia)
        _tell(connection, lia, team)
    return lia


def _put_off(connection: Any, lia: Hamlet) -> None:
    until = NOW + timedelta(hours=3)
    own = tables.alert.c.id == lia.alerts["aud"]
    connection.execute(update(tables.alert).where(own).values(snoozed_until=until))
    pause = {"id": "pause", "municipality_id": lia.municipality, "patient_id": lia.patients["peder"]}
    pause |= {"starts_at": NOW - timedelta(days=2), "ends_at": NOW + timedelta(days=4), "reason": "hospital"}
    connection.execute(insert(tables.pause).values(**pause, set_by=lia.staff["anna"], set_at=NOW))
    loan = {"id": "loan", "municipality_id": lia.municipality, "patient_id": lia.patients["solveig"]}
    loan |= {"team_id": _centre(connection), "reason": "escalated", "starts_at": NOW - timedelta(minutes=41)}
    connection.execute(insert(tables.routing).values(**loan, ends_at=NOW + timedelta(minutes=20)))


def _centre(connection: Any) -> str:
    return str(people.find_team(connection, "Nattsentralen i dalen").id)


def _tell(connection: Any, lia: Hamlet, team: str) -> None:
    """Three notices: one taken at the second try, one by the shift lead, one that nobody could be told."""
    said = (
        ("primary", "sent", (("anna", "primary", "read", (("text", "failed"), ("text", "sent"))),)),
        (
            "primary",
            "sent",
            (
                ("anna", "primary", "unneeded", (("text", "failed"),) * 3),
                ("henrik", "shift_lead", "sent", (("mail", "sent"),)),
            ),
        ),
        ("duty_manager", "failed", (("ingrid", "duty_manager", "failed", (("mail", "unknown"), ("mail", "failed"))),)),
    )
    home = {"municipality_id": lia.municipality, "patient_id": lia.patients["gunnar"]}
    for place, (to, state, recipients) in enumerate(said):
        at = NOW - timedelta(minutes=9 - place)
        fact = {"at": at, "kind": "notice", "to": to, "priority": "high", "alert_id": lia.alerts["gunnar_spo2"]}
        number = connection.execute(insert(tables.fact).values(**home, **fact)).inserted_primary_key[0]
        row = home | {"fact_seq": number, "to": to, "state": state, "created_at": at}
        step = connection.execute(insert(tables.outbox).values(**row)).inserted_primary_key[0]
        for who, role, came, tries in recipients:
            one = home | {"id": f"{step}-{who}", "outbox_seq": step, "team_id": team, "staff_id": lia.staff[who]}
            one |= {"role": role, "state": came, "tries": len(tries), "created_at": at}
            connection.execute(insert(tables.delivery).values(**one, receipt_at=at if came == "read" else None))
            for seconds, (channel, outcome) in enumerate(tries):
                done = {"municipality_id": lia.municipality, "outbox_seq": step, "delivery_id": one["id"]}
                done |= {"channel": channel, "outcome": outcome, "at": at + timedelta(seconds=5 * seconds)}
                done |= {"reason": "webhook answers 503" if outcome == "failed" else None}
                connection.execute(insert(tables.attempt).values(**done))


_WAYS = (
    (None, Kind.TEXT, "+47 999 00 100"),
    ("anna", Kind.TEXT, "+47 999 00 101"),
    ("anna", Kind.MAIL, "anna@lia.example"),
    ("henrik", Kind.TEXT, "+47 999 00 102"),
    ("ingrid", Kind.MAIL, "ingrid@lia.example"),
)
# who, as what, days from today, hours from now, for how long
_DUTIES = (
    ("anna", To.PRIMARY, 0, 0, 8),
    ("henrik", To.SHIFT_LEAD, 0, 0, 8),
    ("ingrid", To.DUTY_MANAGER, -6, 0, 168),
    ("henrik", To.PRIMARY, 0, 8, 8),
    ("anna", To.PRIMARY, 1, 0, 8),
    ("henrik", To.SHIFT_LEAD, -1, 0, 8),
    ("tore", To.BACKUP, 0, 0, 24),
)
_NOTES = (
    ("henrik", "gunnar", "Ringte i går kveld. Han puster lettere når han sitter. Datteren kommer klokka ti."),
    ("henrik", None, "Bil 3 er på verksted til mandag. Nøkkelen til nøkkelboksen i Bakkegata ligger hos vaktleder."),
)


def close_at_night(lia: Hamlet) -> None:
    """Everybody's plan has a service that opens in an hour and twenty minutes; the clock stands still meanwhile."""
    table = tables.plan_version
    with lia.parts.database.write() as connection:
        for row in connection.execute(select(table.c.id, table.c.body)).all():
            body = {**row.body, "hours": "09:00-22:00 mon,tue,wed,thu,fri,sat,sun"}
            connection.execute(update(table).where(table.c.id == row.id).values(body=body))


def remember(lia: Hamlet) -> Hamlet:
    """A month of alerts that were answered and closed, as the load of a small team looks."""
    chance = Random(11)
    rules = ("spo2_low", "spo2_low", "pulse_high", "missing_spo2", "weight_gain_3d", "temperature_high")
    outcomes = ("actionable", "watch", "watch", "no_action", "self_resolved", "data_error")
    people_here = ("gunnar", "gunnar", "solveig", "solveig", "aud", "olga", "peder", "ella")
    with lia.parts.database.write() as connection:
        for number in range(74):
            at = NOW - timedelta(days=chance.uniform(1, 29.5))
            rule, who, priority = chance.choice(rules), chance.choice(people_here), chance.choice(_PRIORITIES)
            home = {"municipality_id": lia.municipality, "patient_id": lia.patients[who]}
            row = home | {"id": f"past-{number}", "rule": rule, "state": "resolved", "priority": priority, "level": 0}
            row |= {"highest": priority, "condition": False, "late": False, "waiting": False, "opened_at": at}
            row |= {"raised_at": at, "why": {}, "body": {}, "version": 3, "updated_at": at}
            connection.execute(insert(tables.alert).values(**row))
            taken = at + timedelta(minutes=chance.expovariate(1 / 9))
            closed = taken + timedelta(minutes=chance.expovariate(1 / 40))
            for kind, when, more in (
                ("raised", at, {"priority": priority}),
                ("acknowledged", taken, {"by": lia.staff["anna"]}),
                ("resolved", closed, {"by": lia.staff["anna"], "why": {"outcome": chance.choice(outcomes)}}),
            ):
                fact = home | {"alert_id": row["id"], "kind": kind, "at": when, "rule": rule}
                connection.execute(insert(tables.fact).values(**fact | more))
    return lia


_PRIORITIES = ("low", "low", "medium", "medium", "medium", "high", "high", "critical")
