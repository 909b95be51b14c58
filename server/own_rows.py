"""What a patient, or somebody close to one, may know of: the rows of that one patient, and who looked at them.

Somebody close sees as much as the patient shares, and nothing that the share does not need. A table that is not here is
not for them.
"""

from enum import StrEnum

from sqlalchemy import ColumnElement, Table, and_, false, or_, select

from server.db import tables


class Share(StrEnum):
    """What a patient can let somebody close have; each includes the zone, without which nobody is let in."""

    ZONE = "zone"  # the zone, its text and whom to call
    VALUES = "values"  # what was measured and answered
    MESSAGES = "messages"  # read and write messages to the team
    REPORT = "report"  # measure and answer on the patient's behalf


_OF_THE_ZONE = frozenset(
    {
        *(tables.patient, tables.enrolment, tables.memory, tables.due, tables.plan_version, tables.plan_text),
        *(tables.pause, tables.consent, tables.contact),
    }
)
_SHARED = {
    Share.ZONE: _OF_THE_ZONE,
    # Facts as well: they say which of the values a person took out.
    Share.VALUES: frozenset({tables.reading, tables.measurement, tables.self_report, tables.fact}),
    Share.MESSAGES: frozenset({tables.message}),
    Share.REPORT: frozenset[Table](),
}
_OF_THE_PATIENT = frozenset(
    {
        *(*_OF_THE_ZONE, *_SHARED[Share.VALUES], *_SHARED[Share.MESSAGES]),
        *(tables.alert, tables.audit, tables.decision, tables.assignment, tables.visit_step),
    }
)


def own_rows(table: Table, patient: str, shares: frozenset[Share] | None) -> ColumnElement[bool]:
    """Which rows of `table` the patient may know of; with `shares`, somebody close who was given these."""
    if table in (tables.person, tables.staff):
        return _people(table, patient, shares)
    enrolment = tables.enrolment
    own = select(enrolment.c.municipality_id).where(enrolment.c.patient_id == patient)
    if table is tables.municipality:
        return table.c.municipality_id.in_(own)
    teams = select(enrolment.c.team_id).where(enrolment.c.patient_id == patient, enrolment.c.state != "ended")
    if table is tables.team:
        return table.c.id.in_(teams)
    if table is tables.service_agreement:
        return and_(table.c.team_id.in_(teams), table.c.municipality_id.in_(own))
    if table not in (_OF_THE_PATIENT if shares is None else _shared(shares)):
        return false()
    whose = table.c.id if table is tables.patient else table.c.patient_id
    return whose == patient


def _shared(shares: frozenset[Share]) -> frozenset[Table]:
    return frozenset().union(*(_SHARED[each] for each in shares))


def _people(table: Table, patient: str, shares: frozenset[Share] | None) -> ColumnElement[bool]:
    """The patient, and the staff who wrote to the patient or looked at the patient's data."""
    message, audit, staff = tables.message, tables.audit, tables.staff
    wrote = select(message.c.by).where(message.c.patient_id == patient)
    looked = select(audit.c.actor).where(audit.c.patient_id == patient)
    if shares is None:
        known = or_(staff.c.id.in_(wrote), staff.c.id.in_(looked))
    else:
        known = staff.c.id.in_(wrote) if Share.MESSAGES in shares else false()
    if table is staff:
        return known
    own = select(tables.patient.c.person_id).where(tables.patient.c.id == patient)
    return or_(table.c.id.in_(own), table.c.id.in_(select(staff.c.person_id).where(known)))
