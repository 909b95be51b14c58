"""A person under a plan, through the real engine: readings, second readings when asked for, and a nurse who clicks.

The nurse is an assumption, the same in every run: at work Monday to Friday, looking at the list at three fixed times.
What needs a person is acknowledged at the next look, and closed at the first look after its condition is over, or
after three days while it holds (the rules then raise it again when they may). Low alerts end by themselves; a
quarantined value is settled as wrong. Nobody looks in the evening, at night, or at the weekend.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta

from alerts.alert import Alert, State
from alerts.command import Action, Command, Outcome
from alerts.episodes import Episode, episodes
from alerts.fact import FactKind, Role
from alerts.plan import Plan
from alerts.replay import Replay
from benchmarks.rules.people import START, Person, moment

HOURS, OUTSIDE = "08:00-15:30 mon-fri", "nobody"
LOOKS = (8 * 60 + 30, 11 * 60 + 30, 14 * 60 + 30)  # wall-clock minutes
KEPT = timedelta(days=3)  # an acknowledged alert that holds is closed and may come again
NURSE = "nurse"


def live(person: Person, plan: Plan) -> tuple[Episode, ...]:
    """Every episode of the person's follow-up under `plan`."""
    life = _Life(person, plan)
    life.run()
    return episodes(life.replay.facts)


class _Life:
    """One replay and those who answer to it."""

    def __init__(self, person: Person, plan: Plan) -> None:
        self.replay = Replay(plan=plan, patient=person.key)
        self._person = person
        self._waiting = deque(person.arrivals)
        self._looks = deque(_looks(person))
        self._taken_on: dict[str, datetime] = {}  # alert -> when acknowledged
        self._told = 0  # facts seen

    def run(self) -> None:
        """From the plan's start to the end of follow-up; at one moment arrivals, then clocks, then clicks."""
        replay, at = self.replay, self.replay.plan.starts_at
        replay.arrive((), at)
        while True:
            coming = min(self._moments(), default=None)
            if coming is None or coming > self._person.until:
                return
            at = max(at, coming)
            self._arrive(at)
            if self._looks and self._looks[0] <= at:
                self._looks.popleft()
                self._look(at)

    def _moments(self) -> Iterator[datetime]:
        if self._waiting:
            yield self._waiting[0].received_at
        if self._looks:
            yield self._looks[0]
        if self.replay.wake_at is not None:
            yield self.replay.wake_at

    def _arrive(self, at: datetime) -> None:
        batch = []
        while self._waiting and self._waiting[0].received_at <= at:
            batch.append(self._waiting.popleft())
        if batch or (self.replay.wake_at is not None and self.replay.wake_at <= at):
            self.replay.arrive(batch, at)
            self._answer()

    def _answer(self) -> None:
        """Measure again where the rules asked for it and the person is one who does."""
        new = self.replay.facts[self._told :]
        self._told = len(self.replay.facts)
        asked = {each.why.get("reading_id") for each in new if each.kind is FactKind.NOTICE and each.to is Role.PATIENT}
        again = [self._person.again[each] for each in sorted(filter(None, asked)) if each in self._person.again]
        if again:
            self._waiting = deque(sorted([*again, *self._waiting], key=lambda each: each.received_at))

    def _look(self, at: datetime) -> None:
        for alert in self.replay.alerts:
            command = self._click(alert, at)
            if command is not None:
                refused = self.replay.click(command, at)
                if refused is not None:
                    raise AssertionError(f"{self._person.key} {at.isoformat()}: {refused}")
                if command.signal is Action.ACKNOWLEDGE:
                    self._taken_on[alert.id] = at
        self._told = len(self.replay.facts)

    def _click(self, alert: Alert, at: datetime) -> Command | None:
        if alert.rule == "quarantined":
            return _resolve(alert, Outcome.DATA_ERROR)
        if alert.state is State.CLEARED:
            return _resolve(alert, Outcome.SELF_RESOLVED)
        if alert.state is State.ACTIVE and alert.outcome_is_needed:
            return Command(signal=Action.ACKNOWLEDGE, by=NURSE, rule=alert.rule)
        if alert.state is State.ACKNOWLEDGED and (not alert.condition or at - self._taken_on[alert.id] >= KEPT):
            return _resolve(alert, Outcome.WATCH)
        return None


def _resolve(alert: Alert, outcome: Outcome) -> Command:
    return Command(signal=Action.RESOLVE, by=NURSE, rule=alert.rule, outcome=outcome)


def _looks(person: Person) -> Iterator[datetime]:
    day = 0
    while moment(day) < person.until:
        if (START + timedelta(days=day)).weekday() < 5:
            yield from (moment(day, minute) for minute in LOOKS)
        day += 1
