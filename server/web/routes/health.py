"""For those who run it: does it live, can it work, what has it counted. Nobody's data."""

from collections import Counter
from datetime import datetime

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from server.access import Action, needs
from server.parts import Parts
from server.settings import RoleName
from server.watch import beat
from server.watch.silence import BROKER, ROLE_SILENT, Part, ours

router = APIRouter()


@router.get("/healthz")
@needs(Action.ENTER)
def healthz(request: Request) -> Response:
    """The process answers; and what it knows to be silent, each kind once, so that whoever only looks here sees it.

    Always 200: nothing of that is mended by ending this process.
    """
    silent = request.app.state.web.parts.findings.silent
    if not silent:
        return JSONResponse({"status": "ok"})
    counted = Counter(each.part.value for each in silent)
    since = {each.part.value: each.since.isoformat() for each in reversed(silent) if each.since is not None}
    said = [{"part": part, "count": count, "since": since.get(part)} for part, count in counted.items()]
    return JSONResponse({"status": "alarm" if ours(silent) else "ok", "silent": said})


@router.get("/readyz")
@needs(Action.ENTER)
def readyz(request: Request) -> Response:
    """Readings can come in, be stored and be judged; 503 and which of these fails otherwise."""
    checks = check(request.app.state.web.parts)
    ready = all(words == "ok" for words in checks.values())
    return JSONResponse({"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


@router.get("/metrics")
@needs(Action.ENTER)
def metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    parts: Parts = request.app.state.web.parts
    return Response(parts.metrics.text(), media_type=CONTENT_TYPE_LATEST)


def check(parts: Parts) -> dict[str, str]:
    """What must work, and whether it does: "ok", or why not. What the look-out found is added by its part."""
    silent = {each.part.value: each.why for each in ours(parts.findings.silent)}
    try:
        with parts.database.read() as connection:
            connection.execute(select(1)).scalar_one()
            watched, received = beat.last(connection, Part.WATCH), beat.last(connection, BROKER)
    except DBAPIError:
        return silent | {"database": "cannot be read", "broker": _here(parts), "watch": "unknown"}
    watch = "has not judged anybody yet" if watched is None else _young(parts, watched)
    if parts.settings.role is RoleName.ALL:
        return {"database": "ok", "broker": _here(parts), "watch": watch} | silent
    # Other processes speak with the broker; a beat of theirs says that they do.
    broker = "not connected" if received is None else _young(parts, received)
    return {"database": "ok", "broker": broker, "watch": watch} | silent


def _young(parts: Parts, moment: datetime) -> str:
    silent = parts.wall.now() - moment
    return "ok" if silent <= ROLE_SILENT else f"silent for {int(silent.total_seconds())} s"


def _here(parts: Parts) -> str:
    return "ok" if parts.broker_up.is_set() else "not connected"
