"""What saving an evaluation may need, asked together with what judging needs.

A journey to the database takes longer than finding a few rows that nobody will want. Of many patients little will be
wanted and all of it takes time, so for them it is asked when the rules have spoken.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table

from server.db import tables
from server.db.asking import Question, ask
from server.db.dialect import next_numbers, numbered
from server.watch.pace import Course, lately

_FEW = 10  # patients; at 500 readings a second one or two are judged at a time
_FACTS = 4  # of a patient: raised, told to somebody, zone, closed; who has more costs a journey


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """What was asked ahead."""

    numbers: Mapping[Table, Sequence[int]] = field(default_factory=dict)  # by table, for rows to be added
    measured: Sequence[Any] | None = None  # what `lately` answers; None: not asked


NOTHING = Ahead()


def asking(patients: Sequence[str], now: datetime) -> list[Question]:
    """What to ask ahead of judging these patients."""
    each = {tables.evaluation: len(patients)}
    if len(patients) > _FEW:
        return [next_numbers(each)]
    return [next_numbers(each | {tables.fact: _FACTS * len(patients)}), lately(patients, now)]


def answered(answers: Sequence[Sequence[Any]]) -> Ahead:
    """The answers to it."""
    numbers, *measured = answers
    return Ahead(numbers=numbered(numbers), measured=measured[0] if measured else None)


def needed(
    connection: Connection, ahead: Ahead, counts: Mapping[Table, int], of: Course, now: datetime
) -> tuple[Mapping[Table, Sequence[int]], Mapping[str, int]]:
    """So many numbers of each table, ascending, and the paces of alerts; asks only for what is not there yet."""
    lacking = {table: count for table, count in counts.items() if len(ahead.numbers.get(table, ())) < count}
    numbers = [next_numbers(lacking)] if lacking else []
    measured = [of.question(now)] if of.about and ahead.measured is None else []
    answers = iter(ask(connection, *numbers, *measured) if numbers or measured else ())
    found = {**ahead.numbers, **(numbered(next(answers)) if numbers else {})}
    paces = of.paces(next(answers) if measured else ahead.measured or ())
    return {table: found.get(table, ())[:count] for table, count in counts.items()}, paces
