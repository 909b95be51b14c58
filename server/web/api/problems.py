"""What a script is told when something cannot be done: RFC 9457 problem details, one place for all of the API."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from alerts.command import IllegalSignal
from server.access import RefusedError
from server.actions import ChangedMeanwhileError
from server.care.people import NotFoundError

MEDIA_TYPE = "application/problem+json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {}}}
    for status in (401, 403, 404, 409, 412, 422, 428)
}


@dataclass(eq=False)
class ProblemError(Exception):
    """Something that the caller should know, with its status."""

    status: int
    detail: str
    headers: dict[str, str] = field(default_factory=dict)


def install_problems(app: FastAPI) -> None:
    """Answer every error of this application as a problem."""
    app.add_exception_handler(ProblemError, _own)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(RefusedError, lambda _, error: problem(403, str(error)))
    app.add_exception_handler(NotFoundError, lambda _, error: problem(404, f"{error}, or it is not yours to see"))
    app.add_exception_handler(IllegalSignal, _illegal)
    app.add_exception_handler(ChangedMeanwhileError, _changed)
    app.add_exception_handler(Exception, lambda _, __: problem(500, "the mistake is ours; nothing was changed"))


def problem(status: int, detail: str, headers: dict[str, str] | None = None, field: str | None = None) -> Response:
    """A problem of the general type: the status says what, the detail says more, `field` which word is wrong."""
    body: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase}
    body |= {"status": status, "detail": detail}
    body |= {} if field is None else {"field": field}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE, headers=headers)


def _own(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error.status, error.detail, error.headers)


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


def _illegal(_request: Request, error: Exception) -> Response:
    """What the rules refuse: 422 where a word of the request is wrong, 409 where the alert is not in that state."""
    assert isinstance(error, IllegalSignal)
    return problem(422 if error.field else 409, str(error), field=error.field)


def _malformed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    words = "; ".join(f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors())
    return problem(422, words)


def _changed(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ChangedMeanwhileError)
    return problem(412, str(error), {"ETag": f'"{error.version}"'})
