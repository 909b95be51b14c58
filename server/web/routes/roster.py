"""The roster of a week, and how people are reached: changed by the team's coordinator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query
from fastapi.responses import HTMLResponse, Response

from alerts.fact import Role
from server.access import Action, needs
from server.care import reaching, roster
from server.care.reaching import AddressError, Kind, NewChannel
from server.care.roster import DutyError, NewDuty
from server.web.forms.fields import Typed, sent_to
from server.web.frame.flash import Flash
from server.web.frame.visit import Visit, Visiting
from server.web.gathering.shift import colleagues, reachable, span, unread_after, week

router = APIRouter(include_in_schema=False)
_WEEK_MAX = timedelta(days=3660)


@router.get("/team/roster")
@needs(Action.SEE_TEAM)
def roster_page(
    visit: Visiting, day: Annotated[str, Query(max_length=10)] = "", done: str | None = None
) -> HTMLResponse:
    """The week in which `day` lies; this week without one, or with one that is none."""
    return _week(visit, _monday(visit, day), flash=Flash.done(visit.speech, done))


@router.post("/team/roster")
@needs(Action.CHANGE_ROSTER)
def put_on(visit: Visiting, typed: Typed) -> Response:
    """Put a shift on the roster."""
    parts = visit.web.parts
    try:
        read = _duty(visit, typed)
        with parts.database.write() as connection:
            roster.put_on(connection, visit.actor, read, parts.clock.now())
    except DutyError as refusal:
        return _week(visit, _monday(visit, typed.get("day", "")), _Form(typed, {refusal.field: refusal.reason}), 422)
    return _back(visit, read.starts_at.astimezone(visit.speech.zone).date(), "on_roster")


@router.post("/team/roster/remove")
@needs(Action.CHANGE_ROSTER)
def take_off(
    visit: Visiting, duty: Annotated[str, Form(max_length=64)], day: Annotated[str, Form(max_length=10)] = ""
) -> Response:
    """Take a shift off the roster."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        roster.take_off(connection, visit.actor, duty, parts.clock.now())
    return _back(visit, _monday(visit, day), "off_roster")


@router.post("/team/roster/copy")
@needs(Action.CHANGE_ROSTER)
def copy_week(visit: Visiting, day: Annotated[str, Form(max_length=10)] = "") -> Response:
    """The week before once more."""
    parts, monday = visit.web.parts, _monday(visit, day)
    start, _ = span(monday, visit.speech.zone)
    with parts.database.write() as connection:
        copied = roster.copy_week(connection, visit.actor, start, parts.clock.now())
    return _back(visit, monday, "copied_week" if copied else "nothing_to_copy")


@router.get("/team/channels")
@needs(Action.CHANGE_ROSTER)
def channels_page(visit: Visiting, done: str | None = None) -> HTMLResponse:
    """How everybody of the team is reached, in the order in which it is tried."""
    return _channels(visit, flash=Flash.done(visit.speech, done))


@router.post("/team/channels")
@needs(Action.CHANGE_ROSTER)
def add_channel(visit: Visiting, typed: Typed) -> Response:
    """A further way to reach somebody, or the team itself."""
    parts = visit.web.parts
    try:
        new = _channel(visit, typed)
        with parts.database.write() as connection:
            reaching.set_channel(connection, parts.vault, visit.actor, new, parts.clock.now())
    except AddressError as refusal:
        return _channels(visit, _Form(typed, {refusal.field: refusal.reason}), 422)
    return sent_to("/team/channels", "channel_added")


@router.post("/team/channels/remove")
@needs(Action.CHANGE_ROSTER)
def remove_channel(visit: Visiting, channel: Annotated[str, Form(max_length=64)]) -> Response:
    """No longer this way."""
    parts = visit.web.parts
    with parts.database.write() as connection:
        reaching.remove_channel(connection, visit.actor, channel, parts.clock.now())
    return sent_to("/team/channels", "channel_removed")


@router.post("/team/unread")
@needs(Action.CHANGE_ROSTER)
def tell_of_unread(visit: Visiting, typed: Typed) -> Response:
    """When whoever is on duty is told that a message from home is unread."""
    parts = visit.web.parts
    try:
        hours = int(typed.get("hours", "").strip()[:4])
    except ValueError:
        hours = 0
    try:
        with parts.database.write() as connection:
            reaching.tell_of_unread(connection, visit.actor, hours, parts.clock.now())
    except AddressError as refusal:
        return _channels(visit, _Form(typed, {refusal.field: refusal.reason}), 422)
    return sent_to("/team/channels", "unread_set")


@dataclass(frozen=True, slots=True)
class _Form:
    """What stands in a form's fields, and what is wrong by the field's name."""

    typed: Mapping[str, str]
    wrong: Mapping[str, str]


_EMPTY = _Form({}, {})


def _week(
    visit: Visit, monday: date, form: _Form = _EMPTY, status: int = 200, flash: Flash | None = None
) -> HTMLResponse:
    zone = visit.speech.zone
    with visit.read() as asking:
        view: dict[str, Any] = {
            "days": week(asking, monday, zone),
            "monday": monday,
            "before": monday - timedelta(days=7),
            "after": monday + timedelta(days=7),
            "today": visit.speech.now.astimezone(zone).date(),
            "colleagues": colleagues(asking),
            "posts": [each.value for each in roster.ON_DUTY],
            "typed": form.typed,
            "wrong": form.wrong,
        }
        return visit.page("pages/roster.html", asking, status, flash=flash, here="/team", **view)


def _channels(visit: Visit, form: _Form = _EMPTY, status: int = 200, flash: Flash | None = None) -> HTMLResponse:
    with visit.read() as asking:
        view: dict[str, Any] = {
            "people": reachable(asking),
            "kinds": [each.value for each in reaching.TYPED],
            "unread_after": unread_after(asking),
            "typed": form.typed,
            "wrong": form.wrong,
        }
        return visit.page("pages/channels.html", asking, status, flash=flash, here="/team", **view)


def _back(visit: Visit, day: date, done: str) -> Response:
    answer = sent_to("/team/roster", done)
    answer.headers["location"] += f"&day={_monday(visit, day.isoformat()).isoformat()}"
    return answer


def _monday(visit: Visit, text: str) -> date:
    """The Monday of the week in which that day lies; this week's for what is no day, or one that nobody plans."""
    today = visit.speech.now.astimezone(visit.speech.zone).date()
    day = _date(text) or today
    if abs(day - today) > _WEEK_MAX:
        day = today
    return day - timedelta(days=day.weekday())


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _duty(visit: Visit, typed: Mapping[str, str]) -> NewDuty:
    """The shift in the fields of the form; one that ends before it begins ends on the next day. Raises `DutyError`."""
    day = _date(typed.get("day", ""))
    if day is None or not date(2000, 1, 1) <= day <= date(2200, 1, 1):
        raise DutyError("day", "no_day")
    start, end = _time(typed, "from"), _time(typed, "until")
    until = day if end > start else day + timedelta(days=1)
    if typed.get("role") not in {each.value for each in roster.ON_DUTY}:
        raise DutyError("role", "unknown")
    return NewDuty(
        team=str(visit.actor.team),
        staff=typed.get("staff", ""),
        role=Role(typed["role"]),
        starts_at=_wall(day, start, visit.speech.zone),
        ends_at=_wall(until, end, visit.speech.zone),
    )


def _time(typed: Mapping[str, str], field: str) -> time:
    try:
        return time.fromisoformat(typed.get(field, "").strip()).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise DutyError(field, "no_time") from None


def _wall(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone)


def _channel(visit: Visit, typed: Mapping[str, str]) -> NewChannel:
    """The channel in the fields of the form; raises `AddressError`."""
    if typed.get("kind") not in {each.value for each in reaching.TYPED}:
        raise AddressError("kind", "unknown")
    return NewChannel(
        team=str(visit.actor.team),
        staff=typed.get("staff") or None,
        kind=Kind(typed["kind"]),
        address=typed.get("address", ""),
    )
