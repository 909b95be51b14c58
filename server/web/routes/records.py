"""What is known of a patient over time: every measurement page by page, a summary of a period to print, and notes."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import and_, or_, select

from server.access import Action, needs
from server.care import notes, pauses, plans
from server.care.notes import LONGEST, Note
from server.care.steps import steps
from server.db import tables
from server.web.api.lists import cursor, place
from server.web.api.problems import ProblemError
from server.web.forms.dates import day_of
from server.web.forms.fields import Typed, text_of
from server.web.frame.flash import Flash
from server.web.frame.visit import Visiting, note_seen
from server.web.gathering.around import around
from server.web.gathering.asking import Asking
from server.web.gathering.plans import who
from server.web.routes import patients
from server.web.views.patient import Set, limits_of, table_row
from server.web.views.period import measured, raised
from vitals.metrics import METRICS

router = APIRouter(include_in_schema=False)
_AT_ONCE = 100
_USUAL = timedelta(days=30)
_MOST = timedelta(days=366)


@router.get("/patients/{patient}/measurements")
@needs(Action.SEE_READINGS)
def measurements(
    visit: Visiting,
    patient: str,
    metric: Annotated[str, Query(max_length=32)] = "",
    after: Annotated[str, Query(max_length=400)] = "",
) -> HTMLResponse:
    """Every measurement, the newest first, a hundred at once; `after`: where the page before ended."""
    chosen = metric if metric in METRICS else ""
    with visit.read() as asking:
        line, timezone = who(asking, patient, visit.speech.now)
        rows = _rows(asking, patient, chosen, after)
        limits = limits_of(plans.stored(asking.connection, patient))
        apart = Set(out=asking.taken_out([patient]))
        shown = rows[:_AT_ONCE]
        view: dict[str, Any] = {
            "line": line,
            "rows": [(row.metric, table_row(row, limits.get(row.metric, ()), apart)) for row in shown],
            "chosen": chosen,
            "metrics": tuple(METRICS),
            "following": cursor(shown[-1].taken_at, shown[-1].seq, shown[-1].metric) if len(rows) > _AT_ONCE else None,
            "is_first": not after,
        }
        speech = visit.speech.within(timezone)
        answer = visit.page("pages/measurements.html", asking, speech=speech, here="/patients", **view)
    note_seen(visit, Action.SEE_READINGS, [patient])
    return answer


@router.get("/patients/{patient}/summary")
@needs(Action.SEE_PATIENT)
def summary(
    visit: Visiting,
    patient: str,
    start: Annotated[str, Query(alias="from", max_length=20)] = "",
    end: Annotated[str, Query(alias="to", max_length=20)] = "",
) -> HTMLResponse:
    """A period in numbers, to be printed; the last 30 days where none is chosen or the choice makes no sense."""
    with visit.read() as asking:
        line, timezone = who(asking, patient, visit.speech.now)
        begins, ends = _period(start, end, ZoneInfo(timezone), visit.speech.now)
        values = [row for row in asking.values([patient], begins) if row.taken_at < ends]
        connection, actor = asking.connection, asking.actor
        rests = [row for row in pauses.of(connection, actor, patient) if row.starts_at < ends]
        view: dict[str, Any] = {
            "line": line,
            "begins": begins,
            "ends": ends,
            "last_day": ends - timedelta(hours=1),
            "measured": measured(values, asking.taken_out([patient])),
            "raised": raised(asking.alerts_since(patient, begins), ends),
            "rests": [row for row in rests if row.ends_at is None or row.ends_at > begins],
            "steps": [row for row in steps(connection, actor, patient) if begins <= row.at < ends],
            "notes": [row for row in notes.notes(connection, actor, patient) if begins <= row.at < ends],
            "around": around(asking, patient, visit.speech.now),
            "plan": plans.stored(connection, patient),
        }
        speech = visit.speech.within(timezone)
        answer = visit.page("pages/summary.html", asking, speech=speech, here="/patients", **view)
    note_seen(visit, Action.SEE_PATIENT, [patient])
    return answer


@router.post("/patients/{patient}/notes")
@needs(Action.WRITE_NOTE)
def write_note(visit: Visiting, patient: str, typed: Typed) -> Response:
    """Keep a note about the patient."""
    text = text_of(typed, "text", LONGEST)
    if not text:
        return patients.show(visit, patient, Flash.not_done(visit.speech, "note"), 422, typed=typed)
    with visit.web.parts.database.write() as connection:
        notes.write(connection, visit.actor, Note(patient=patient, text=text), visit.web.parts.clock.now())
    visit.web.changes.nudge()
    return RedirectResponse(f"/patients/{patient}?done=noted", status_code=303)


def _rows(asking: Asking, patient: str, metric: str, after: str) -> list[Any]:
    value, reading = tables.measurement, tables.reading
    statement = (
        select(value.c.metric, value.c.taken_at, value.c.value, reading.c.quality, reading.c.device, reading.c.seq)
        .add_columns(reading.c.id.label("reading_id"))
        .join(reading, reading.c.seq == value.c.reading_seq)
        .where(value.c.patient_id == patient)
        .order_by(value.c.taken_at.desc(), reading.c.seq.desc(), value.c.metric)
        .limit(_AT_ONCE + 1)
    )
    if metric:
        statement = statement.where(value.c.metric == metric)
    if after:
        try:
            at, seq, name = place(after, datetime, int, str)
        except ProblemError:
            return asking.all(statement, value)
        same = and_(value.c.taken_at == at, reading.c.seq == seq)
        older = or_(value.c.taken_at < at, and_(value.c.taken_at == at, reading.c.seq < seq))
        statement = statement.where(or_(older, and_(same, value.c.metric > name)))
    return asking.all(statement, value)


def _period(start: str, end: str, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    ends = day_of(end, zone, ends=True) or now
    begins = day_of(start, zone) or ends - _USUAL
    return (begins, ends) if begins < ends <= begins + _MOST else (ends - _USUAL, ends)
