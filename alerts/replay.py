"""The same two functions in virtual time: from one arrival, wake-up or click to the next.

What the server does with a database and a ticker, this does with lists. Stories, back-tests and training run on it.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from alerts.alert import Alert
from alerts.arrival import Arrival
from alerts.command import Command, IllegalSignal
from alerts.engine import act, step
from alerts.fact import Fact
from alerts.memory import Memory, needs_history
from alerts.outlook import Outlook
from alerts.plan import Plan
from alerts.view import PatientView, Step
from alerts.zone import Zone
from vitals.frozen import changed


@dataclass(slots=True, kw_only=True)
class Replay:
    """One patient under one plan, moved through time. `facts` grow; `alerts` are the open ones."""

    plan: Plan
    patient: str = "patient"
    memory: Memory | None = None
    alerts: tuple[Alert, ...] = ()
    facts: list[Fact] = field(default_factory=list)
    zone: Zone = Zone.UNKNOWN
    wake_at: datetime | None = None
    outlook: Outlook | None = None
    steps: int = 0
    stored: dict[str, Arrival] = field(default_factory=dict)  # every reading that has arrived

    def arrive(self, arrivals: Iterable[Arrival], at: datetime) -> None:
        """Readings arrive together at `at`; none at all is a plain wake-up."""
        new = []
        for each in arrivals:
            if each.reading_id not in self.stored:
                self.stored[each.reading_id] = each
                new.append(each)
        view = self._view(tuple(new), needs_history(self.memory, tuple(new), plan=self.plan))
        for each in new:
            self.stored[each.reading_id] = changed(each, judged=True)
        self._keep(step(view, at))

    def click(self, command: Command, at: datetime) -> str | None:
        """A person clicks at `at`; why the click was refused (and changed nothing), or None."""
        view = self._view((), needs_history(self.memory, (), plan=self.plan, command=command))
        try:
            self._keep(act(view, command, at))
        except IllegalSignal as refusal:
            return str(refusal)
        return None

    def _view(self, new: tuple[Arrival, ...], complete: bool) -> PatientView:
        return PatientView(
            patient=self.patient,
            plan=self.plan,
            memory=self.memory,
            arrivals=tuple(self.stored.values()) if complete else new,
            complete=complete,
            alerts=self.alerts,
            outlook=self.outlook,
        )

    def _keep(self, done: Step) -> None:
        self.memory, self.zone, self.wake_at, self.outlook = done.memory, done.zone, done.wake_at, done.outlook
        self.alerts = tuple(each for each in done.alerts if each.is_open)
        self.facts += done.facts
        self.steps += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed:
    """Something that is done at a moment, after readings and clocks."""

    at: datetime
    do: Callable[[Replay], None]


def run(replay: Replay, arrivals: Iterable[Arrival], events: Iterable[Timed], until: datetime) -> None:
    """Move `replay` through everything up to and including `until`.

    Arrivals with the same `received_at` are one batch; events at one moment keep their order.
    """
    waiting = deque(sorted(arrivals, key=lambda each: each.received_at))
    coming = deque(sorted(events, key=lambda each: each.at))
    at = replay.plan.starts_at
    replay.arrive((), at)
    while True:
        batch_at = waiting[0].received_at if waiting else None
        event_at = coming[0].at if coming else None
        moments = [each for each in (batch_at, event_at, replay.wake_at) if each is not None and each <= until]
        if not moments:
            return
        at = max(at, min(moments))
        batch = []
        while waiting and waiting[0].received_at <= at:
            batch.append(waiting.popleft())
        replay.arrive(batch, at)
        while coming and coming[0].at <= at:
            coming.popleft().do(replay)
