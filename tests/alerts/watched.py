"""A made-up world told while somebody watches: what there was before and after each time that it was asked."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from alerts import memory
from alerts.alert import Alert, from_mapping, to_mapping
from alerts.arrival import Arrival
from alerts.command import EVERY_RULE, Action, Command, Outcome
from alerts.fact import Fact
from alerts.plan import Period, Plan
from alerts.replay import Replay, Timed, run
from tests.alerts.worlds import Click, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One step or click: the open alerts before and after it, by rule, and what happened in it."""

    at: datetime
    plan: Plan
    command: Command | None
    refused: bool
    before: dict[str, Alert]
    after: dict[str, Alert]
    facts: Sequence[Fact]
    wake_at: datetime | None


Watch = Callable[["Watched", Asked], None]


@dataclass(slots=True, kw_only=True)
class Watched(Replay):
    """A replay that is watched; at every `restarts`th step (0: never) it forgets all that was not written down."""

    watch: Watch | None = None
    outages: Sequence[Period] = ()
    restarts: int = 0
    unseen: list[Arrival] = field(default_factory=list)  # arrived while nobody asked

    def arrive(self, arrivals: Sequence[Arrival], at: datetime) -> None:
        back_at = self._back_at(at)
        if back_at is not None:
            self.unseen += arrivals
            self.wake_at = back_at
            return
        arrivals, self.unseen = [*self.unseen, *arrivals], []
        before, facts = self.alerts, len(self.facts)
        Replay.arrive(self, arrivals, at)
        self._show(at, before, facts, None, refused=False)

    def click(self, command: Command, at: datetime) -> str | None:
        if self._back_at(at) is not None:
            return "nobody is there"
        before, facts = self.alerts, len(self.facts)
        refusal = Replay.click(self, command, at)
        self._show(at, before, facts, command, refused=refusal is not None)
        return refusal

    def _back_at(self, at: datetime) -> datetime | None:
        return next((each.end for each in self.outages if each.end is not None and each.start < at < each.end), None)

    def _show(
        self, at: datetime, before: tuple[Alert, ...], facts: int, command: Command | None, *, refused: bool
    ) -> None:
        if self.restarts and self.steps % self.restarts == 0:
            self._restart()
        if self.watch is not None:
            asked = Asked(
                at=at,
                plan=self.plan,
                command=command,
                refused=refused,
                before={each.rule: each for each in before},
                after={each.rule: each for each in self.alerts},
                facts=self.facts[facts:],
                wake_at=self.wake_at,
            )
            self.watch(self, asked)

    def _restart(self) -> None:
        assert self.memory is not None
        self.outlook = None
        self.memory = memory.load(memory.dump(self.memory))
        self.alerts = tuple(from_mapping(json.loads(json.dumps(to_mapping(each)))) for each in self.alerts)


def tell(
    world: World,
    *,
    readings: Sequence[Arrival] | None = None,
    asked_also: Sequence[datetime] = (),
    watch: Watch | None = None,
    restarts: int = 0,
    outages: Sequence[Period] = (),
    until: datetime | None = None,
    kind: type[Watched] | None = None,
) -> Watched:
    """The world from event to event, asked also at the moments `asked_also`; `kind`: by another replay."""
    replay = (kind or Watched)(plan=world.plan, watch=watch, restarts=restarts, outages=outages)
    events = [Timed(at=at, do=_change(plan, at)) for at, plan in world.changes]
    events += [Timed(at=each.at, do=_do(each)) for each in world.clicks]
    events += [Timed(at=at, do=lambda _: None) for at in asked_also]
    run(replay, world.readings if readings is None else readings, events, until or world.end)
    return replay


def _change(plan: Plan, at: datetime) -> Callable[[Replay], None]:
    def do(replay: Replay) -> None:
        replay.plan = plan
        replay.arrive((), at)

    return do


def _do(click: Click) -> Callable[[Replay], None]:
    def do(replay: Replay) -> None:
        replay.click(_command(click, replay), click.at)

    return do


def _command(click: Click, replay: Replay) -> Command:
    """The click as it means something there and then: mostly an alert that is open and a reading that is stored."""
    rules = [*(each.rule for each in replay.alerts), EVERY_RULE]
    readings = sorted(replay.stored) or ["none"]
    if click.signal is Action.ACCEPT and replay.memory is not None and replay.memory.anchor.quarantine:
        readings = [each.reading_id for each in replay.memory.anchor.quarantine]
    return Command(
        signal=click.signal,
        by=click.by,
        rule=rules[click.place % len(rules)],
        reading=readings[click.place % len(readings)],
        outcome=Outcome.WATCH if click.has_outcome else None,
        until=click.until,
        slot_fulfilled=click.slot_fulfilled,
    )
