"""Who calls the API: a script with a bearer token, which may do what the route declared."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from server.access import Actor, action_of, require
from server.care.credentials import actor_of_token
from server.parts import Parts
from server.web.api.problems import ProblemError

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
    now = parts.clock.now()
    return Call(parts=parts, request=request, actor=replace(actor, at=now), now=now)


Calling = Annotated[Call, Depends(call)]
