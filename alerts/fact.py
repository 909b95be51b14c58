"""What happened, append-only: audit trail, outbox, timeline and replay are all this one list."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerts.priority import Priority
from vitals.frozen import quick


class FactKind(StrEnum):
    """The kinds of things that can happen to a patient's alerts."""

    PENDING = "pending"  # something waits for a second reading
    WITHDRAWN = "withdrawn"  # the second reading refuted it; never shown as an alert
    RAISED = "raised"  # active for the first time, or created cleared
    RETURNED = "returned"  # active again
    WORSENED = "worsened"  # the priority rose above what somebody took on
    PRIORITY = "priority"  # the priority changed otherwise
    EVIDENCE = "evidence"  # one more reading beyond the limit
    OVER = "over"  # the condition ended
    RESOLVED = "resolved"  # closed; `by` is empty when no outcome was needed
    ACKNOWLEDGED = "acknowledged"
    TAKEN_OVER = "taken_over"
    RELEASED = "released"
    SNOOZED = "snoozed"
    DISPATCHED = "dispatched"
    DISPATCH_ACCEPTED = "dispatch_accepted"
    DISPATCH_REFUSED = "dispatch_refused"
    INVALIDATED = "invalidated"  # a reading was taken out by a person
    ACCEPTED = "accepted"  # a quarantined value was believed by a person
    NOTICE = "notice"  # somebody (`to`) must be told
    INCIDENT = "incident"  # an incident report was drafted: the ladder reached its end
    ADVICE = "advice"  # the patient is given the text of the zone in `why["zone"]`
    ZONE = "zone"  # the zone changed to `why["zone"]`


class Role(StrEnum):
    """Whom a notice is for; the server knows who is on duty in each."""

    PATIENT = "patient"
    PRIMARY = "primary"
    OWNER = "owner"  # the person named in `by` of the notice
    SHIFT_LEAD = "shift_lead"
    BACKUP = "backup"
    DUTY_MANAGER = "duty_manager"
    RESPONSE_CENTRE = "response_centre"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened at `at` (aware UTC). `why` is structured and JSON-able; words are made at the page."""

    at: datetime
    kind: FactKind
    rule: str = ""
    alert_id: str | None = None
    priority: Priority | None = None
    by: str | None = None
    to: Role | None = None
    why: Mapping[str, Any] = field(default_factory=dict)
