"""What a colleague must know to take over: the facts behind an ISBAR text. Pure; the words are the template's.

ISBAR (identification, situation, background, assessment, recommendation) is the form that WHO and the Norwegian
Directorate of Health recommend for handing over a patient. What only a person can judge is left open in the text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerts.plan import Plan
from server.care.enrolment import Contact
from server.web.views.groups import PRIORITY_ORDER
from server.web.views.patient import Chart, Happening, TableRow
from server.web.views.worklist import AlertRow, PatientLine

URGENT = ("critical", "high")
_DONE = frozenset(
    {
        "notice",
        "acknowledged",
        "taken_over",
        "released",
        "snoozed",
        "dispatched",
        "dispatch_accepted",
        "dispatch_refused",
        "invalidated",
        "accepted",
        "incident",
        "advice",
    }
)
_LINES_MAX = 12  # of what was done: a text that is read aloud


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who hands over; of a script nothing is known."""

    name: str | None = None
    role: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Why the follow-up rests, and until when; None: until somebody ends it."""

    reason: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One patient with a high or critical alert, most urgent first. `done`: newest last. `vitals`: metric, newest."""

    caller: Caller
    line: PatientLine
    alerts: tuple[AlertRow, ...]
    plan: Plan | None
    vitals: tuple[tuple[str, TableRow], ...]
    done: tuple[Happening, ...]
    paused: Paused | None = None
    contacts: tuple[Contact, ...] = ()

    @property
    def urgent(self) -> AlertRow:
        """The alert that the call is about."""
        return self.alerts[0]

    @property
    def others(self) -> tuple[AlertRow, ...]:
        """What is open besides."""
        return self.alerts[1:]


def handover(
    line: PatientLine,
    alerts: Sequence[AlertRow],
    plan: Plan | None,
    charts: Sequence[Chart],
    happenings: Sequence[Happening],
) -> Handover | None:
    """The facts, or None where nothing open is high or critical. `happenings` are newest first."""
    ordered = sorted(alerts, key=lambda each: (PRIORITY_ORDER.index(each.priority), each.raised_at))
    if not ordered or ordered[0].priority not in URGENT:
        return None
    since = min(each.raised_at for each in ordered if each.priority in URGENT)
    done = [each for each in happenings if each.kind in _DONE and each.at >= since][:_LINES_MAX]
    newest = [(chart.metric, chart.newest) for chart in charts]
    return Handover(
        caller=Caller(),
        line=line,
        alerts=tuple(ordered),
        plan=plan,
        vitals=tuple((metric, row) for metric, row in newest if row is not None),
        done=tuple(reversed(done)),
    )
