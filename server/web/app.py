"""Puts the pages together: one FastAPI with guards around it, routes in it and the look-out for changes beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

from server.access import action_of
from server.parts import Parts
from server.settings import Login
from server.web.frame.changes import Changes
from server.web.frame.failing import install_failures
from server.web.frame.rendering import STATIC, Renderer
from server.web.frame.visit import Web
from server.web.living import beat
from server.web.routes import (
    alerts,
    browsers,
    entry,
    follow_up,
    kits,
    live,
    load,
    messages,
    numbers,
    own,
    patients,
    pauses,
    plans,
    quarantine,
    readings,
    records,
    reviews,
    roster,
    rulebooks,
    sharing,
    stickers,
    team,
    told,
    visits,
    worklist,
)
from server.web.security import KnownHosts, OwnSiteOnly, SecurityHeaders

PAGES = (
    *(entry.router, worklist.router, reviews.router, patients.router, kits.router, quarantine.router),
    *(
        alerts.router,
        readings.router,
        live.router,
        own.router,
        plans.router,
        rulebooks.router,
        pauses.router,
        follow_up.router,
        records.router,
    ),
    *(messages.router, numbers.router, sharing.router, stickers.router, visits.router),
    *(team.router, roster.router, told.router, load.router, browsers.router),
)
# The demo lets anybody in with one click, so it answers only to this machine's own names.
_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class UndeclaredRouteError(Exception):
    """A route does not say what it lets somebody do."""


def build_web(
    parts: Parts, changes: Changes | None = None, *, others: Iterable[APIRouter] = (), static: Path = STATIC
) -> FastAPI:
    """The pages on these parts; `others` are routers served beside them (API, health).

    `changes.nudge` may be rung by whoever commits something that pages show. Raises `UndeclaredRouteError`.
    """
    demo = parts.settings.login is Login.DEMO
    changes = changes or Changes(parts.database, parts.clock)
    app = FastAPI(title="Varde", lifespan=_lifespan(parts, changes), openapi_url=None, docs_url=None, redoc_url=None)
    app.state.web = Web(parts=parts, renderer=Renderer(demo=demo, static=static), changes=changes)
    for router in (*PAGES, *others):
        app.include_router(router)
    check_actions(app)
    app.mount("/static", KeptFiles(directory=static))
    install_failures(app)
    app.add_middleware(OwnSiteOnly)
    if demo:
        app.add_middleware(KnownHosts, hosts=_OWN_NAMES)
    app.add_middleware(SecurityHeaders)
    return app


def check_actions(app: FastAPI) -> None:
    """Raise `UndeclaredRouteError` when a route declares no action."""
    silent = [path for path, endpoint in endpoints(app) if action_of(endpoint) is None]
    if silent:
        raise UndeclaredRouteError(f"routes without `needs`: {', '.join(silent)}")


def endpoints(app: FastAPI) -> list[tuple[str, Callable[..., Any]]]:
    """Path and function of every route, those of included routers too (`app.routes` alone does not show them)."""
    found = ((each.original_route, each.path, each.endpoint) for each in iter_route_contexts(app.routes))
    return [(path, endpoint) for route, path, endpoint in found if path and endpoint and isinstance(route, APIRoute)]


class KeptFiles(StaticFiles):
    """Static files, kept by the browser for good: their address changes with their content."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        versioned = b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return answer


def _lifespan(parts: Parts, changes: Changes) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def run(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(changes.watch()), asyncio.create_task(beat(parts))]
        try:
            yield
        finally:
            await changes.close()
            for task in tasks:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

    return run
