"""What stands around a patient's measurements on their page: whom to call, why they are followed up, pauses, notes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from server.care import enrolment, notes, pauses, proposing
from server.care.enrolment import PRIMARY, Contact, Decision
from server.web.gathering.asking import Asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """`pause`: the one that holds now; `next_pause`: one to come; `is_proposed`: a plan waits for a second person."""

    contacts: Sequence[Contact]
    decision: Decision | None
    pause: Row[Any] | None
    next_pause: Row[Any] | None
    notes: Sequence[Row[Any]]
    staff: Mapping[str, str]
    is_proposed: bool
    in_start_up: bool

    @property
    def primary(self) -> Contact | None:
        """Whom to call first."""
        return next((each for each in self.contacts if each.kind == PRIMARY), None)


def around(asking: Asking, patient: str, now: datetime) -> Around:
    """All of it; whose patient it is was asked before."""
    connection, actor = asking.connection, asking.actor
    rests = pauses.of(connection, actor, patient)
    decision = enrolment.decision_of(connection, asking.vault, actor, patient)
    until = decision.start_up_until if decision else None
    return Around(
        contacts=enrolment.contacts_of(connection, asking.vault, actor, patient),
        decision=decision,
        pause=pauses.current(rests, now),
        next_pause=min(
            (each for each in rests if each.starts_at > now and each.ended_at is None),
            key=lambda each: each.starts_at,
            default=None,
        ),
        notes=notes.notes(connection, actor, patient),
        staff=asking.names_of_staff(),
        is_proposed=proposing.waiting(connection, actor, patient) is not None,
        in_start_up=until is not None and now < until,
    )
