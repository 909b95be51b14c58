"""Messages from home that nobody has read: told in service hours, once for all of them, and never at night."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from alerts.fact import Role as To
from alerts.plan import read_hours
from server.access import Actor, Role
from server.care import messages, people
from server.care.people import NewPatient, Person
from server.care.reaching import Kind
from server.db import tables
from server.notify.unread import Unread
from tests.server.notify.test_telling import Town
from tests.server.notify.test_telling import town as town
from tests.server.world import START

# START is a Monday, 08:00 in Oslo; the service is open from 08:00 to 15:30.
HOURS = "08:00-15:30 mon-fri"


def write(town: Town, name: str = "m", *, at: datetime, patient: str | None = None, role: str = "patient") -> None:
    whose = {"municipality_id": town.world.municipality, "patient_id": patient or town.world.patient}
    row = {"id": name, "by": "p", "role": role, "at": at, "text": town.world.vault.close("Når kommer dere?")}
    with town.world.database.write() as connection:
        connection.execute(insert(tables.message).values(**whose, **row))


def look(town: Town, at: datetime) -> int:
    town.clock.set(at)
    town.wall.set(at)
    return Unread(town.parts).look()


def settle(town: Town) -> None:
    """Hours that hold, and somebody on duty with a telephone."""
    with town.world.database.write() as connection:
        connection.execute(update(tables.service_agreement).values(hours=HOURS))
    town.employ("Anna", (Kind.TEXT, "+4799900001"), on=To.PRIMARY)


def open_rows(town: Town) -> list[Mapping[str, object]]:
    return [row for row in town.world.rows(tables.outbox) if row["unread_of"] is not None]


def test_after_four_hours_of_service_whoever_is_on_duty_is_told(town: Town) -> None:
    settle(town)
    write(town, at=START)
    assert look(town, START + timedelta(hours=4, minutes=-1)) == 0
    assert look(town, START + timedelta(hours=4)) == 1
    town.tell()
    ((_, body),) = town.hook.requests
    assert '"text":"Meldinger hjemmefra venter på å bli lest"' in body.decode()
    assert '"link":"https://varde.example/messages"' in body.decode()
    for private in (town.world.patient, "Patient of", "Når kommer"):
        assert private not in body.decode()
    (row,) = open_rows(town)
    assert (row["state"], row["fact_seq"], row["to"]) == ("sent", None, "primary")


def test_many_messages_are_one_notice_and_another_comes_only_after_as_many_hours(town: Town) -> None:
    settle(town)
    with town.world.database.write() as connection:
        new = NewPatient(municipality=town.world.municipality, team=town.world.team, person=Person(name="Aud"))
        other = people.enrol_patient(connection, town.world.vault, new, START - timedelta(days=5))
    for number in range(5):
        write(town, f"m{number}", at=START + timedelta(minutes=number), patient=other if number % 2 else None)
    told = [look(town, START + timedelta(hours=4, minutes=minutes)) for minutes in range(0, 205, 20)]
    assert sum(told) == 1
    assert told[0] == 1  # with the first of them, and none for those after it
    # Half past three closes the day: three hours and a half are gone, the rest comes the next morning.
    assert look(town, START + timedelta(days=1, minutes=25)) == 0
    assert look(town, START + timedelta(days=1, minutes=35)) == 1


def test_nobody_is_told_at_night_or_on_a_day_off(town: Town) -> None:
    settle(town)
    write(town, at=START + timedelta(days=4, hours=6))  # Friday at 14:00: an hour and a half before the end
    friday = START + timedelta(days=4)
    for hour in range(7, 72, 5):
        assert look(town, friday + timedelta(hours=hour, minutes=31)) == 0
    monday = START + timedelta(days=7)
    assert look(town, monday + timedelta(hours=2, minutes=29)) == 0
    assert look(town, monday + timedelta(hours=2, minutes=30)) == 1


def test_what_fell_due_while_nobody_looked_waits_for_the_morning(town: Town) -> None:
    settle(town)
    write(town, at=START)
    assert look(town, START + timedelta(hours=14)) == 0
    assert look(town, START + timedelta(hours=24)) == 1


def test_what_is_read_or_written_by_the_team_is_not_told(town: Town) -> None:
    settle(town)
    write(town, "theirs", at=START)
    write(town, "ours", at=START, role="nurse")
    actor = Actor(id=town.world.nurse, role=Role.NURSE, municipality=town.world.municipality, team=town.world.team)
    with town.world.database.write() as connection:
        messages.mark_read(connection, actor, town.world.patient, START + timedelta(hours=1))
    assert look(town, START + timedelta(hours=5)) == 0


def test_what_is_read_while_the_notice_fails_is_not_tried_again(town: Town) -> None:
    settle(town)
    write(town, at=START)
    town.hook.answers = 500
    assert look(town, START + timedelta(hours=4)) == 1
    town.tell()
    with town.world.database.write() as connection:
        connection.execute(update(tables.message).values(read_at=START, read_by="x"))
    town.hook.answers = 202
    town.pass_time(30)
    assert len(town.hook.requests) == 1
    assert open_rows(town)[0]["state"] == "unneeded"


def test_a_notice_that_is_late_into_the_evening_waits_for_the_morning(town: Town) -> None:
    settle(town)
    town.plan(hours=read_hours("08:00-15:30", "hours"))
    write(town, at=START)
    assert look(town, START + timedelta(hours=4)) == 1
    evening = START + timedelta(hours=11)
    town.clock.set(evening)
    town.wall.set(evening)
    town.tell()
    assert (town.texted(), open_rows(town)[0]["state"]) == ([], "waiting")


def test_a_team_says_itself_after_how_many_hours(town: Town) -> None:
    settle(town)
    with town.world.database.write() as connection:
        connection.execute(update(tables.team).values(unread_after_h=1))
    write(town, at=START)
    assert look(town, START + timedelta(minutes=59)) == 0
    assert look(town, START + timedelta(minutes=60)) == 1


def test_a_message_of_a_patient_who_is_not_followed_any_more_is_not_told(town: Town) -> None:
    settle(town)
    write(town, at=START)
    with town.world.database.write() as connection:
        connection.execute(update(tables.enrolment).values(state="ended"))
        assert connection.execute(select(tables.message.c.id)).first() is not None
    assert look(town, START + timedelta(hours=5)) == 0
