"""The open alerts of each patient as one row, put together by the database: the order of the worklist, its counts and
its choices are made of it. What stands in a row is for `views.board`.
"""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, String, and_, bindparam, case, cast, func, literal, or_, select
from sqlalchemy import text as words

from alerts.raising import QUARANTINED
from server.access import always
from server.db import tables
from server.db.least import least_text, moment_text
from server.db.tables.judging import SHOWN
from server.db.types import UTCDateTime
from server.scoped import asked_of_all
from server.web.views.board import ALONE, ALONE_WAITS, END, FASTEST, IDLE, TAKEN, WAITING, WAITS
from server.web.views.chosen import MISSING, SYMPTOMS
from server.web.views.groups import NEVER_PUT_OFF, PRIORITY_ORDER

IS_SHOWN = words(f"alert.{SHOWN}")  # word for word as the index has it, or it would not be used
ENROLLED = select(tables.enrolment.c.patient_id).where(tables.enrolment.c.state != always("ended"))
_ALERT = tables.alert.c
# As `views.groups.is_waiting` has it, `rank` and `kind_of`; a test holds them equal.
_WAITS = and_(
    _ALERT.state != "acknowledged",
    or_(
        _ALERT.snoozed_until.is_(None),
        _ALERT.snoozed_until <= bindparam("now", type_=UTCDateTime()),
        _ALERT.priority.in_([literal(each) for each in NEVER_PUT_OFF]),
    ),
)
_RANK = case(*((_ALERT.priority == literal(word), place) for place, word in enumerate(PRIORITY_ORDER)), else_=-1)
_KIND = case(
    (_ALERT.rule == literal(QUARANTINED), "unlikely"),
    (_ALERT.rule.startswith(MISSING, autoescape=True), "missing"),
    (or_(*(_ALERT.rule.startswith(each, autoescape=True) for each in SYMPTOMS)), "symptom"),
    else_="value",
)
_IS_MEANT = and_(
    *(
        or_(asked == "", column == asked)
        for name, column in (("priority", _ALERT.priority), ("kind", _KIND), ("owner", _ALERT.owner))
        for asked in (bindparam(name, type_=String()),)
    )
)


def _rows(is_meant: ColumnElement[Any]) -> Select[Any]:
    place = case((_WAITS, WAITING), else_=TAKEN) + _RANK
    met = moment_text(_ALERT.raised_at).concat(END)
    alone = case((_WAITS, ALONE_WAITS), else_=ALONE)
    mark = case((_ALERT.rule == literal(QUARANTINED), alone), (_WAITS, WAITS), else_=IDLE)
    return (
        select(
            _ALERT.patient_id,
            least_text(cast(place, String).concat(met).concat(_ALERT.id)).label("first"),
            func.min(place * 10 + FASTEST - _ALERT.pace).label("fastest"),
            func.aggregate_strings(met.concat(mark), ",").label("met"),
            func.max(is_meant, type_=Integer).label("is_meant"),
            func.max(case((_ALERT.condition, 1), else_=0), type_=Integer).label("condition"),
        )
        .where(IS_SHOWN)
        .group_by(_ALERT.patient_id)
        .having(_ALERT.patient_id.in_(ENROLLED))  # of each patient, not of each alert
    )


@asked_of_all(tables.alert)
def everybody() -> Select[Any]:
    """Every patient with an open alert."""
    return _rows(literal(1))


@asked_of_all(tables.alert)
def sifted() -> Select[Any]:
    """The same, and of whom an alert is as asked for: `priority`, `kind`, `owner`, each empty where all will do."""
    return _rows(case((_IS_MEANT, 1), else_=0))
