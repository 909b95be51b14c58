"""The row that the database makes of a patient's alerts says what the alerts say one by one, in both databases."""

import random
from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from server.access import Actor, Role
from server.db import tables
from server.web.gathering.asking import Asking
from server.web.views.board import END, Standing, board
from server.web.views.chosen import Chosen
from server.web.views.groups import PRIORITY_ORDER
from tests.server.web.hamlet import NOW, Hamlet
from tests.server.web.views.standings import Open, gathered

RULES = ("spo2_low", "missing_spo2", "missingXspo2", "symptom_red", "cat_rise", "quarantined", "weight_trend")
CHOICES = (
    *(Chosen(), Chosen(whose="mine"), Chosen(priority="high"), Chosen(kind="missing"), Chosen(kind="value")),
    *(Chosen(kind="symptom", priority="low"), Chosen(kind="unlikely", whose="mine"), Chosen(state="taken")),
)


def _some(chance: random.Random, patient: str, number: int) -> Open:
    until = chance.choice((None, None, NOW, NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)))
    # Few moments and both ends of a group's half hour, so that alerts meet; whole seconds and parts of one.
    raised_at = NOW - timedelta(minutes=chance.choice((0, 10, 30, 31, 60, 200)), microseconds=chance.choice((0, 0, 1)))
    return Open(
        patient_id=patient,
        raised_at=raised_at,
        id=f"{chance.choice('aZ9å')}{number}",
        rule=chance.choice(RULES),
        state=chance.choice(("active", "acknowledged", "cleared")),
        priority=chance.choice((*PRIORITY_ORDER, "new")),
        pace=chance.randint(0, 2),
        snoozed_until=until,
        owner=chance.choice((None, "anna", "bjørn")),
        condition=chance.random() < 0.5,
    )


@pytest.fixture
def crowded(lia: Hamlet) -> tuple[Hamlet, list[Open]]:
    """Many alerts of every kind for everybody, and one of somebody whose follow-up is over."""
    chance, (gone, *others) = random.Random("standing"), sorted(lia.patients.values())
    alerts = [_some(chance, patient, number) for number, patient in enumerate(others * 12)]
    ended = _some(chance, gone, 999)
    unseen = {"municipality_id": lia.municipality, "highest": "low", "late": False, "waiting": False, "level": 0}
    unseen |= {"opened_at": NOW, "why": {}, "body": {}, "version": 1, "updated_at": NOW}
    with lia.parts.database.write() as connection:
        connection.execute(insert(tables.alert), [{**asdict(each), **unseen} for each in (*alerts, ended)])
        over = update(tables.enrolment).where(tables.enrolment.c.patient_id == gone).values(state="ended")
        connection.execute(over)
    return lia, alerts


@pytest.mark.parametrize("role", [Role.NURSE, Role.COORDINATOR])
def test_a_row_says_what_the_alerts_say_one_by_one(crowded: tuple[Hamlet, list[Open]], role: Role) -> None:
    lia, alerts = crowded
    with lia.parts.database.read() as connection:
        team = connection.execute(tables.team.select()).first()
        assert team
        reader = Actor(id="anna", role=role, municipality=lia.municipality, team=team.id, at=NOW)
        for chosen in CHOICES:
            wanted = gathered(alerts, NOW, chosen, "anna")
            found = Asking(connection, lia.parts.vault, reader).standing(NOW, chosen)
            assert sorted(_in_order(each) for each in found) == wanted, chosen
            rows = [(row.patient, row.urgency, row.waiting, row.is_meant, row.condition) for row in board(found).rows]
            assert rows == [
                (row.patient, row.urgency, row.waiting, row.is_meant, row.condition) for row in board(wanted).rows
            ]


def _in_order(row: Standing) -> Standing:
    """The row with what the database put together in no order, and with all parts of each second."""
    made = Standing(*row)
    met = ",".join(sorted(_whole(each) for each in made.met.split(",")))
    return made._replace(first=f"{made.first[:2]}{_whole(made.first[2:])}", met=met)


def _whole(text: str) -> str:
    moment, _, rest = text.partition(END)
    return f"{moment}{'' if '.' in moment else '.'}".ljust(26, "0") + END + rest
