"""The verdict on an episode: the ledger against the tables, the facts against the pure replay, the alerts against a
slow reader of the ledger."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, func, select

from alerts.alert import from_mapping
from server.access import system
from server.db import tables
from server.reports.recorded import replayed
from tests.chaos.ledger import Record
from tests.chaos.script import OSLO, expected
from tests.simulation import judging

_TOLD = 20

Key = tuple[str, Decimal, Decimal, datetime | None]  # device, spo2, pulse, when it was taken by the device's own clock


@dataclass(kw_only=True)
class Verdict:
    """What an episode came to. `wrong`: everything that must not be, in words, the first few of each kind."""

    handed_over: int = 0
    stored: int = 0
    lost: int = 0
    duplicate: int = 0
    missed: int = 0
    ghost: int = 0
    alerts: int = 0
    facts: int = 0
    evaluations: int = 0
    notices: int = 0
    told_twice: int = 0
    wrong: list[str] = field(default_factory=list)

    def note(self, problems: Iterable[str]) -> int:
        """Keep the first few of these; returns how many there were."""
        found = list(problems)
        self.wrong += found[:_TOLD]
        return len(found)


def judge(
    connection: Connection, handed_over: Sequence[Record], owners: Mapping[str, str], told: Sequence[int], now: datetime
) -> Verdict:
    """`owners`: device -> patient; `told`: the numbers of the notices that the channel took, in order."""
    verdict = Verdict(handed_over=len(handed_over))
    _readings(connection, handed_over, verdict)
    _alerts(connection, handed_over, owners, verdict)
    for patient in sorted(owners.values()):
        again = replayed(connection, system(), patient)
        verdict.evaluations += again.evaluations
        verdict.facts += again.facts
        verdict.note(f"{patient}: {each}" for each in (*again.differences, *again.not_covered))
        verdict.note(judging.memory_is_the_fold(connection, patient, now))
    verdict.note(judging.nothing_waits(connection, now))
    verdict.note(judging.notices(connection, told))
    verdict.note(judging.lives(connection))
    verdict.notices = connection.execute(select(func.count()).select_from(tables.outbox)).scalar_one()
    verdict.told_twice = len(told) - len(set(told))
    return verdict


def _readings(connection: Connection, handed_over: Sequence[Record], verdict: Verdict) -> None:
    """Promise 1: each once, with the time that the device wrote into it, and nothing that nobody measured."""
    measured = Counter(_key(each) for each in handed_over)
    stored = Counter(_stored(connection))
    verdict.stored = stored.total()
    verdict.lost = verdict.note(f"lost: {_words(key)}" for key in (measured - stored).elements())
    more = stored - measured
    verdict.duplicate = verdict.note(f"stored again: {_words(key)}" for key in more.elements() if key in measured)
    verdict.note(f"nobody measured {_words(key)}" for key in more.elements() if key not in measured)


def _key(record: Record) -> Key:
    taken_at = None if record.shown is None else record.shown.replace(tzinfo=OSLO).astimezone(UTC)
    return record.device, record.spo2, record.pulse, taken_at


def _stored(connection: Connection) -> Iterable[Key]:
    values: dict[int, dict[str, Any]] = defaultdict(dict)
    table = tables.measurement.c
    for seq, metric, value in connection.execute(select(table.reading_seq, table.metric, table.value)):
        values[seq][metric] = value
    for row in connection.execute(select(tables.reading)):
        taken_at = row.taken_at if row.clock == "device" else None
        yield row.device, values[row.seq]["spo2"], values[row.seq]["pulse"], taken_at


def _alerts(connection: Connection, handed_over: Sequence[Record], owners: Mapping[str, str], verdict: Verdict) -> None:
    """Promise 2, without the engine: one alert of each rule whose limit was ever reached, raised once."""
    of_device: dict[str, list[Record]] = defaultdict(list)
    for record in handed_over:
        of_device[record.device].append(record)
    wanted = {
        (owners[device], rule): condition
        for device, records in of_device.items()
        for rule, condition in expected(records).items()
    }
    alerts = [from_mapping(body) for body in connection.execute(select(tables.alert.c.body)).scalars()]
    found = Counter((each.patient, each.rule) for each in alerts)
    verdict.alerts = len(alerts)
    verdict.missed = verdict.note(f"missed: {key}" for key in sorted(wanted.keys() - found.keys()))
    verdict.ghost = verdict.note(f"ghost: {key}" for key in (found - Counter(wanted.keys())).elements())
    verdict.note(
        f"{each.patient}, {each.rule}: the condition is called {each.condition}"
        for each in alerts
        if each.condition != wanted.get((each.patient, each.rule), each.condition)
    )
    fact = tables.fact.c
    raised = connection.execute(select(fact.alert_id).where(fact.kind == "raised")).scalars()
    times = Counter(raised)
    verdict.note(
        f"{each.patient}, {each.rule}: raised {times[each.id]} times" for each in alerts if times[each.id] != 1
    )


def _words(key: Key) -> str:
    device, spo2, pulse, taken_at = key
    return f"{device} spo2 {spo2} pulse {pulse}" + (f" at {taken_at:%H:%M:%S}Z" if taken_at else "")
