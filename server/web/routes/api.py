"""`/api/v1`: for scripts and other systems. Bearer tokens, one shape for lists, problems in words, ETags on alerts.

An application of its own, mounted beside the pages, so that its errors are never a page and a page's never a problem.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, FastAPI, Query
from fastapi.responses import Response
from sqlalchemy import Connection, Select, select, tuple_

from alerts.alert import OPEN, State
from server import audit
from server.access import Action, Actor, needs, scope
from server.db import tables
from server.parts import Parts
from server.web.api.calling import Calling
from server.web.api.items import alert_item, quarantine_item, reading_item
from server.web.api.lists import LIMIT, After, Limit, answer, cursor, place
from server.web.api.problems import RESPONSES, install_problems
from server.web.api.schemas import AlertItem, Listed, QuarantineItem, ReadingItem
from server.web.frame.rendering import Renderer
from server.web.routes import api_clicks, api_kits, api_patients
from server.web.routes.api_clicks import alert_answer, alert_row

router = APIRouter(responses=RESPONSES)

_STATES = {
    "active": (State.ACTIVE.value,),
    "open": tuple(sorted(each.value for each in OPEN)),
    "all": tuple(each.value for each in State),
}


@router.get("/alerts", responses={200: {"model": Listed[AlertItem]}})
@needs(Action.SEE_ALERTS)
def alerts(
    by: Calling, state: Literal["active", "open", "all"] = "active", limit: Limit = LIMIT, after: After = None
) -> Response:
    """Alerts that the caller may see, newest first."""
    table = tables.alert
    statement = select(table).where(table.c.state.in_(_STATES[state]))
    if after is not None:
        statement = statement.where(tuple_(table.c.opened_at, table.c.id) < tuple_(*place(after, datetime, str)))
    statement = statement.order_by(table.c.opened_at.desc(), table.c.id.desc()).limit(limit + 1)
    with by.parts.database.write() as connection:
        rows = connection.execute(scope(statement, table, by.actor)).all()
        audit.write_seen(connection, by.actor, audit.Entry(action=Action.SEE_ALERTS, subject=state), by.now)
    page = rows[:limit]
    following = cursor(page[-1].opened_at, page[-1].id) if len(rows) > limit else None
    return answer(by.request, [alert_item(row) for row in page], following)


@router.get("/alerts/{alert}", responses={200: {"model": AlertItem}})
@needs(Action.SEE_ALERTS)
def one_alert(by: Calling, alert: str) -> Response:
    """One alert; its ETag is what a change must name."""
    with by.parts.database.write() as connection:
        row = alert_row(connection, by.actor, alert)
        seen = audit.Entry(action=Action.SEE_ALERTS, patient=row.patient_id, subject=alert)
        audit.write_seen(connection, by.actor, seen, by.now)
    return alert_answer(by.request, row)


@router.get("/readings", responses={200: {"model": Listed[ReadingItem]}})
@needs(Action.SEE_READINGS)
def readings(
    by: Calling,
    patient: Annotated[str | None, Query(max_length=64, description="Only this patient's.")] = None,
    limit: Limit = LIMIT,
    after: After = None,
) -> Response:
    """Readings as they came, newest arrival first; without a patient also those that nobody claims."""
    table = tables.reading
    statement: Select[Any] = select(table)
    if patient is not None:
        statement = statement.where(table.c.patient_id == patient)
    with by.parts.database.write() as connection:
        rows = _page(connection, scope(statement, table, by.actor), table, limit, after)
        values = _values(connection, by.actor, [row.seq for row in rows[:limit]])
        seen = patient if patient is not None and rows else None  # a patient that the caller may not know is not noted
        audit.write_seen(connection, by.actor, audit.Entry(action=Action.SEE_READINGS, patient=seen), by.now)
    items = [reading_item(row, values.get(row.seq, {})) for row in rows[:limit]]
    return answer(by.request, items, cursor(rows[limit - 1].seq) if len(rows) > limit else None)


@router.get("/quarantine", responses={200: {"model": Listed[QuarantineItem]}})
@needs(Action.SEE_QUARANTINE)
def quarantine(
    by: Calling, state: Literal["open", "resolved", "all"] = "open", limit: Limit = LIMIT, after: After = None
) -> Response:
    """Messages that were refused and frames that could not be read, newest first, with their bytes and a reason."""
    table = tables.quarantine
    statement: Select[Any] = select(table)
    if state != "all":
        statement = statement.where(table.c.state == state)
    with by.parts.database.write() as connection:
        rows = _page(connection, scope(statement, table, by.actor), table, limit, after)
        audit.write_seen(connection, by.actor, audit.Entry(action=Action.SEE_QUARANTINE), by.now)
    items = [quarantine_item(row) for row in rows[:limit]]
    return answer(by.request, items, cursor(rows[limit - 1].seq) if len(rows) > limit else None)


def build_api(parts: Parts) -> FastAPI:
    """The API as an application to be mounted at /api/v1."""
    app = FastAPI(title="Varde", version="1", docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.state.renderer = Renderer(demo=False)
    app.include_router(router)
    app.include_router(api_clicks.router)
    app.include_router(api_patients.router)
    app.include_router(api_kits.router)
    install_problems(app)
    return app


def _page(connection: Connection, statement: Select[Any], table: Any, limit: int, after: str | None) -> Any:
    """Up to `limit` + 1 rows by falling number, from the cursor on."""
    if after is not None:
        statement = statement.where(table.c.seq < place(after, int)[0])
    return connection.execute(statement.order_by(table.c.seq.desc()).limit(limit + 1)).all()


def _values(connection: Connection, actor: Actor, numbers: list[int]) -> dict[int, dict[str, Any]]:
    table = tables.measurement
    statement = select(table).where(table.c.reading_seq.in_(numbers)).order_by(table.c.metric)
    found: dict[int, dict[str, Any]] = {}
    for row in connection.execute(scope(statement, table, actor)):
        found.setdefault(row.reading_seq, {})[row.metric] = row.value
    return found
