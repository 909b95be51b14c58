"""`/api/v1`: for scripts and other systems. Bearer tokens, one shape for lists, problems in words, ETags on alerts.

An application of its own, mounted beside the pages, so that its errors are never a page and a page's never a problem.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request
from fastapi.responses import Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import Connection, Row, Select, select, tuple_

from alerts.alert import OPEN, State
from alerts.command import Action as Signal
from alerts.command import Outcome
from server import audit
from server.access import Action, Actor, action_of, needs, require, scope
from server.actions import Click, act
from server.care.credentials import actor_of_token
from server.care.people import NotFoundError
from server.db import tables
from server.parts import Parts
from server.web.items import alert_item, quarantine_item, reading_item
from server.web.lists import LIMIT, After, Limit, answer, as_json, cursor, place
from server.web.problems import RESPONSES, ProblemError, install_problems
from server.web.schemas import AlertItem, Listed, QuarantineItem, ReadingItem

_bearer = HTTPBearer(auto_error=False, description="A token made by `varde token create`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a script that may do what the route declared."""

    parts: Parts
    request: Request
    actor: Actor
    now: datetime


def call(request: Request, _given: Annotated[object, Depends(_bearer)]) -> Call:
    """Who calls, and may they do this? Only then the route."""
    parts: Parts = request.app.state.parts
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    actor = None
    if scheme.lower() == "bearer" and secret:
        with parts.database.read() as connection:
            actor = actor_of_token(connection, secret.strip(), parts.wall.now())
    if actor is None:
        raise ProblemError(
            401, "a bearer token is needed, and this is none that is valid", {"WWW-Authenticate": "Bearer"}
        )
    action = action_of(request.scope["endpoint"])
    assert action, "a route without an action; `build_api` should have found it at start"
    require(actor, action)
    return Call(parts=parts, request=request, actor=actor, now=parts.clock.now())


Calling = Annotated[Call, Depends(call)]
IfMatch = Annotated[str | None, Header(description="The ETag of the alert as it was seen.")]
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
        row = _alert(connection, by.actor, alert)
        seen = audit.Entry(action=Action.SEE_ALERTS, patient=row.patient_id, subject=alert)
        audit.write_seen(connection, by.actor, seen, by.now)
    return _alert_answer(by, row)


@router.post("/alerts/{alert}/acknowledge", responses={200: {"model": AlertItem}})
@needs(Action.ACKNOWLEDGE)
def acknowledge(by: Calling, alert: str, if_match: IfMatch = None) -> Response:
    """Take the alert on; it must still be what `If-Match` names."""
    return _click(by, Click(alert=alert, signal=Signal.ACKNOWLEDGE, version=_version(if_match)))


class Resolution(BaseModel):
    """What came of an alert."""

    model_config = ConfigDict(extra="forbid")
    outcome: Outcome


@router.post("/alerts/{alert}/resolve", responses={200: {"model": AlertItem}})
@needs(Action.RESOLVE)
def resolve(by: Calling, alert: str, body: Resolution, if_match: IfMatch = None) -> Response:
    """Close the alert with its outcome; it must still be what `If-Match` names."""
    click = Click(alert=alert, signal=Signal.RESOLVE, outcome=body.outcome, version=_version(if_match))
    return _click(by, click)


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
    app.include_router(router)
    install_problems(app)
    return app


def _click(by: Call, click: Click) -> Response:
    with by.parts.database.write() as connection:
        act(connection, by.actor, click, by.parts.clock.now())  # not before the lock: others wrote meanwhile
        row = _alert(connection, by.actor, click.alert)
    by.parts.wake_watch.ring()  # when to ask about the patient again has changed
    by.parts.wake_notify.ring()
    by.parts.changed.ring()
    return _alert_answer(by, row)


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise ProblemError(428, "If-Match is needed: the ETag of the alert as you saw it")
    text = if_match.strip().removeprefix("W/").strip('"')
    return int(text) if text.isascii() and text.isdigit() else -1  # -1: a version that no alert ever has


def _alert(connection: Connection, actor: Actor, alert: str) -> Row[Any]:
    table = tables.alert
    row = connection.execute(scope(select(table).where(table.c.id == alert), table, actor)).first()
    if row is None:
        raise NotFoundError("no such alert")
    return row


def _alert_answer(by: Call, row: Row[Any]) -> Response:
    return as_json(by.request, alert_item(row), f'"{row.version}"')


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
