"""What a reader sees when something cannot be shown: a page that says why in plain words and offers a way on."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from server.access import RefusedError
from server.care.people import NotFoundError
from server.web.frame.visit import LoginNeededError, Web, speech_of
from server.web.words.terms import N_

_TEXTS = {
    403: (N_("Not for you"), N_("Your role may not open this page. If you need it, talk to your coordinator.")),
    404: (N_("Not found"), N_("There is nothing here, or it belongs to somebody whom your team does not follow.")),
    405: (N_("Not found"), N_("This address can only be used from a form.")),
    422: (N_("Something was missing"), N_("The form was not complete. Go back and try again.")),
    500: (N_("Something went wrong"), N_("The mistake is ours and has been noted. Nothing was changed.")),
}
_BACK = N_("To the first page")


def install_failures(app: FastAPI) -> None:
    """Answer the errors that routes raise with pages; the API answers for itself."""
    app.add_exception_handler(LoginNeededError, _login)
    app.add_exception_handler(RefusedError, lambda request, _: problem(request, 403))
    app.add_exception_handler(NotFoundError, lambda request, _: problem(request, 404))
    app.add_exception_handler(RequestValidationError, lambda request, _: problem(request, 422))
    app.add_exception_handler(HTTPException, _http)


def problem(request: Request, status: int) -> HTMLResponse:
    """The page for this status."""
    web: Web = request.app.state.web
    say = speech_of(request)
    title, text = _TEXTS.get(status, _TEXTS[500])
    way_on = {"href": "/start", "label": say(_BACK)}
    view = {"title": say(title), "text": say(text), "way_on": way_on, "path": "/start"}
    return HTMLResponse(web.renderer.page("pages/problem.html", say, **view), status_code=status)


def _login(request: Request, _error: Exception) -> Response:
    back = request.url.path if request.method == "GET" and not request.url.path.startswith("/parts/") else "/"
    if request.headers.get("hx-request") == "true":
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    if request.url.path == "/live":
        return Response(status_code=401)
    return RedirectResponse(f"/login?back={back}" if back != "/" else "/login", status_code=303)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return problem(request, error.status_code)
