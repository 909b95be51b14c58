"""For those who run it: does it live, can it work, what has it counted. Nobody's data."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from server.access import Action, needs
from server.parts import Parts
from server.settings import RoleName
from server.watch import beat

router = APIRouter()
_BEAT_MAX = timedelta(seconds=30)  # six missed beats: not a busy second, a watch that does not turn


@router.get("/healthz")
@needs(Action.ENTER)
def healthz() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


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
    """What must work, and whether it does: "ok", or why not."""
    try:
        with parts.database.read() as connection:
            connection.execute(select(1)).scalar_one()
            watched, received = beat.last(connection, "watch"), beat.last(connection, "ingest")
    except OperationalError:
        return {"database": "cannot be read", "broker": _here(parts), "watch": "unknown"}
    watch = "has not judged anybody yet" if watched is None else _young(parts, watched)
    if parts.settings.role is RoleName.ALL:
        return {"database": "ok", "broker": _here(parts), "watch": watch}
    # Other processes speak with the broker; a beat of theirs says that they do.
    broker = "not connected" if received is None else _young(parts, received)
    return {"database": "ok", "broker": broker, "watch": watch}


def _young(parts: Parts, moment: datetime) -> str:
    silent = parts.wall.now() - moment
    return "ok" if silent <= _BEAT_MAX else f"silent for {int(silent.total_seconds())} s"


def _here(parts: Parts) -> str:
    return "ok" if parts.broker_up.is_set() else "not connected"
