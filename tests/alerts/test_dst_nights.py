"""The two nights a year in Oslo: every slot, reminder and step of a ladder once, and at the right moment.

In the night of 2026-03-29 there is no 02:00 to 03:00; in that of 2026-10-25 there are two. Both changes are at 01:00
UTC. A time that does not exist, or exists twice, is read with the offset before the change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts import rulebook
from alerts.arrival import Arrival
from alerts.command import Action, Command
from alerts.fact import Fact, FactKind
from alerts.plan import Plan
from alerts.replay import Replay, Timed, run
from tests.alerts import table
from tests.alerts.made_up import USUAL
from tests.alerts.watched import Watched

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Night:
    """A night of change; `starts_at` is its local midnight, `change` the same moment of UTC in both."""

    name: str
    starts_at: datetime
    change: datetime


SPRING = Night("spring", utc("2026-03-28T23:00"), utc("2026-03-29T01:00"))
AUTUMN = Night("autumn", utc("2026-10-24T22:00"), utc("2026-10-25T01:00"))
NIGHTS = pytest.mark.parametrize("night", [SPRING, AUTUMN], ids=lambda night: night.name)


def plan_of(book: str, night: Night, limits: dict[str, dict[str, Any]] | None = None, **settings: Any) -> Plan:
    merged = rulebook.merge(rulebook.load(book), limits or {})
    own = {"plan_id": "night", "timezone": "Europe/Oslo", "starts_at": night.starts_at.isoformat(), **settings}
    return rulebook.draft(merged, own)


def told(
    plan: Plan, readings: Sequence[Arrival], clicks: Sequence[tuple[datetime, Command]], until: datetime
) -> list[Fact]:
    """What happens; the same from event to event, minute by minute, and with a restart every quarter of an hour."""

    def click(at: datetime, command: Command) -> Timed:
        return Timed(at=at, do=lambda replay: _refuse_nothing(replay.click(command, at)))

    def ask(every: timedelta) -> list[Timed]:
        moments = (plan.starts_at + at * every for at in range((until - plan.starts_at) // every))
        near = [each for each in moments if any(abs(each - night.change) < 4 * HOUR for night in (SPRING, AUTUMN))]
        return [Timed(at=each, do=lambda _: None) for each in near]

    def facts(replay: Replay, events: Sequence[Timed]) -> list[Fact]:
        run(replay, readings, [*(click(at, command) for at, command in clicks), *events], until)
        return replay.facts

    plain = facts(Replay(plan=plan), [])
    assert facts(Replay(plan=plan), ask(MINUTE)) == plain
    assert facts(Watched(plan=plan, restarts=1), ask(15 * MINUTE)) == plain
    return plain


def _refuse_nothing(refusal: str | None) -> None:
    assert refusal is None, refusal


def reading(at: datetime, **values: str) -> Arrival:
    numbers = {name: Decimal(value) for name, value in values.items()}
    return Arrival(reading_id=f"{at:%d%H%M}", taken_at=at, received_at=at, values=numbers)


def of_rule(facts: Sequence[Fact], rule: str) -> list[tuple[str, str, str]]:
    """Day and clock time in UTC, what happened, and to whom it was told."""
    shown = [each for each in facts if each.rule == rule]
    return [(f"{each.at:%d %H:%M:%S}", each.kind.value, each.to.value if each.to else "") for each in shown]


SLOTS = {
    "slots": ["01:00-01:45", "02:00-02:40", "03:20-04:00"],
    "remind_at": ["01:30", "02:30", "03:45"],
    "grace": "10min",
    "worse_after": 3,
    "days": "sun",
}
# from, reminder, end of the grace of each slot; UTC
SLOTS_IN_UTC = {
    "spring": ("29 00:30:00", "29 00:55:00", "29 01:30:00", "29 01:50:00", "29 01:45:00", "29 02:10:00"),
    "autumn": ("24 23:30:00", "24 23:55:00", "25 00:30:00", "25 00:50:00", "25 02:45:00", "25 03:10:00"),
}


@NIGHTS
def test_every_slot_is_judged_once_and_every_reminder_sent_once(night: Night):
    plan = plan_of("covid19", night, {"missing_spo2": SLOTS})
    facts = told(plan, (), (), night.change + 6 * HOUR)
    first, missed, second, missed_again, third, missed_thrice = SLOTS_IN_UTC[night.name]
    expected = [
        (first, "notice", "patient"),
        (missed, "raised", ""),
        (second, "notice", "patient"),
        (third, "notice", "patient"),
        (missed_thrice, "worsened", ""),
    ]
    seen = of_rule(facts, "missing_spo2")
    assert [each for each in seen if each[2] != "primary" and each[1] != "evidence"] == expected
    assert missed_again > missed


@NIGHTS
@pytest.mark.parametrize("slot", range(3))
def test_one_reading_fulfils_its_slot_and_no_other(night: Night, slot: int):
    """With one of the three slots fulfilled there are never three missed in a row."""
    grace_end = SLOTS_IN_UTC[night.name][2 * slot + 1]
    day, clock = grace_end.split()
    at = utc(f"{night.change:%Y-%m}-{day}T{clock}") - (50 if slot < 2 else 10) * MINUTE
    facts = told(
        plan_of("covid19", night, {"missing_spo2": SLOTS}), [reading(at, spo2="97")], (), night.change + 6 * HOUR
    )
    kinds = [each[1] for each in of_rule(facts, "missing_spo2") if each[1] != "notice"]
    missed = [each for each in of_rule(facts, "missing_spo2") if each[1] in ("raised", "returned")]
    assert "worsened" not in kinds
    assert missed[0][0] == SLOTS_IN_UTC[night.name][3 if slot == 0 else 1]


@NIGHTS
def test_a_day_of_shipped_slots_has_each_slot_once(night: Night):
    """Saturday to Monday under covid19 as shipped: three slots a day, each missed at its own wall time."""
    from_saturday = Night(night.name, night.starts_at - 24 * HOUR, night.change)
    rule = rulebook.load("covid19").rules["missing_spo2"]
    missed: list[datetime] = []
    replay = Replay(plan=plan_of("covid19", from_saturday))
    rows = [0]

    def look(told_so_far: Replay) -> None:
        assert told_so_far.memory is not None
        _, settled = told_so_far.memory.ahead.get("missing_spo2", (None, None))
        row = 0 if settled is None else settled.row
        if row != rows[-1]:
            rows.append(row)
            missed.append(at[0])

    at = [from_saturday.starts_at]

    def asked(moment: datetime) -> Timed:
        def do(told_so_far: Replay) -> None:
            at[0] = moment
            look(told_so_far)

        return Timed(at=moment, do=do)

    quarters = [asked(from_saturday.starts_at + each * 15 * MINUTE) for each in range(73 * 4)]
    run(replay, (), quarters, night.change + 47 * HOUR)
    zone = replay.plan.zone
    local = [f"{each.astimezone(zone):%a %H:%M}" for each in missed]
    assert local == [f"{day} {clock}" for day in ("Sat", "Sun", "Mon") for clock in ("10:30", "16:30", "22:30")]
    assert rows == list(range(10))
    assert getattr(rule, "metric", None) == "spo2"


@NIGHTS
@pytest.mark.parametrize("quarter", range(-4, 5))
@pytest.mark.parametrize(("value", "name"), [("39.3", "high"), ("38.3", "critical")])
def test_every_step_of_an_urgent_ladder_is_taken_once(night: Night, quarter: int, value: str, name: str):
    """Raised at every quarter of an hour around the change, and nobody answers."""
    raised_at = night.change + quarter * 15 * MINUTE
    book, rule = ("covid19", "temperature_high") if name == "high" else ("cancer", "fever")
    until = raised_at + 150 * MINUTE
    limits = {"missing_spo2": {"enabled": False}} if book == "covid19" else {"fever": {"bands": _AT_ONCE}}
    facts = told(plan_of(book, night, limits), [reading(raised_at, temperature=value)], (), until)
    assert _steps(facts, rule) == _expected(name, raised_at, until)


_AT_ONCE = [{"limit": 38.3, "priority": "critical"}]


def _steps(facts: Sequence[Fact], rule: str) -> list[tuple[datetime, str]]:
    notices = [each for each in facts if each.kind is FactKind.NOTICE and each.rule == rule and "ladder" in each.why]
    return [(each.at, each.to.value) for each in notices if each.to is not None]


def _expected(name: str, started_at: datetime, until: datetime) -> list[tuple[datetime, str]]:
    found, number = [], 0
    while (step := table.step(name, number)) is not None and started_at + step[0] <= until:
        found.append((started_at + step[0], step[1]))
        number += 1
    return found


@NIGHTS
def test_the_response_centre_hands_over_when_the_service_opens(night: Night):
    """It opens at 02:30: half an hour into the hour that is not, or in the first of the two."""
    opens = night.change + 30 * MINUTE if night is SPRING else night.change - 30 * MINUTE
    raised_at, until = opens - 45 * MINUTE, opens + HOUR
    plan = plan_of("covid19", night, {}, hours="02:30-05:00", outside="response_centre_red")
    facts = told(plan, [reading(raised_at, temperature="39.3")], (), until)
    expected = [*_expected("response", raised_at, opens - MINUTE), *_expected("high", opens, until)]
    assert _steps(facts, "temperature_high") == expected


@NIGHTS
def test_with_nobody_at_night_the_ladder_starts_when_the_service_opens(night: Night):
    opens = night.change + 30 * MINUTE if night is SPRING else night.change - 30 * MINUTE
    plan = plan_of("covid19", night, {}, hours="02:30-05:00", outside="nobody")
    facts = told(plan, [reading(opens - HOUR, temperature="39.3")], (), opens + HOUR)
    assert _steps(facts, "temperature_high") == _expected("high", opens, opens + HOUR)


@NIGHTS
@pytest.mark.parametrize(
    ("hours", "raised", "primary", "shift_lead"),
    [
        # On Saturday at 14:30, closing at 15:30: one hour then, three on Sunday from 08:00 of the new time.
        ("08:00-15:30", "Sat 14:30", "Sun 11:00", "Sun 15:30"),
        # Four hours that pass, whatever the clocks show.
        ("00:00-24:00", "Sat 23:00", {"spring": "Sun 04:00", "autumn": "Sun 02:00"}, "Sun 24:00"),
        # A night's service of five hours by the clock is four long in spring and six in autumn.
        ("00:00-05:00", "Sun 00:00", {"spring": "Sun 05:00", "autumn": "Sun 03:00"}, "Sun 05:00"),
    ],
)
def test_a_medium_ladder_counts_the_hours_that_pass(
    night: Night, hours: str, raised: str, primary: Any, shift_lead: str
):
    plan = plan_of("covid19", Night(night.name, night.starts_at - 24 * HOUR, night.change), _QUIET, hours=hours)
    raised_at = _local(plan, night, raised)
    facts = told(plan, [reading(raised_at, temperature="38.2")], (), night.change + 30 * HOUR)
    primary = primary if isinstance(primary, str) else primary[night.name]
    first, last = _local(plan, night, primary), _local(plan, night, shift_lead)
    assert _steps(facts, "temperature_high") == [(first, "primary"), (last, "shift_lead")]


_QUIET = {"missing_spo2": {"enabled": False}}


def _local(plan: Plan, night: Night, text: str) -> datetime:
    """Wall time of the Saturday or Sunday of the change; of two such times the second."""
    day, clock = text.split()
    hour, minute = map(int, clock.split(":"))
    midnight = night.change.astimezone(plan.zone).replace(hour=0, minute=0)
    date = midnight + timedelta(days={"Sat": -1, "Sun": 0}[day] + hour // 24)
    return date.replace(hour=hour % 24, minute=minute, fold=1).astimezone(UTC)


@NIGHTS
@pytest.mark.parametrize("quarter", range(-6, 2))
def test_what_was_taken_on_and_forgotten_comes_back_an_hour_and_two_later(night: Night, quarter: int):
    taken_on = night.change + quarter * 15 * MINUTE
    clicks = [(taken_on, Command(signal=Action.ACKNOWLEDGE, by="anna", rule="temperature_high"))]
    facts = told(
        plan_of("covid19", night, _QUIET), [reading(taken_on, temperature="39.3")], clicks, taken_on + 4 * HOUR
    )
    assert _steps(facts, "temperature_high")[1:] == _expected("kept", taken_on, taken_on + 4 * HOUR)


@NIGHTS
def test_a_snooze_over_the_change_ends_when_it_was_to_end_and_what_fell_due_comes_once(night: Night):
    taken_on, until = night.change - 75 * MINUTE, night.change + 55 * MINUTE
    clicks = [
        (taken_on, Command(signal=Action.ACKNOWLEDGE, by="anna", rule="temperature_high")),
        (taken_on + MINUTE, Command(signal=Action.SNOOZE, by="anna", rule="temperature_high", until=until)),
    ]
    facts = told(plan_of("covid19", night, _QUIET), [reading(taken_on, temperature="39.3")], clicks, until + 3 * HOUR)
    assert _steps(facts, "temperature_high")[1:] == [(until, "owner"), (until, "shift_lead")]


@NIGHTS
@pytest.mark.parametrize("book", rulebook.shipped())
def test_every_shipped_rulebook_goes_through_the_night_as_by_the_minute(book: str, night: Night):
    """All it judges measured badly just before the change, and well after it; nobody answers."""
    plan = plan_of(book, night, {})
    metrics = sorted({metric for rule in plan.rules.values() for metric in rule.listens_to})
    bad = {metric: _BAD.get(metric, USUAL[metric]) for metric in metrics}
    good = {metric: USUAL[metric] for metric in metrics}
    readings = [reading(night.change - 20 * MINUTE, **bad)]
    readings += [reading(night.change + after * MINUTE, **good) for after in (40, 100)]
    facts = told(plan, readings, (), night.change + 4 * HOUR)
    if book != "nutrition":
        assert any(each.kind is FactKind.RAISED for each in facts)


_BAD = {
    "spo2": "90",
    "temperature": "39.3",
    "systolic": "185",
    "symptom_red": "1",
    "symptom_yellow": "1",
    "glucose": "2.8",
}
