"""One patient's turn: what a step or a click is working on, until it is a `Step`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from alerts.alert import Alert, State
from alerts.fact import Fact, FactKind, Role
from alerts.finding import Finding
from alerts.history import History
from alerts.memory import Memory, Quiet, Sent
from alerts.now import Now
from alerts.outlook import Outlook
from alerts.plan import Plan
from alerts.priority import Priority
from vitals.frozen import changed

_NAMESPACE = UUID("5f0c2a34-3c57-5a0e-9a51-5d2b6f3c7e10")  # of alert ids; any fixed value would do
NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True, kw_only=True)
class Turn:
    """The patient's alerts and the half of memory that is not from readings, being changed; facts being gathered."""

    patient: str
    plan: Plan
    now: Now
    memory: Memory
    history: History
    outlook: Outlook | None = None  # the newest answers of the rules
    findings: Mapping[str, Finding] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)  # the open ones, by rule
    closed: list[Alert] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    quiet: dict[str, Quiet] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    resting: bool = False  # in a pause, or after the plan's end
    rested_until: datetime | None = None  # the end of the newest pause

    def open(self, alert: Alert) -> None:
        """Add a new alert."""
        self.alerts[alert.rule] = alert

    def keep(self, alert: Alert, **changes: Any) -> Alert:
        """The alert with `changes`, kept; a closed one leaves the open ones."""
        kept = changed(alert, **changes)
        if kept.is_open:
            self.alerts[kept.rule] = kept
        else:
            self.alerts.pop(kept.rule, None)
            self.closed.append(kept)
        return kept

    def tell(
        self,
        kind: FactKind,
        alert: Alert | None = None,
        *,
        by: str | None = None,
        why: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Note what happened, to the alert as it is now."""
        self.facts.append(
            Fact(
                at=self.now.at,
                kind=kind,
                rule="" if alert is None else alert.rule,
                alert_id=None if alert is None else alert.id,
                priority=None if alert is None else alert.priority,
                by=by,
                why=why,
            )
        )

    def notify(self, to: Role, rule: str, *, by: str | None = None, why: Mapping[str, Any] = NOTHING) -> None:
        """Note that somebody must be told about a rule and its alert, if it has one."""
        alert = self.alerts.get(rule)
        self.facts.append(
            Fact(
                at=self.now.at,
                kind=FactKind.NOTICE,
                rule=rule,
                alert_id=None if alert is None else alert.id,
                priority=None if alert is None else alert.priority,
                by=by,
                to=to,
                why=why,
            )
        )

    def new_id(self, rule: str) -> str:
        """The id of an alert of this rule opened now: the same in every replay."""
        earlier = sum(each.rule == rule for each in self.closed)
        again = f"|{earlier}" if earlier else ""
        return str(uuid5(_NAMESPACE, f"{self.patient}|{rule}|{self.now.at.isoformat()}{again}"))

    def is_snoozed(self, alert: Alert) -> bool:
        """Whether the alert is to be left alone for now."""
        return alert.snoozed_until is not None and not self.now.reached(alert.snoozed_until)

    def counts(self, moment: datetime) -> bool:
        """Whether what was measured then may raise something now: not what was measured in or before a pause."""
        return self.rested_until is None or moment > self.rested_until


def needs_outcome(plan: Plan, rule: str) -> bool | None:
    """The rule's own word on outcomes, if it has one."""
    known = plan.rules.get(rule)
    return None if known is None else known.needs_outcome


def is_urgent(alert: Alert) -> bool:
    """High or critical."""
    return alert.priority >= Priority.HIGH


def has_owner_state(alert: Alert) -> bool:
    """Whether a named person has it."""
    return alert.state is State.ACKNOWLEDGED
