"""Logs as JSON lines: what happened, to which id; never a name, a national id, a secret or a measured value.

Redaction is by allowance for the parts that are free text: an exception is told by its kind and its places in the code,
because its message may quote what it failed on.
"""

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import structlog

_HIDDEN = "[hidden]"
_SECRET_NAMES = re.compile(
    r"name$|national|person$|key$|secret|token|password|cookie|payload|body|values?$|text$", re.IGNORECASE
)
_NATIONAL_ID = re.compile(r"(?<!\d)\d{6}[ -]?\d{5}(?!\d)")  # eleven digits; synthetic ones have month + 80


def set_up(level: str) -> None:
    """Send every log line of this process, the libraries' too, to standard error as JSON."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        say_where_it_failed,
        hide,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(default=str),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in ("uvicorn.access", "apscheduler", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def hide(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blank fields whose name promises a secret, and anything shaped like a national id."""
    for field, value in event.items():
        if field not in ("event", "logger", "level", "timestamp") and _SECRET_NAMES.search(field):
            event[field] = _HIDDEN
        elif isinstance(value, str):
            event[field] = _NATIONAL_ID.sub(_HIDDEN, value)
    return event


def say_where_it_failed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its kind and the places it went through."""
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    elif isinstance(error, tuple):  # as libraries give it
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        event["places"] = _places(error.__traceback__)
    return event


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename.rsplit('/', 2)[-1]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]
