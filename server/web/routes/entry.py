"""Coming in, going out, and in which language."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy import Connection, select

from server.access import Action, needs
from server.care.credentials import (
    SESSION_LASTS,
    begin_kins_session,
    begin_patients_session,
    begin_session,
    end_session,
)
from server.db import tables
from server.settings import Login, is_loopback
from server.vault import Vault
from server.web.frame.menu import initials, links_of
from server.web.frame.visit import LANGUAGE_COOKIE, Visit, Visiting, own_path, session_cookie
from server.web.words.catalogues import LANGUAGES

router = APIRouter(include_in_schema=False)
_YEAR_S = 365 * 24 * 3600
_DOORS_MAX = 60  # patients on the demo's login page


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One button of the demo's login page: somebody who does not exist. `field`: staff, patient or kin."""

    field: str
    id: str
    name: str
    initials: str
    role: str
    team: str | None


@router.get("/login")
@needs(Action.ENTER)
def login_page(visit: Visiting, back: str = "/") -> HTMLResponse:
    """The demo's people, one button each; where login is not the demo's, a sentence."""
    staff: list[Door] = []
    home: list[Door] = []
    if _is_demo(visit):
        with visit.web.parts.database.read() as connection:
            staff = doors(connection, visit.web.parts.vault)
            home = doors_of_homes(connection, visit.web.parts.vault)
    return visit.page("pages/login.html", staff=staff, home=home, back=own_path(back))


@router.post("/login")
@needs(Action.ENTER)
def log_in(
    visit: Visiting,
    staff: Annotated[str, Form()] = "",
    patient: Annotated[str, Form()] = "",
    kin: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "/",
) -> Response:
    """Log that person in, in the demo only."""
    if not _is_demo(visit):
        return visit.page("pages/login.html", staff=[], home=[], back="/", status=403)
    parts = visit.web.parts
    with parts.database.write() as connection:
        now = parts.wall.now()
        if patient:
            secret = begin_patients_session(connection, patient, now)
        elif kin:
            secret = begin_kins_session(connection, kin, now)
        else:
            secret = begin_session(connection, staff, now)
    if secret is None:
        return RedirectResponse("/login", status_code=303)
    where = own_path(back)
    # Whoever asked for nothing in particular gets the first page that the role may open; not everyone has a worklist.
    answer = RedirectResponse("/start" if where == "/" else where, status_code=303)
    answer.set_cookie(
        session_cookie(parts),
        secret,
        max_age=int(SESSION_LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=not is_loopback(parts.settings.web_host),
    )
    return answer


@router.post("/logout")
@needs(Action.ENTER)
def log_out(visit: Visiting, request: Request) -> Response:
    """End the session here and in the browser."""
    parts = visit.web.parts
    name = session_cookie(parts)
    secret = request.cookies.get(name)
    if secret:
        with parts.database.write() as connection:
            end_session(connection, secret)
    answer = RedirectResponse("/login", status_code=303)
    answer.delete_cookie(name, httponly=True, samesite="lax")
    return answer


@router.post("/language")
@needs(Action.ENTER)
def choose_language(visit: Visiting, language: Annotated[str, Form()], back: Annotated[str, Form()] = "/") -> Response:
    """Remember the reader's language in this browser."""
    answer = RedirectResponse(own_path(back), status_code=303)
    if language in LANGUAGES:
        secure = not is_loopback(visit.web.parts.settings.web_host)
        answer.set_cookie(LANGUAGE_COOKIE, language, max_age=_YEAR_S, httponly=True, samesite="lax", secure=secure)
    return answer


@router.get("/start")
@needs(Action.ENTER)
def start(visit: Visiting) -> Response:
    """The first page that this reader may open."""
    if visit.reader is None:
        return visit.go("/login")
    with visit.read() as asking:
        links = links_of(asking, visit.speech.now)
    return visit.go(links[0].href if links else "/login")


def doors(connection: Connection, vault: Vault) -> list[Door]:
    """Everybody whom the demo's login page offers; nobody is logged in yet, so there is no actor to narrow by."""
    staff, person, team = tables.staff, tables.person, tables.team
    rows = connection.execute(
        select(staff.c.id, staff.c.role, person.c.name, team.c.name.label("team"))
        .join(person, person.c.id == staff.c.person_id)
        .outerjoin(team, team.c.id == staff.c.team_id)
        .where(staff.c.active)
    )
    named = [(vault.open(row.name), row) for row in rows]
    order = {"nurse": 0, "coordinator": 1, "technician": 2}
    named.sort(key=lambda each: (order.get(each[1].role, 9), each[0]))
    return [
        Door(field="staff", id=row.id, name=name, initials=initials(name), role=row.role, team=row.team)
        for name, row in named
    ]


def doors_of_homes(connection: Connection, vault: Vault) -> list[Door]:
    """Patients who are followed up, and those with whom they share something."""
    patient, person, enrolment = tables.patient, tables.person, tables.enrolment
    followed = select(enrolment.c.patient_id).where(enrolment.c.state != "ended")
    rows = connection.execute(
        select(patient.c.id, person.c.name)
        .join(person, person.c.id == patient.c.person_id)
        .where(patient.c.id.in_(followed))
        .limit(_DOORS_MAX)
    )
    patients = {row.id: vault.open(row.name) for row in rows}
    contact, consent = tables.contact, tables.consent
    holds = select(consent.c.contact_id).where(consent.c.withdrawn_at.is_(None))
    close = connection.execute(select(contact).where(contact.c.id.in_(holds), contact.c.patient_id.in_(patients)))
    found = [_door("patient", each, name) for each, name in patients.items()]
    found += [_door("kin", row.id, vault.open(row.name), patients[row.patient_id]) for row in close]
    return sorted(found, key=lambda each: (each.field == "patient", each.name))


def _door(field: str, identity: str, name: str, of: str | None = None) -> Door:
    return Door(field=field, id=identity, name=name, initials=initials(name), role=field, team=of)


def _is_demo(visit: Visit) -> bool:
    return visit.web.parts.settings.login is Login.DEMO
